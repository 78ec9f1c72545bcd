"""One project in one round: apply what nothing withholds, and say what was seen of each owner."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from runs_as_code.engine.applying import ApplySettings, apply_jobs, jobs_of
from runs_as_code.engine.context import Clock, StopSignal
from runs_as_code.engine.planning import Session
from runs_as_code.errors import ExitCode, QarunError
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.events import ActionFinished, Event, Noted
from runs_as_code.model.listing import ListedAs
from runs_as_code.model.plan import Approvals, ProjectPlan
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.reconciling import (
    Census,
    Ended,
    Level,
    Log,
    LogEvent,
    Observation,
    Scope,
    Value,
)
from runs_as_code.model.report import FELL_SHORT, SUCCEEDED, ActionResult, ApplyReport, Status
from runs_as_code.planning.drift import find_drift
from runs_as_code.planning.inventory import classify_runs
from runs_as_code.planning.planner import assemble

_PASSING = frozenset({ExitCode.STALE, ExitCode.SIGINT, ExitCode.SIGTERM})
"""Ends that say nothing of a project: somebody else was at work, or the loop is to stop."""

_CENSUS = {
    ListedAs.MANAGED: "managed",
    ListedAs.ADOPTED: "managed",
    ListedAs.ORPHAN: "orphan",
    ListedAs.UNMANAGED: "unmanaged",
    ListedAs.DAMAGED: "unmanaged",
    ListedAs.COPY: "unmanaged",
    ListedAs.FOREIGN: "foreign",
}
"""The states of runs that the metrics know; closed runs are not counted."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the projects of a round share: where their words go, the time, when to stop.

    `now` gives seconds since 1970, `stop_signal` a signal for one project. `facts` go into each
    line of the log.
    """

    log: Log
    now: Callable[[], float]
    stop_signal: Callable[[], StopSignal]
    clock: Clock = field(default_factory=Clock)
    provenance: Provenance | None = None
    facts: Mapping[str, Value] = field(default_factory=dict)

    def say(
        self, level: Level, event: str, message: str, scope: Scope | None = None, **facts: Value
    ) -> None:
        """Write one line of the log."""
        where = {"server": scope.server, "project": scope.project} if scope else {}
        if scope and scope.owner:
            where["owner"] = scope.owner
        self.log(LogEvent(level, event, message, {**self.facts, **where, **facts}))


def scopes_of(session: Session) -> list[Scope]:
    """Return the owners of a project as scopes."""
    return [Scope(plan.server, plan.project, plan.owner) for plan in session.plans]


async def reconcile_project(
    session: Session, shop: Workshop, created_at: str, seconds: float
) -> list[Observation]:
    """Apply what a project's plans want and nothing withholds; return one observation an owner.

    Raises the errors of a provider, and StaleError when somebody changed what was to be closed;
    `seconds` is what reading and planning took.
    """
    plan = assemble(session.plans, Approvals(), created_at)
    census = take_census(session)
    seen = [_observe(session, project, census) for project in plan.projects]
    report = ApplyReport()
    if plan.actions:
        settings = ApplySettings(
            listener=_listener(shop),
            stop=shop.stop_signal(),
            clock=shop.clock,
            provenance=shop.provenance,
        )
        report = await apply_jobs(plan, jobs_of(plan, [session]), settings)
    at = shop.now()
    return [
        replace(_after(each, project, report), at=at, seconds=seconds)
        for each, project in zip(seen, plan.projects, strict=True)
    ]


def failed(scope: Scope, at: float, error: BaseException) -> Observation:
    """Return what a round showed that ended in an error."""
    message, hint, code = explain(error)
    ended = Ended.PASSED if code in _PASSING else Ended.FAILED
    return Observation(scope, at, ended, code, message, hint)


def explain(error: BaseException) -> tuple[str, str, ExitCode]:
    """Return message, hint and exit code of an error; of a group those of its first leaf."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, QarunError):
        return error.message, error.hint, error.exit_code
    hint = "please report it"
    return f"internal error: {type(error).__name__}: {error}", hint, ExitCode.ERROR


def take_census(session: Session) -> Census:
    """Count the open runs of a project by what they are to its manifests."""
    runs = dict.fromkeys(_CENSUS.values(), 0)
    foreign: Counter[str] = Counter()
    for claim in classify_runs(session.given.listing.runs, session.given.manifests):
        if claim.run.is_open and claim.ownership in _CENSUS:
            runs[_CENSUS[claim.ownership]] += 1
            if claim.ownership is ListedAs.FOREIGN:
                foreign[claim.owner or "unknown"] += 1
    return Census(runs, foreign)


def _observe(session: Session, plan: ProjectPlan, census: Census) -> Observation:
    """Return what the plan shows before anything is done."""
    drift: Counter[str] = Counter()
    incomplete = [block for block in plan.refusals if block.rule == "incomplete-listing"]
    if not incomplete:
        drift.update(each.kind.value for each in find_drift(session.given, plan).found)
    return Observation(
        scope=Scope(plan.server, plan.project, plan.owner),
        at=0.0,
        ended=Ended.FAILED if incomplete else Ended.DONE,
        exit_code=ExitCode.REFUSED if plan.is_withheld else ExitCode.DONE,
        error=incomplete[0].message if incomplete else "",
        hint=incomplete[0].line if incomplete else "",
        drift=drift,
        blocked=_blocked(plan),
        census=census,
        is_converged=not plan.is_pending,
    )


def _blocked(plan: ProjectPlan) -> Counter[str]:
    """Count what each rule withholds: keys, and for a refused project all actions at once."""
    counts: Counter[str] = Counter()
    for change in plan.changes:
        counts.update({block.rule for block in change.blocks})
    wanted = sum(len(change.actions) for change in plan.changes if not change.is_withheld)
    for refusal in plan.refusals:
        counts[refusal.rule] += max(1, wanted)
    return counts


def _after(seen: Observation, plan: ProjectPlan, report: ApplyReport) -> Observation:
    """Add what the apply did of one owner's share."""
    if not plan.actions:
        return seen
    results = tuple(result for result in report.results if result.owner == plan.owner)
    # A freeze window that began meanwhile withholds as well, of those who have one.
    skipped = sum(result.status is Status.SKIPPED for result in results)
    is_cut_off = bool(skipped) and bool(plan.freeze) and report.is_withheld
    own = replace(
        report,
        results=results,
        findings=tuple(finding for finding in report.findings if finding.owner == plan.owner),
        is_withheld=plan.is_withheld or is_cut_off,
    )
    code = own.exit_code
    is_good = code in {ExitCode.DONE, ExitCode.REFUSED}
    ended = Ended.PASSED if code in _PASSING else Ended.DONE if is_good else Ended.FAILED
    is_done = all(result.status in SUCCEEDED for result in own.results)
    return replace(
        seen,
        ended=ended,
        exit_code=code,
        error="" if ended is not Ended.FAILED else _shortfall(own),
        blocked={**seen.blocked, "freeze-window": skipped} if is_cut_off else seen.blocked,
        actions=Counter((_kind(result), result.status.value) for result in own.results),
        is_converged=is_good and is_done and not plan.is_withheld and not own.findings,
    )


def _shortfall(report: ApplyReport) -> str:
    bad = [r for r in report.results if r.status in FELL_SHORT or r.status is Status.UNVERIFIED]
    if bad:
        return _told(bad[0])
    return report.findings[0].message if report.findings else "it did not end well"


def _kind(result: ActionResult) -> str:
    if not isinstance(result.action, MakeRun):
        return "close"
    return "clone" if result.action.is_clone else "create"


def _told(result: ActionResult) -> str:
    words = f"{_kind(result)} `{result.action.key}`: {result.status}"
    return f"{words}, {result.message}" if result.message else words


def _listener(shop: Workshop) -> Callable[[Event], None]:
    def hear(event: Event) -> None:
        if isinstance(event, Noted):
            shop.say(Level.WARNING, "apply.noted", event.message)
        if not isinstance(event, ActionFinished):
            return
        result = event.result
        is_good = result.status in SUCCEEDED
        shop.say(
            Level.INFO if is_good else Level.WARNING,
            "action.finished",
            _told(result),
            Scope(result.server, result.project, result.owner),
            key=result.action.key,
            action=_kind(result),
            result=result.status.value,
            title=result.action.title,
            run_id=result.run_id,
            url=result.url,
        )

    return hear
