"""A live side in memory with scripted trouble, and a clock on which nobody waits."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from runs_as_code.engine.applying import ApplySettings, Job, apply_jobs
from runs_as_code.engine.context import Clock, StopSignal
from runs_as_code.errors import ConflictError, NotRunError, RejectedError, UnknownOutcomeError
from runs_as_code.model.actions import Action, CloseReason, CloseRun, MakeRun
from runs_as_code.model.live import Catalog, Listing, LiveRun, NamesNeeded, RunCase, StatusCounts
from runs_as_code.model.marker import Marker
from runs_as_code.model.plan import Block, Change, Outcome, Plan, ProjectPlan, Reason
from runs_as_code.model.provider import FIRST, Attempt, ResolvedPlan, RunFields
from runs_as_code.model.report import ActionResult, ApplyReport, Status
from runs_as_code.model.restraint import FreezeWindow

T = TypeVar("T")

MOMENT = "2024-05-01T00:00:00.000Z"
PLANS = (ResolvedPlan(folder_ids=(1,)),)
OWNER = "team"

LOST = UnknownOutcomeError("the reply was lost")
REFUSED = RejectedError("the server refused")


@dataclass
class Trouble:
    """What happens to one call: an error before it has its effect, or after; `then` is called."""

    before: Exception | None = None
    after: Exception | None = None
    then: Callable[[], Any] | None = None


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class FakeProvider:
    """Implements `Provider`: titles are unique, nothing is renamed, closed stays closed.

    `trouble` holds for each kind of call what happens to the first, the second, ... of them.
    `lag` hides a run from that many listings after it was made. `log` says what was asked for.
    `queue` is waited for before each write, as for the rate of a key.
    """

    def __init__(self, *runs: LiveRun, has_unique_titles: bool = True) -> None:
        self.runs = {run.id: run for run in runs}
        self.cases: dict[int, tuple[str, ...]] = {run.id: ("a", "b") for run in runs}
        self.trouble: dict[str, list[Trouble]] = {}
        self.lag = 0
        self.log: list[str] = []
        self.lines: list[tuple[int, str]] = []
        self.attempts: list[int] = []
        self.queue: Callable[[], Awaitable[None]] | None = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.stored: Callable[[LiveRun], LiveRun] = lambda run: run
        self._has_unique_titles = has_unique_titles
        self._hidden: dict[int, int] = {}

    server = "fake"
    project = "BD"

    @property
    def calls(self) -> int:
        return len(self.log)

    def count(self, kind: str) -> int:
        return sum(entry.split()[0] == kind for entry in self.log)

    @property
    def writes(self) -> list[str]:
        return [entry for entry in self.log if entry.split()[0] in {"create", "clone", "close"}]

    async def list_runs(self, *, closed: bool | None = None) -> Listing:
        async def look() -> Listing:
            hidden = {run_id for run_id, times in self._hidden.items() if times > 0}
            self._hidden = {run_id: times - 1 for run_id, times in self._hidden.items()}
            runs = [run for run in self.runs.values() if run.id not in hidden]
            if closed is not None:
                runs = [run for run in runs if run.is_open is not closed]
            return Listing(tuple(sorted(runs, key=lambda run: -run.id)))

        return await self._call("list", f"list {closed}", look)

    async def load_catalog(self, needed: NamesNeeded, listing: Listing) -> Catalog:
        raise AssertionError("an apply needs no names")

    @property
    def rate(self) -> int:
        return 0

    async def list_run_cases(self, run_id: int) -> tuple[RunCase, ...]:
        async def look() -> tuple[RunCase, ...]:
            return tuple(RunCase(case, 1, case, "open") for case in self.cases[run_id])

        return await self._call("cases", f"cases {run_id}", look)

    async def create_run(
        self,
        fields: RunFields,
        run_type: str,
        query_plans: tuple[ResolvedPlan, ...],
        attempt: Attempt = FIRST,
    ) -> int:
        async def make() -> int:
            return self.add(fields, run_type, query_plans[0].tcase_ids or ("a", "b"))

        return await self._write("create", f"create {fields.title}", make, attempt)

    async def clone_run(self, source_id: int, fields: RunFields, attempt: Attempt = FIRST) -> int:
        async def make() -> int:
            return self.add(fields, self.runs[source_id].type, self.cases[source_id])

        return await self._write("clone", f"clone {source_id} {fields.title}", make, attempt)

    async def close_run(self, run_id: int, attempt: Attempt = FIRST) -> None:
        async def close() -> None:
            if not self.runs[run_id].is_open:
                raise RejectedError("run is already closed")
            self.change(run_id, closed_at=MOMENT)

        await self._write("close", f"close {run_id}", close, attempt)

    async def add_run_log(self, run_id: int, comment: str, attempt: Attempt = FIRST) -> None:
        async def add() -> None:
            self.lines.append((run_id, comment))

        await self._write("log", f"log {run_id}", add, attempt)

    def run_url(self, run_id: int) -> str:
        return f"https://fake/run/{run_id}"

    # What others do meanwhile.

    def add(self, fields: RunFields, run_type: str = "live", cases: Iterable[str] = "ab") -> int:
        if self._has_unique_titles:
            for run in self.runs.values():
                if run.title == fields.title:
                    message = f"conflicting run id: {run.id}"
                    raise ConflictError(message, run_id=run.id)
        run_id = max(self.runs, default=0) + 1
        self.cases[run_id] = tuple(cases)
        count = len(self.cases[run_id])
        run = LiveRun(
            id=run_id,
            title=fields.title,
            description=fields.description,
            type=run_type,
            counts=StatusCounts(all=count, open=count),
            milestone_id=fields.milestone_id,
            assignee_id=fields.assignee_id,
        )
        self.runs[run_id] = self.stored(run)
        self._hidden[run_id] = self.lag
        return run_id

    def change(self, run_id: int, **changes: Any) -> None:
        self.runs[run_id] = replace(self.runs[run_id], **changes)

    def record(self, run_id: int, passed: int) -> None:
        counts = self.runs[run_id].counts
        self.change(run_id, counts=replace(counts, open=counts.all - passed, passed=passed))

    async def _write(
        self,
        kind: str,
        words: str,
        effect: Callable[[], Coroutine[Any, Any, T]],
        attempt: Attempt,
    ) -> T:
        self.attempts.append(attempt.number)
        if self.queue is not None:
            await self.queue()
        if not attempt.may_go():
            raise NotRunError("it was to be sent no more", pause=0.5)
        return await self._call(kind, words, effect)

    async def _call(self, kind: str, words: str, effect: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self.log.append(words)
        waiting = self.trouble.get(kind, [])
        trouble = waiting.pop(0) if waiting else Trouble()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            if trouble.before is not None:
                raise trouble.before
            answer = await effect()
            if trouble.then is not None:
                trouble.then()
            if trouble.after is not None:
                raise trouble.after
            return answer
        finally:
            self.in_flight -= 1


# Runs, actions and plans.


def marker(key: str, revision: int = 1, digest: str = "aaaaaaaa", owner: str = OWNER) -> str:
    return str(Marker(owner, key, revision, digest, "-", digest, digest))


def live(run_id: int, key: str = "", revision: int = 1, **changes: Any) -> LiveRun:
    """Return an open run, marked where it has a key, titled after it."""
    run = LiveRun(
        id=run_id,
        title=f"{key or 'run'} r{revision}",
        description=marker(key, revision) if key else "",
        type="live",
        counts=StatusCounts(all=2, open=2),
    )
    return replace(run, **changes)


def make(key: str, revision: int = 1, **changes: Any) -> MakeRun:
    action = MakeRun(
        key=key,
        revision=revision,
        marker=marker(key, revision),
        title=f"{key} r{revision}",
        description=f"Text\n\n{marker(key, revision)}",
        type="live",
        query_plans=PLANS,
    )
    return replace(action, **changes)


def close(run_id: int, key: str, revision: int = 1, **changes: Any) -> CloseRun:
    action = CloseRun(
        key=key,
        run_id=run_id,
        title=f"{key} r{revision}",
        reason=CloseReason.PRUNED,
        marker=marker(key, revision),
        counts=StatusCounts(all=2, open=2),
    )
    return replace(action, **changes)


def replacement(run: LiveRun, key: str) -> tuple[MakeRun, CloseRun]:
    """Return the two actions that replace revision 1 of a key by a clone."""
    made = make(key, 2, source_run=run.id, query_plans=(), known_runs=(run.id,))
    return made, close(run.id, key, reason=CloseReason.REPLACED, successor_key=key)


def project_plan(
    *actions: Action,
    blocks: tuple[Block, ...] = (),
    owner: str = OWNER,
    freeze: tuple[FreezeWindow, ...] = (),
) -> ProjectPlan:
    """Return a plan with one change for each key, in the order of the keys."""
    keys = sorted({action.key for action in actions})
    changes = tuple(
        Change(
            key=key,
            outcome=Outcome.CREATE,
            reason=Reason.NOT_FOUND,
            title=key,
            actions=tuple(action for action in actions if action.key == key),
            blocks=blocks,
        )
        for key in keys
    )
    return ProjectPlan(server="fake", project="BD", owner=owner, changes=changes, freeze=freeze)


@dataclass
class Applied:
    """How an apply ended, with everything around it."""

    report: ApplyReport
    provider: FakeProvider
    clock: FakeClock

    def result(self, address: str) -> ActionResult:
        found = [r for r in self.report.results if r.action.address == address]
        assert len(found) == 1, (address, self.report.results)
        return found[0]

    @property
    def statuses(self) -> dict[str, str]:
        return {r.action.address: str(r.status) for r in self.report.results}


def run_apply(
    provider: FakeProvider, *actions: Action, verified: bool = False, **settings: Any
) -> Applied:
    """Apply actions of one owner; without the last reading back unless `verified`."""
    return run_plans(provider, project_plan(*actions), verified=verified, **settings)


def run_plans(
    provider: FakeProvider,
    *plans: ProjectPlan,
    verified: bool = False,
    clock: FakeClock | None = None,
    **settings: Any,
) -> Applied:
    clock = clock or FakeClock()
    prepared = ApplySettings(clock=clock.clock, is_verified=verified, **settings)
    job = Job(provider, plans)
    report = run(apply_jobs(Plan(MOMENT, plans), [job], prepared))
    return Applied(report, provider, clock)


def run(job: Awaitable[Any]) -> Any:
    async def wrapped() -> Any:
        return await job

    return asyncio.run(wrapped())


__all__ = [
    "LOST",
    "MOMENT",
    "REFUSED",
    "Applied",
    "FakeClock",
    "FakeProvider",
    "Status",
    "StopSignal",
    "Trouble",
    "close",
    "live",
    "make",
    "marker",
    "project_plan",
    "replacement",
    "run",
    "run_apply",
    "run_plans",
]
