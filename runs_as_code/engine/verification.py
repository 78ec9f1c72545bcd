"""After an apply: see every run of it, plan again, and prove that nothing of it is still wanted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runs_as_code.engine.bugs import bug_words
from runs_as_code.engine.checks import made_objection, marker_of, twin_objection
from runs_as_code.engine.context import SEEN_DELAYS, Workplace
from runs_as_code.engine.planning import Session, plan_again
from runs_as_code.errors import ExitCode, QarunError
from runs_as_code.model.actions import Action, MakeRun
from runs_as_code.model.live import Listing, LiveRun
from runs_as_code.model.plan import Approvals, ProjectPlan
from runs_as_code.model.report import SUCCEEDED, ActionResult, Finding, Status


@dataclass(frozen=True, slots=True)
class Proof:
    """What reading back showed: the results, some of them no longer done, and what else differs.

    `is_read` is False when nothing could be read.
    """

    results: tuple[ActionResult, ...]
    findings: tuple[Finding, ...] = ()
    changed_by_others: tuple[Finding, ...] = ()
    is_read: bool = True


async def verify_project(
    place: Workplace,
    results: Sequence[ActionResult],
    session: Session | None,
    approvals: Approvals,
) -> Proof:
    """Read a project back after its actions ended; `session` is None for a reviewed plan."""
    try:
        listing = await _list_until_seen(place, results)
        return _prove(listing, results, session, approvals)
    except Exception as error:  # noqa: BLE001 -- what was done must be told all the same
        why = error.message if isinstance(error, QarunError) else bug_words(error)
        message = f"could not be read back: {why}"
        return Proof(tuple(_unproved(result, message) for result in results), is_read=False)


def _prove(
    listing: Listing,
    results: Sequence[ActionResult],
    session: Session | None,
    approvals: Approvals,
) -> Proof:
    live = {run.id: run for run in listing.runs}
    firsts = _first_bearers(listing)
    proved = []
    others: list[Finding] = []
    for result in results:
        checked, news = _check(result, live.get(result.run_id or 0), firsts)
        proved.append(checked)
        others += news
    findings: list[Finding] = []
    if session is not None:
        # A new revision was asked for once; asking again would always want one more.
        lasting = replace(approvals, replace=frozenset(), closes=None)
        for again in plan_again(session, listing, lasting):
            before = next(p for p in session.plans if p.owner == again.owner)
            findings += _still_wanted(again, results)
            others += _news(before, again, findings)
    return Proof(tuple(proved), tuple(findings), tuple(others))


async def _list_until_seen(place: Workplace, results: Iterable[ActionResult]) -> Listing:
    good = [result for result in results if result.status in SUCCEEDED]
    made = {r.run_id for r in good if isinstance(r.action, MakeRun)}
    closed = {r.run_id for r in good if not isinstance(r.action, MakeRun)}
    listing = await place.all_runs.now()
    for delay in SEEN_DELAYS:
        open_ids = {run.id for run in listing.runs if run.is_open}
        if made <= {run.id for run in listing.runs} and not closed & open_ids:
            break
        await place.clock.sleep(delay)
        listing = await place.all_runs.now()
    return listing


def _check(
    result: ActionResult, run: LiveRun | None, firsts: Mapping[str, int]
) -> tuple[ActionResult, list[Finding]]:
    if result.status not in SUCCEEDED:
        return result, []
    if isinstance(result.action, MakeRun):
        if run is not None and not run.is_open:
            return result, [_finding(result, f"run {run.id} was closed meanwhile")]
        first = firsts.get(result.action.marker)
        objection = made_objection(result.action, run) or twin_objection(result.run_id, first)
    else:
        objection = "is still open" if run is not None and run.is_open else ""
    if not objection:
        return result, []
    return _unproved(result, objection), []


def _unproved(result: ActionResult, message: str) -> ActionResult:
    if result.status not in SUCCEEDED:
        return result
    return replace(result, status=Status.UNVERIFIED, message=message, exit_code=ExitCode.UNVERIFIED)


def _first_bearers(listing: Listing) -> dict[str, int]:
    """Return for each marker the run with the lowest id that bears it."""
    newest_first = sorted(listing.runs, key=lambda run: run.id, reverse=True)
    return {marker: run.id for run in newest_first if (marker := marker_of(run))}


def _still_wanted(again: ProjectPlan, results: Iterable[ActionResult]) -> list[Finding]:
    done = {
        _identity(r.action) for r in results if r.status in SUCCEEDED and r.owner == again.owner
    }
    return [
        Finding(
            server=again.server,
            project=again.project,
            owner=again.owner,
            key=action.key,
            message=f"`{action.address}` was done and is wanted again",
        )
        for action in again.actions
        if _identity(action) in done
    ]


def _identity(action: Action) -> tuple[str, int]:
    return action.address, action.revision if isinstance(action, MakeRun) else 0


def _news(before: ProjectPlan, again: ProjectPlan, findings: list[Finding]) -> list[Finding]:
    """Say which keys want something now that they did not want before: others changed them."""
    wanted = {change.key for change in before.changes if change.is_pending}
    known = {finding.key for finding in findings}
    return [
        Finding(
            server=again.server,
            project=again.project,
            owner=again.owner,
            key=change.key,
            message=f"changed meanwhile: {change.outcome}, {change.reason}",
        )
        for change in again.changes
        if change.is_pending and change.key not in wanted and change.key not in known
    ]


def _finding(result: ActionResult, message: str) -> Finding:
    return Finding(
        server=result.server,
        project=result.project,
        owner=result.owner,
        key=result.action.key,
        message=message,
    )
