"""Carry out the actions of one project, each after what it depends on, none twice.

A run is made before its clones and before what it replaces is closed; it is proved in the list
first when anything depends on it. One failed action does not stop independent ones.
"""

import asyncio
from collections.abc import Iterable, Mapping

from runs_as_code.engine.bugs import bug_words
from runs_as_code.engine.checks import Successor, close_objection
from runs_as_code.engine.closing import close_run
from runs_as_code.engine.context import Outcome, Workplace
from runs_as_code.engine.making import make_run, verify_made
from runs_as_code.engine.runlog import RunLog
from runs_as_code.engine.sending import Gate
from runs_as_code.errors import ExitCode, QarunError, StaleError
from runs_as_code.model.actions import Action, CloseRun, MakeRun
from runs_as_code.model.events import ActionFinished, ActionStarted, Listener
from runs_as_code.model.plan import ProjectPlan
from runs_as_code.model.report import SUCCEEDED, ActionResult, Status
from runs_as_code.planning.context import place_of
from runs_as_code.planning.dependencies import awaited_makes


async def check_closes(place: Workplace, plan: ProjectPlan, made: Mapping[str, int]) -> None:
    """Check every close before the first write.

    Raises StaleError, with a line per run, when any of them must not be closed now; a run that is
    closed already stands in nobody's way.
    """
    if not plan.closes:
        return
    # All runs, not the open ones: a closed run may bear a marker too.
    listing = await place.all_runs.now()
    open_ids = {run.id for run in listing.runs if run.is_open}
    markers = {make.key: make.marker for make in plan.makes}
    problems = []
    for action in plan.closes:
        if action.run_id not in open_ids:
            continue
        successor = successor_of(action, made, markers)
        objection = close_objection(
            action, listing, successor, is_successor_known=successor.run_id is not None
        )
        if objection:
            problems.append(f"`{action.key}`: run {action.run_id} {objection}")
    if problems:
        raise StaleError("the plan is stale: " + "; ".join(problems), hint="plan again")


def successor_of(
    action: CloseRun, made: Mapping[str, int], markers: Mapping[str, str]
) -> Successor:
    """Return what is known yet of the run that takes this one's place; `markers` by made key."""
    if action.successor_run is not None:
        return Successor(action.successor_run)
    key = action.successor_key or ""
    return Successor(made.get(key), markers.get(key))


class ProjectExecutor:
    """Runs the actions of one owner's plan; `made` are runs that an earlier apply made.

    `listener` must not raise.
    """

    def __init__(
        self,
        place: Workplace,
        plan: ProjectPlan,
        listener: Listener,
        log: RunLog,
        made: Mapping[str, int] | None = None,
    ) -> None:
        self._place = place
        self.plan = plan
        self._listener = listener
        self._log = log
        self._gate = Gate(place, plan.freeze)
        self._made = dict(made or {})
        self._tasks: dict[str, asyncio.Task[ActionResult]] = {}
        self._executors: dict[str, ProjectExecutor] = {}
        self._awaited: frozenset[str] = frozenset()
        self._markers = {make.key: make.marker for make in plan.makes}
        self._closes: dict[str, list[CloseRun]] = {}
        for close in plan.closes:
            self._closes.setdefault(close.key, []).append(close)

    def introduce(self, everybody: Iterable["ProjectExecutor"]) -> None:
        """Say who works on the project, this one among them: closes wait for others' clones."""
        executors = {executor.plan.owner: executor for executor in everybody}
        awaited = awaited_makes(executor.plan for executor in executors.values())
        self._awaited = frozenset(key for owner, key in awaited if owner == self.plan.owner)
        self._executors = executors

    async def run(self) -> list[ActionResult]:
        """Carry everything out and return one result per action, in the plan's order.

        Raises no Exception: an error that nobody foresaw is the result of its action, so that it
        cancels no write of another.
        """
        actions: list[Action] = [*self.plan.makes, *self.plan.closes]
        async with asyncio.TaskGroup() as group:
            for action in actions:
                self._tasks[action.address] = group.create_task(self._run(action, group))
        return [self._tasks[action.address].result() for action in actions]

    async def _run(self, action: Action, group: asyncio.TaskGroup) -> ActionResult:
        try:
            result = await self._carry_out(action)
        except QarunError as error:
            return self._finish(action, Status.FAILED, error.message, exit_code=error.exit_code)
        except Exception as error:  # noqa: BLE001 -- see `run`
            words = f"{bug_words(error)}; {_to_check(action)}"
            return self._finish(action, Status.UNKNOWN, words, exit_code=ExitCode.ERROR)
        if self._log.wants(result):
            # A task of its own: nothing that matters waits for a line in a log.
            group.create_task(self._log.tell(self._place.provider, self._gate, result))
        return result

    async def _carry_out(self, action: Action) -> ActionResult:
        for address, task in self._waits_for(action).items():
            earlier = await task
            if earlier.status not in SUCCEEDED:
                why = f"depends on `{address}`, which is {earlier.status}"
                return self._finish(action, Status.SKIPPED, why)
        async with self._place.slots:
            if objection := self._gate.objection():
                return self._finish(action, Status.SKIPPED, objection)
            plan = self.plan
            self._listener(ActionStarted(plan.server, plan.project, plan.owner, action))
            if isinstance(action, MakeRun):
                return await self._make(action)
            return await self._close(action)

    def _waits_for(self, action: Action) -> dict[str, asyncio.Task[ActionResult]]:
        names: tuple[str | None, ...]
        if isinstance(action, MakeRun):
            names = (action.source_key,)
        else:
            names = (*action.cloned_by, action.successor_key)
        tasks = {f"make:{name}": self._making(name) for name in names if name}
        if isinstance(action, CloseRun):
            # Oldest first: the newest run of a key must never be closed before an older one.
            older = [other for other in self._closes[action.key] if other.run_id < action.run_id]
            tasks |= {close.address: self.task(close.address) for close in older}
        return {address: task for address, task in tasks.items() if task is not None}

    def _making(self, name: str) -> asyncio.Task[ActionResult] | None:
        """Return the task that makes the run of a key, which may be another owner's."""
        owner, key = place_of(name, self.plan.owner)
        executor = self._executors.get(owner)
        return executor.task(f"make:{key}") if executor else None

    def task(self, address: str) -> asyncio.Task[ActionResult] | None:
        """Return the task of an action of this owner."""
        return self._tasks.get(address)

    async def _make(self, action: MakeRun) -> ActionResult:
        source = action.source_run or self._made.get(action.source_key or "")
        before = self._made.get(action.key)
        if before is None:
            outcome = await make_run(self._place, self._gate, action, source)
        else:
            outcome = Outcome(is_done=True, run_id=before, was_there=True)
        if not outcome.is_done or outcome.run_id is None:
            return self._failed(action, outcome)
        if action.key in self._awaited:
            objection = await self._prove(action, outcome.run_id, source)
            if objection:
                return self._finish(
                    action, Status.UNVERIFIED, objection, outcome.run_id, ExitCode.UNVERIFIED
                )
        self._made[action.key] = outcome.run_id
        return self._succeeded(action, outcome)

    async def _prove(self, action: MakeRun, run_id: int, source: int | None) -> str:
        try:
            return await verify_made(self._place, action, run_id, source)
        except Exception as error:  # noqa: BLE001 -- it was made all the same, and must be told so
            why = error.message if isinstance(error, QarunError) else bug_words(error)
            return f"could not be read back: {why}"

    async def _close(self, action: CloseRun) -> ActionResult:
        successor = successor_of(action, self._made, self._markers)
        outcome = await close_run(self._place, self._gate, action, successor)
        return (
            self._succeeded(action, outcome) if outcome.is_done else self._failed(action, outcome)
        )

    def _succeeded(self, action: Action, outcome: Outcome) -> ActionResult:
        status = Status.ALREADY_DONE if outcome.was_there else Status.DONE
        return self._finish(action, status, outcome.message, outcome.run_id)

    def _failed(self, action: Action, outcome: Outcome) -> ActionResult:
        status = Status.FAILED
        if outcome.is_unknown:
            status = Status.UNKNOWN
        elif outcome.is_stale:
            status = Status.STALE
        elif outcome.is_withheld:
            status = Status.SKIPPED
        return self._finish(action, status, outcome.message, outcome.run_id, outcome.exit_code)

    def _finish(
        self,
        action: Action,
        status: Status,
        message: str = "",
        run_id: int | None = None,
        exit_code: ExitCode = ExitCode.DONE,
    ) -> ActionResult:
        result = ActionResult(
            server=self.plan.server,
            project=self.plan.project,
            owner=self.plan.owner,
            action=action,
            status=status,
            message=message,
            run_id=run_id,
            url="" if run_id is None else self._place.provider.run_url(run_id),
            exit_code=exit_code,
        )
        self._listener(ActionFinished(result))
        return result


def _to_check(action: Action) -> str:
    """Say what to look at after an error that tells nothing of what the action did."""
    where = f"for `{action.title}`" if isinstance(action, MakeRun) else f"at run {action.run_id}"
    return f"it may or may not have run: look {where} in the web page, plan again, and report this"
