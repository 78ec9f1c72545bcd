"""`qarun apply` in this process and on virtual time: the same steps as at the command line."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from torture.faults import dice
from torture.ground import Ground, brief_for
from torture.problems import Problem, Wrong

from runs_as_code.engine.applying import ApplySettings, apply_jobs, jobs_of
from runs_as_code.engine.context import Clock, StopSignal
from runs_as_code.engine.planning import Planned, make_plan
from runs_as_code.engine.reviewed import review_plan
from runs_as_code.errors import ExitCode, QarunError
from runs_as_code.manifest import read_manifests
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.model.report import ActionResult, ApplyReport, Status
from runs_as_code.model.source import Severity
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.pacing import HOLD_SECONDS
from runs_as_code.provider.timing import Timing

ADDRESS = "http://127.0.0.1:9"
# A paced request waits so long at most while the line is not overfull: a little over the hold of a
# slot, for what came within the same tick as the decision can't be told from what came after it.
QUEUE_SECONDS = HOLD_SECONDS + 0.005
MOMENT = "2026-01-01T00:00:00Z"


@dataclass
class Ended:
    """How an apply ended: its exit code, and its report if it came to one."""

    who: str
    code: int
    report: ApplyReport | None = None
    error: QarunError | None = None
    plan: Plan | None = None

    @property
    def results(self) -> tuple[ActionResult, ...]:
        """One result for each action."""
        return self.report.results if self.report else ()


@dataclass
class Applier:
    """One process, as it were: a client of its own, with a name that the ledger knows."""

    ground: Ground
    manifests: Sequence[Mapping[str, Any]]
    approvals: Mapping[str, Any] = field(default_factory=dict)
    skip_blocked: bool = False
    may_race: bool = False
    rate: int = 0
    who: str = ""
    stop: StopSignal = field(default_factory=StopSignal)

    def __post_init__(self) -> None:
        self.who = self.who or self.ground.name()
        queue = QUEUE_SECONDS if self.rate else 0.0
        brief = brief_for(self.manifests, self.approvals, may_race=self.may_race, queue=queue)
        self.brief = self.ground.ledger.brief(self.who, brief)
        self._client: QaSphereClient | None = None
        self._files = self.ground.write(self.manifests, ADDRESS)

    async def apply(self) -> Ended:
        """Plan and apply; what a command line would print and exit with is returned."""
        try:
            return await self._finish(await self.plan())
        except QarunError as error:
            return Ended(self.who, error.exit_code, error=error)
        finally:
            await self.hang_up()

    async def apply_planned(self, planned: Planned) -> Ended:
        """Apply what was planned some time ago."""
        try:
            return await self._finish(planned)
        except QarunError as error:
            return Ended(self.who, error.exit_code, error=error)
        finally:
            await self.hang_up()

    async def apply_reviewed(self, plan: Plan) -> Ended:
        """Apply a plan that was read from a file."""
        try:
            left, jobs = await review_plan(plan, self._open)
            if plan.is_withheld and not self.skip_blocked:
                return Ended(self.who, ExitCode.REFUSED, plan=plan)
            report = await apply_jobs(left, jobs, self._settings())
        except QarunError as error:
            return Ended(self.who, error.exit_code, error=error)
        else:
            return Ended(self.who, report.exit_code, report, plan=plan)
        finally:
            await self.hang_up()

    async def killed(self, number: int, *, is_carried_out: bool) -> bool:
        """Apply, and die at the given call; return whether it came to that."""
        killer = _Killer(self.ground, self.who, number, is_carried_out=is_carried_out)
        self.ground.wire.actors.append(killer)
        task = asyncio.ensure_future(self.apply())
        waiter = asyncio.ensure_future(killer.is_done.wait())
        try:
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.ground.wire.actors.remove(killer)
            for unfinished in (task, waiter):
                unfinished.cancel()
            await asyncio.gather(task, waiter, return_exceptions=True)
        await self.ground.wire.quiet()
        return killer.is_done.is_set()

    async def plan(self) -> Planned:
        """Read the manifests and plan."""
        manifests = read_manifests(self._files)
        errors = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
        assert not errors, errors
        return await make_plan(
            manifests, lambda _manifest: ADDRESS, self._open, self._approvals(), MOMENT
        )

    async def hang_up(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _finish(self, planned: Planned) -> Ended:
        plan = planned.plan
        if plan.is_withheld and not (self.skip_blocked and plan.actions):
            return Ended(self.who, ExitCode.REFUSED, plan=plan)
        jobs = jobs_of(plan, planned.sessions)
        report = await apply_jobs(plan, jobs, self._settings())
        return Ended(self.who, report.exit_code, report, plan=plan)

    def _settings(self) -> ApplySettings:
        loop = asyncio.get_running_loop()
        return ApplySettings(
            stop=self.stop, clock=Clock(now=loop.time), approvals=self._approvals()
        )

    def _approvals(self) -> Approvals:
        given = dict(self.approvals)
        for name in ("keys", "replace"):
            given[name] = frozenset(given.get(name, ()))
        return Approvals(**given)

    def _open(self, _server: str, project: str) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client.project(project)

    def _connect(self) -> QaSphereClient:
        loop = asyncio.get_running_loop()
        return QaSphereClient(
            ADDRESS,
            self.who,
            transport=httpx.ASGITransport(app=self.ground.wire),
            rate=self.rate,
            timing=Timing(clock=loop.time, now=loop.time, random=dice(self.who).random),
        )


class _Killer:
    """Kills an apply at one of its calls, before or after it is carried out."""

    def __init__(self, ground: Ground, who: str, number: int, *, is_carried_out: bool) -> None:
        self._ground = ground
        self._who = who
        self._number = number
        self._is_carried_out = is_carried_out
        self.is_done = asyncio.Event()

    async def before(self, call: Any) -> None:
        if call.who == self._who and call.number == self._number and not self._is_carried_out:
            self._kill()

    async def after(self, call: Any, _answer: Any) -> None:
        if call.who == self._who and call.number == self._number and self._is_carried_out:
            self._kill()

    def _kill(self) -> None:
        self._ground.wire.kill(self._who)
        self.is_done.set()


def lies(ground: Ground, ended: Ended) -> list[Problem]:
    """Return what a report says that is not so; nobody else may have worked meanwhile."""
    if ended.report is None:
        return _silent_writes(ground, ended)
    truth = ground.truth()
    made = ground.ledger.briefs[ended.who].made
    found = []
    for result in ended.results:
        run = truth.get(result.run_id or 0)
        says = f"{ended.who}: {result.action.address} is {result.status}: {result.message}"
        is_good = result.status in {Status.DONE, Status.ALREADY_DONE}
        if isinstance(result.action, MakeRun):
            exists = result.action.marker in made.values()
            if is_good and (run is None or run.seen.marker != result.action.marker):
                found.append(f"{says}, but run {result.run_id} does not bear its marker")
            if result.status in {Status.FAILED, Status.SKIPPED, Status.STALE} and exists:
                found.append(f"{says}, but it was made")
        else:
            is_open = truth[result.action.run_id].seen.is_open
            if is_good and is_open:
                found.append(f"{says}, but it is open")
            if result.status in {Status.FAILED, Status.SKIPPED, Status.STALE} and not is_open:
                found.append(f"{says}, but it is closed")
    statuses = {result.status for result in ended.results}
    if ended.code == ExitCode.DONE and not statuses <= {Status.DONE, Status.ALREADY_DONE}:
        found.append(f"{ended.who}: exit 0 with {statuses}")
    return [Problem(Wrong.WORD, text) for text in found]


def _silent_writes(ground: Ground, ended: Ended) -> list[Problem]:
    brief = ground.ledger.briefs[ended.who]
    if not brief.made and not brief.closes:
        return []
    text = f"{ended.who}: wrote, and all it says is {ended.error} (exit {ended.code})"
    return [Problem(Wrong.WORD, text)]
