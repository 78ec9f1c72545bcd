"""What must hold of live runs before a close, and of a run that was just made."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from runs_as_code.model.actions import CloseRun, MakeRun
from runs_as_code.model.live import Listing, LiveRun
from runs_as_code.model.marking import read_description
from runs_as_code.model.text import clash_form, normal_form
from runs_as_code.planning.closing import successor_fault
from runs_as_code.planning.digest import text_digest

_OWN_TITLE = 7
"""The word of a marker that is always a digest."""


@dataclass(frozen=True, slots=True)
class Successor:
    """The run that takes the place of one to be closed; `marker` is set where an apply made it."""

    run_id: int | None
    marker: str | None = None


def find_run(listing: Listing, run_id: int | None) -> LiveRun | None:
    """Return the run with this id, if it is listed."""
    return next((run for run in listing.runs if run.id == run_id), None)


def find_marked(listing: Listing, marker: str) -> LiveRun | None:
    """Return the run that bears exactly this marker; of copies the original, the lowest id."""
    # Digests survive whatever a server does to a text, and reading each marker takes long.
    sign = marker.split(" ")[_OWN_TITLE]
    bearers = [run for run in listing.runs if sign in run.description and marker_of(run) == marker]
    return min(bearers, key=lambda run: run.id, default=None)


def marker_of(run: LiveRun) -> str | None:
    """Return a run's marker as text, None when it has none that can be read."""
    marker = read_description(run.description).marker
    return str(marker) if marker else None


def close_objection(
    action: CloseRun, listing: Listing, successor: Successor, *, is_successor_known: bool = True
) -> str:
    """Say why a run must not be closed now; empty when nothing stands against it.

    `listing` shows all runs or the open ones; the run itself must be open in it. `successor` is
    asked for only if one should take the run's place, and when it is known yet.
    """
    run = find_run(listing, action.run_id)
    if run is None or not run.is_open:
        return "is not open any more"
    if marker_of(run) != action.marker:
        return "bears another marker than when the plan was made"
    objection = _work_objection(action, run) or _title_objection(action, run)
    if objection := objection or others_objection(action, listing, successor):
        return objection
    if action.successor_run is not None:
        return _successor_objection(listing, successor) or _kept_objection(action, run, listing)
    needs_successor = action.successor_key is not None and is_successor_known
    return _successor_objection(listing, successor) if needs_successor else ""


def _work_objection(action: CloseRun, run: LiveRun) -> str:
    """Say whether people did anything in a run that the plan did not see."""
    if run.recorded > action.recorded:
        return f"got {run.recorded - action.recorded} more results"
    if action.needs_complete and run.counts.open:
        return f"has {run.counts.open} open cases again"
    if run.counts.results != action.counts.results:
        return "has other results than when the plan was made"
    if (run.time_spent or 0) != (action.time_spent or 0):
        return "had time spent on it since the plan"
    return ""


def _title_objection(action: CloseRun, run: LiveRun) -> str:
    """Say whether a run was renamed since the plan; without a marker any new title is one."""
    marker = read_description(run.description).marker
    is_original = marker is not None and text_digest(run.title) == marker.own_title
    is_renamed = not is_original and normal_form(run.title) != normal_form(action.title)
    return "was renamed since the plan" if is_renamed else ""


def others_objection(action: CloseRun, listing: Listing, successor: Successor) -> str:
    """Say whether other runs make a run, or its successor, not what the plan took it for.

    Closed ones do so as well, and only a list of all runs shows them: the run with the lowest id
    that bears a marker counts, the others are copies.
    """
    if action.marker is None:
        return ""
    first = _first_bearer(action.marker, listing)
    if first is not None and first < action.run_id:
        return f"is a copy by now: run {first} bears its marker and came before it"
    marker = successor.marker or action.successor_marker
    first = _first_bearer(marker, listing) if marker else None
    if first is not None and successor.run_id is not None and first < successor.run_id:
        return f"has no successor: run {first} bears the marker of run {successor.run_id} too"
    run = find_run(listing, action.run_id)
    if run is None or action.is_doubted:
        return ""
    clash = _clash_form(run.title)
    sharing = (r.id for r in listing.runs if r.id != run.id and _clash_form(r.title) == clash)
    other = next(sharing, None)
    return "" if other is None else f"shares its title with run {other} since the plan"


def _first_bearer(marker: str, listing: Listing) -> int | None:
    run = find_marked(listing, marker)
    return run.id if run else None


_clash_form = lru_cache(maxsize=2**15)(clash_form)


def _successor_objection(listing: Listing, successor: Successor) -> str:
    run = find_run(listing, successor.run_id)
    if run is None or not run.is_open:
        return f"has no open successor: run {successor.run_id} is not open"
    if successor.marker is not None and marker_of(run) != successor.marker:
        return f"has no successor: run {run.id} does not bear the marker it was made with"
    return ""


def _kept_objection(action: CloseRun, run: LiveRun, listing: Listing) -> str:
    """Say whether an open successor that was there before is not what the plan saw any more."""
    successor = find_run(listing, action.successor_run)
    if successor is None or action.successor_marker is None:
        return ""
    marker = read_description(successor.description).marker
    if marker is None or str(marker) != action.successor_marker:
        return f"has no successor: run {successor.id} bears another marker than in the plan"
    fault = successor_fault(marker, successor, follows_cases=run.counts.all > 0)
    return f"has no successor: run {successor.id} {fault}" if fault else ""


def twin_objection(run_id: int | None, first: int | None) -> str:
    """Say whether `first`, the lowest id that bears a made run's marker, is another run.

    Unique titles keep two applies from making the same run; a project without them can't.
    """
    if run_id is None or first is None or first >= run_id:
        return ""
    return f"is a second one of this revision: run {first} bears the same marker; close one of them"


def made_objection(action: MakeRun, run: LiveRun | None) -> str:
    """Say what of a made run is not as it was sent; empty when all is, as far as a list shows."""
    if run is None:
        return "is not in the list of open runs"
    differences = _differences(action, run)
    if differences:
        return "was stored with " + ", ".join(differences)
    if run.counts.all == 0 and not action.may_be_empty:
        return "is empty, and the run it follows is not"
    return ""


def _differences(action: MakeRun, run: LiveRun) -> list[str]:
    differences = []
    if marker_of(run) != action.marker:
        differences.append("another marker")
    if action.type is not None and run.type != action.type:
        differences.append(f"type `{run.type}` instead of `{action.type}`")
    if action.milestone_id is not None and run.milestone_id != action.milestone_id:
        differences.append(
            f"milestone {run.milestone_id or 'none'} instead of {action.milestone_id}"
        )
    if action.assignee_id is not None and run.assignee_id != action.assignee_id:
        differences.append(f"assignee {run.assignee_id or 'none'} instead of {action.assignee_id}")
    return differences


def members_objection(expected: Iterable[str], found: Iterable[str]) -> str:
    """Say how the members of a fixed run differ from what they must be; empty when they don't."""
    expected_ids, found_ids = set(expected), set(found)
    if expected_ids == found_ids:
        return ""
    missing, surplus = len(expected_ids - found_ids), len(found_ids - expected_ids)
    return f"has other test cases than it must: {missing} missing, {surplus} too many"
