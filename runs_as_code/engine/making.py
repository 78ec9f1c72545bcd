"""Make a run exactly once, whatever happens to the reply.

The title is unique, so a second POST of the same run can't make a second one; the marker in the
description tells whose run bears the title.
"""

from dataclasses import replace

from runs_as_code.engine.checks import (
    find_marked,
    find_run,
    made_objection,
    members_objection,
    twin_objection,
)
from runs_as_code.engine.context import LOOK_DELAYS, SEEN_DELAYS, Outcome, Workplace
from runs_as_code.engine.sending import Gate
from runs_as_code.errors import (
    ConflictError,
    ExitCode,
    NotRunError,
    QarunError,
    UnknownOutcomeError,
)
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.desired import RunType
from runs_as_code.model.live import Listing, LiveRun
from runs_as_code.model.marking import read_description
from runs_as_code.model.provider import Attempt, RunFields
from runs_as_code.model.text import clash_form
from runs_as_code.planning.ownership import ProjectRuns
from runs_as_code.planning.policy import incomplete_listing


async def make_run(place: Workplace, gate: Gate, action: MakeRun, source_id: int | None) -> Outcome:
    """Create or clone a run; after an unknown outcome look for it, and send it once more."""

    async def send(attempt: Attempt) -> Outcome:
        return await _send(place, action, source_id, attempt)

    outcome = await gate.patiently(send)
    if outcome.is_unknown and outcome.is_absent:
        # Harmless even if the first one arrives late: the title is taken then.
        again = await gate.patiently(send)
        is_settled = again.is_done or again.is_unknown or again.run_id is not None
        outcome = again if is_settled else _still_unknown(outcome, again)
    return outcome


def _still_unknown(first: Outcome, again: Outcome) -> Outcome:
    """The first request may still be under way, whatever kept the second from running."""
    how = "not sent again" if again.is_withheld else "sent again"
    return replace(first, message=f"{first.message}; {how}: {again.message}")


async def _send(
    place: Workplace, action: MakeRun, source_id: int | None, attempt: Attempt
) -> Outcome:
    fields = RunFields(action.title, action.description, action.milestone_id, action.assignee_id)
    try:
        if action.is_clone:
            run_id = await place.provider.clone_run(source_id or 0, fields, attempt)
        else:
            run_id = await place.provider.create_run(
                fields, str(action.type), action.query_plans, attempt
            )
    except ConflictError as error:
        return await _resolve_conflict(place, action, error)
    except UnknownOutcomeError as error:
        return await _look(place, action, error)
    except NotRunError as error:
        return Outcome.postponed(error)
    except QarunError as error:
        return Outcome(is_done=False, message=error.message, exit_code=error.exit_code)
    return Outcome(is_done=True, run_id=run_id)


async def _resolve_conflict(place: Workplace, action: MakeRun, error: ConflictError) -> Outcome:
    """Find out whose run bears the title that the server says is taken."""
    problem = "the server does not list it"
    for delay in LOOK_DELAYS:
        await place.clock.sleep(delay)
        try:
            listing = await place.all_runs.now()
        except QarunError as failure:
            problem = f"what is live can't be read: {failure.message}"
            continue
        ours = find_marked(listing, action.marker)
        if ours is not None:
            return Outcome(is_done=True, run_id=ours.id, was_there=True)
        holder = find_run(listing, error.run_id)
        if holder is not None:
            return Outcome(
                is_done=False,
                message=_lost_to(action, holder),
                run_id=holder.id,
                exit_code=ExitCode.ERROR,
            )
    # It may be the very run of an earlier try whose reply was lost.
    return Outcome(
        is_done=False,
        is_unknown=True,
        message=f"the title is taken by run {error.run_id}, and {problem}",
        exit_code=ExitCode.ERROR,
    )


async def _look(place: Workplace, action: MakeRun, error: UnknownOutcomeError) -> Outcome:
    """Look for a run whose create may or may not have run."""
    is_absent = False
    for delay in LOOK_DELAYS:
        await place.clock.sleep(delay)
        is_absent = False
        try:
            listing = await place.all_runs.now()
        except QarunError:
            continue
        is_absent = not incomplete_listing(listing)
        ours = find_marked(listing, action.marker)
        if ours is not None:
            message = "confirmed by look-up after the reply was lost"
            return Outcome(is_done=True, run_id=ours.id, message=message)
        rival = _rival(action, listing)
        if rival is not None:
            return Outcome(
                is_done=False,
                message=_lost_to(action, rival),
                run_id=rival.id,
                exit_code=ExitCode.ERROR,
            )
    return Outcome(
        is_done=False,
        is_unknown=True,
        is_absent=is_absent,
        message=f"{error.message}; it did not show up in the list: look for `{action.title}`"
        " in the web page, then plan again",
        exit_code=error.exit_code,
    )


def _rival(action: MakeRun, listing: Listing) -> LiveRun | None:
    """Find a run that took the title or the key's next revision meanwhile."""
    ours = read_description(action.marker).marker
    clash = clash_form(action.title)
    for marked in ProjectRuns(listing.runs).all:
        if marked.run.id in action.known_runs:
            continue
        marker = marked.marker
        is_same_key = ours and marker and (marker.owner, marker.key) == (ours.owner, ours.key)
        # A copy that somebody made of an older run says nothing about this one.
        if (is_same_key and not marked.is_copy) or marked.clash == clash:
            return marked.run
    return None


def _lost_to(action: MakeRun, holder: LiveRun) -> str:
    marker = read_description(holder.description).marker
    ours = read_description(action.marker).marker
    if marker and ours and (marker.owner, marker.key) == (ours.owner, ours.key):
        return (
            f"lost the race: run {holder.id} of the same key was made from another plan; plan again"
        )
    whose = f"owner `{marker.owner}`, key `{marker.key}`" if marker else "nobody's marker"
    return f"the title is taken by run {holder.id} with {whose}"


async def verify_made(place: Workplace, action: MakeRun, run_id: int, source_id: int | None) -> str:
    """Prove a made run in the list; return what is wrong with it, empty when nothing is.

    For fixed types the members must equal the source's, or the declared test cases.
    """
    moment = place.clock.now()
    listing = await place.open_runs.since(moment)
    for delay in SEEN_DELAYS:
        if find_run(listing, run_id) is not None:
            break
        await place.clock.sleep(delay)
        listing = await place.open_runs.now()
    run = find_run(listing, run_id)
    first = find_marked(listing, action.marker)
    objection = made_objection(action, run) or twin_objection(run_id, first.id if first else None)
    if objection or run is None or run.type == RunType.LIVE:
        return objection
    return await _members_objection(place, action, run_id, source_id)


async def _members_objection(
    place: Workplace, action: MakeRun, run_id: int, source_id: int | None
) -> str:
    if action.is_clone and source_id is not None:
        expected = await _members(place, source_id)
    elif action.members is not None:
        expected = list(action.members)
    else:
        return ""
    return members_objection(expected, await _members(place, run_id))


async def _members(place: Workplace, run_id: int) -> list[str]:
    async with place.reading():
        return [case.id for case in await place.provider.list_run_cases(run_id)]
