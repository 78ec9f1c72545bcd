"""Decisions, reasons, actions and counts in plain words."""

from runs_as_code.model.actions import Action, CloseReason, CloseRun, MakeRun
from runs_as_code.model.live import LiveRun, StatusCounts
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import Change, Outcome, Reason
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.safe import quoted, safe

TITLE_LIMIT = 120
_SELECTION_LIMIT = 400
_DESCRIPTION_LIMIT = 600  # none is longer: it is written for ever, and should be seen before
_MAX_LISTED = 10

OUTCOMES = {
    Outcome.CREATE: "create",
    Outcome.CLONE: "clone",
    Outcome.REPLACE_BY_CLONE: "replace by a clone",
    Outcome.REPLACE_BY_CREATE: "replace by a new run",
    Outcome.CLOSE: "close",
    Outcome.KEEP: "keep",
    Outcome.STAY_CLOSED: "stays closed",
    Outcome.ADOPT: "adopt",
    Outcome.ORPHAN: "orphan",
    Outcome.DECIDE: "needs a decision",
    Outcome.UNMANAGED: "not managed",
}

_REASONS = {
    Reason.NOT_FOUND: "no run of this key exists yet",
    Reason.UNCHANGED: "live agrees with the file",
    Reason.FIELDS_CHANGED: "the file changed, and a run can't be edited",
    Reason.SELECTION_CHANGED: "the file selects test cases in another way",
    Reason.TITLE_CHANGED: "its last run is closed, and the file now declares another title",
    Reason.REPLACE_REQUESTED: "a new revision was asked for",
    Reason.RECREATED: "its last run is closed, and a new one was asked for",
    Reason.DECLARED_CLOSED: "the file says `state: closed`",
    Reason.NOTHING_TO_CLOSE: "the file says `state: closed`, and none is open",
    Reason.COMPLETE: "no case is open any more, and the file says `closeWhen: complete`",
    Reason.COMPLETED: "it is closed and no case of it is open, as `closeWhen: complete` wants it",
    Reason.OLDER_REVISIONS: "older revisions of it are still open",
    Reason.NO_LONGER_DECLARED: "no file declares it any more",
    Reason.NOT_ADOPTABLE: "the run that `adopt` names can't be this key's",
    Reason.TITLE_HELD: "another run stands in its way",
    Reason.MARKER_LOST: "an open run bears its title but not its marker",
    Reason.SECOND_RUN: "another open run bears its marker and its title",
    Reason.SUCCESSOR_CLOSED: "somebody closed its newest run, and an older one is open",
    Reason.DECLARED_UNMANAGED: "the file says `state: unmanaged`",
    Reason.UNRESOLVED: "a name in the file can't be resolved",
}

_PURPOSES = {
    CloseReason.DECLARED: "declared closed",
    CloseReason.COMPLETE: "complete",
    CloseReason.REPLACED: "replaced",
    CloseReason.OLDER: "older revision",
    CloseReason.PRUNED: "no longer declared",
}


def count(number: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def reason_words(change: Change, names: Names) -> str:
    """Say why the decision is what it is."""
    run = change.run
    if change.reason is Reason.CLOSED_BY_SOMEBODY and run is not None:
        return f"{closing_words(run, names)}, and the file says `onClosed: leave`"
    if change.reason is Reason.ADOPTED and run is not None:
        return f"run {run.id} counts as this key's run, though qarun did not make it"
    return _REASONS.get(change.reason, change.reason.value)


def closing_words(run: LiveRun, names: Names) -> str:
    """Say when and by whom a run was closed."""
    when = safe(run.closed_at or "at a time unknown", NAME_LIMIT)
    return f"run {run.id} was closed {when} by {names.person(run.closed_by)}"


def purpose_words(reason: CloseReason) -> str:
    """Say in a word or two why a run is closed."""
    return _PURPOSES[reason]


def counts_words(counts: StatusCounts) -> str:
    """Say how far the work in a run has come."""
    if counts.all == 0:
        return "no test cases in it"
    known = counts.open + counts.passed + counts.failed + counts.blocked + counts.skipped
    parts = [f"{counts.passed} passed", f"{counts.failed} failed"]
    parts += [f"{counts.blocked} blocked"] * bool(counts.blocked)
    parts += [f"{counts.skipped} skipped"] * bool(counts.skipped)
    parts += [f"{counts.all - known} other"] * (counts.all > known)
    return ", ".join([*parts, f"{counts.open} still open"])


def action_words(action: Action, title: str = "") -> str:
    """Say what an action does; the title of a run to close only where it is not `title`."""
    if isinstance(action, MakeRun):
        return _make_words(action)
    time = ", time was spent on it" if action.has_time else ""
    return f"{_close_words(action, title)}: {counts_words(action.counts)}{time}"


def short_action_words(action: Action) -> str:
    """Say what an action does, without what it means."""
    return _make_words(action) if isinstance(action, MakeRun) else f"close run {action.run_id}"


def action_details(action: Action, names: Names) -> list[str]:
    """Say what a new run is given, or what a close waits for, in up to two lines."""
    if isinstance(action, CloseRun):
        return _close_conditions(action)
    return _make_details(action, names)


def description_words(make: MakeRun) -> str:
    """Say which description a new run is given, without its marker; empty for none."""
    text = make.description.removesuffix(make.marker).rstrip()
    return f"description {quoted(text, _DESCRIPTION_LIMIT)}" if text else ""


def _make_details(make: MakeRun, names: Names) -> list[str]:
    fields = [safe(make.type, NAME_LIMIT)] if make.type is not None else []
    if make.milestone_id is not None:
        fields.append(names.milestone(make.milestone_id))
    if make.assignee_id is not None:
        fields.append(names.assignee(make.assignee_id))
    marker = read_description(make.marker).marker
    if marker is not None and marker.is_protected:
        fields.append("protected")
    selection = " | ".join(_plan_words(plan) for plan in make.query_plans)
    if make.selection:
        selection = safe(make.selection, _SELECTION_LIMIT)
    return [line for line in (", ".join(fields), selection) if line]


def _make_words(make: MakeRun) -> str:
    result = f"revision r{make.revision} as {quoted(make.title, TITLE_LIMIT)}"
    if make.source_run is not None:
        return f"clone run {make.source_run} into {result}"
    if make.source_key is not None:
        return f"clone the new run of {quoted(make.source_key, NAME_LIMIT)} into {result}"
    return f"create {result}"


def _close_words(close: CloseRun, title: str) -> str:
    words = f"close run {close.run_id}"
    is_older = close.reason is CloseReason.OLDER
    if title and close.title != title:
        words += f" {quoted(close.title, TITLE_LIMIT)}"
    return words + (", an older revision (irreversible)" if is_older else " (irreversible)")


def _close_conditions(close: CloseRun) -> list[str]:
    waits = []
    if close.successor_key is not None:
        waits.append("once its successor is verified")
    if close.successor_run is not None:
        waits.append(f"while run {close.successor_run} is open")
    if close.cloned_by:
        clones = ", ".join(quoted(key, NAME_LIMIT) for key in close.cloned_by[:_MAX_LISTED])
        waits.append(f"after it was cloned for {clones}")
    return ["only " + " and ".join(waits)] if waits else []


def _plan_words(plan: ResolvedPlan) -> str:
    parts = [
        count(len(plan.tcase_ids), "test case") if plan.tcase_ids else "",
        _listed("folder", plan.folder_ids),
        _listed("tag", plan.tag_ids),
        "priorities " + ", ".join(safe(p, NAME_LIMIT) for p in plan.priorities[:_MAX_LISTED])
        if plan.priorities
        else "",
    ]
    return "; ".join(part for part in parts if part)


def _listed(noun: str, ids: tuple[int, ...]) -> str:
    if not ids:
        return ""
    shown = ", ".join(str(entry_id) for entry_id in ids[:_MAX_LISTED])
    more = len(ids) - _MAX_LISTED
    return f"{noun if len(ids) == 1 else noun + 's'} {shown}" + (
        f" and {more} more" if more > 0 else ""
    )
