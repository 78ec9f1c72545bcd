"""Close a run, after a last look at it: what is closed stays closed."""

from dataclasses import replace

from runs_as_code.engine.checks import Successor, close_objection, find_run, others_objection
from runs_as_code.engine.context import (
    CLOSE_LISTING_AGE,
    LOOK_DELAYS,
    WHOLE_LISTING_AGE,
    Outcome,
    Workplace,
)
from runs_as_code.engine.sending import Gate
from runs_as_code.errors import ExitCode, NotRunError, QarunError, UnknownOutcomeError
from runs_as_code.model.actions import CloseRun
from runs_as_code.model.live import Listing
from runs_as_code.model.provider import Attempt
from runs_as_code.planning.policy import incomplete_listing


async def close_run(
    place: Workplace, gate: Gate, action: CloseRun, successor: Successor
) -> Outcome:
    """Close a run unless something about it changed; on any error read back, closed is done."""

    async def look_and_send(attempt: Attempt) -> Outcome:
        # Each try has a look of its own: people may be at work in the run by now.
        return await _look_and_send(place, action, successor, attempt)

    outcome = await gate.patiently(look_and_send)
    if outcome.is_unknown:
        again = await gate.patiently(look_and_send)
        outcome = again if again.is_done or again.is_unknown else _still_unknown(outcome, again)
    return outcome


async def _look_and_send(
    place: Workplace, action: CloseRun, successor: Successor, attempt: Attempt
) -> Outcome:
    try:
        async with place.stop.limited(0.0):
            objection = await _objection(place, action, successor)
            if objection:
                return await _not_closable(place, action, objection)
        return await _send(place, action, attempt)
    except TimeoutError:  # a signal came, and nothing is sent after it
        return Outcome(is_done=False, pause=0.0)
    except QarunError as error:
        return Outcome(is_done=False, message=error.message, exit_code=error.exit_code)


async def _objection(place: Workplace, action: CloseRun, successor: Successor) -> str:
    """Look whether it may be closed, and once more where an older look objects."""
    if objection := await _others_objection(place, action, successor):
        return objection
    before = place.open_runs.span
    oldest = place.clock.now() - CLOSE_LISTING_AGE
    if place.all_runs.began < oldest:
        await place.open_runs.since(oldest)
    objection = _known_objection(place, action, successor)
    if objection and place.open_runs.span == before:
        await place.open_runs.now()
        objection = _known_objection(place, action, successor)
    return objection


async def _others_objection(place: Workplace, action: CloseRun, successor: Successor) -> str:
    """Look at all runs, for closed ones count here too.

    That list is long, and closed runs are seldom edited, so that one look serves for longer.
    """
    before = place.all_runs.span
    whole = await place.all_runs.since(place.clock.now() - WHOLE_LISTING_AGE)
    objection = _whole_objection(action, whole, successor)
    if objection and place.all_runs.span == before:
        objection = _whole_objection(action, await place.all_runs.now(), successor)
    return objection


def _whole_objection(action: CloseRun, whole: Listing, successor: Successor) -> str:
    if incomplete_listing(whole):
        return "can't be told from a copy: the list of all runs is shorter than its counters"
    return others_objection(action, whole, successor)


def _known_objection(place: Workplace, action: CloseRun, successor: Successor) -> str:
    """Say what stands against a close by all that is known and not surely outdated."""
    found = [close_objection(action, listing, successor) for listing in _last_seen(place)]
    return next((objection for objection in found if objection), "")


def _last_seen(place: Workplace) -> list[Listing]:
    """Return what was seen last, two listings where nobody can tell which saw the later state.

    A listing that somebody else asked for may be the last to know that a successor was closed or
    that people went to work; where it is short it proves nothing.
    """
    listing, whole = place.open_runs.newest, place.all_runs.newest
    seen = [] if listing is None else [listing]
    if whole is None or incomplete_listing(whole):
        return seen
    began, ended = place.open_runs.span
    whole_began, whole_ended = place.all_runs.span
    if whole_ended < began:
        return seen
    return [whole] if ended < whole_began else [*seen, whole]


def _still_unknown(first: Outcome, again: Outcome) -> Outcome:
    """The first request may still be under way, whatever kept the second from being sent."""
    return replace(first, message=f"{first.message}; not sent again: {again.message}")


async def _send(place: Workplace, action: CloseRun, attempt: Attempt) -> Outcome:
    try:
        await place.provider.close_run(action.run_id, attempt)
    except NotRunError as error:
        return Outcome.postponed(error)
    except QarunError as error:  # 403 too: what a second close is answered with is known to nobody
        return await _read_back(place, action, error)
    return Outcome(is_done=True, run_id=action.run_id)


async def _read_back(place: Workplace, action: CloseRun, error: QarunError) -> Outcome:
    is_ambiguous = isinstance(error, UnknownOutcomeError)
    for delay in LOOK_DELAYS if is_ambiguous else LOOK_DELAYS[:1]:
        await place.clock.sleep(delay)
        try:
            listing = await place.all_runs.now()
        except QarunError:
            continue
        run = find_run(listing, action.run_id)
        if run is not None and not run.is_open:
            message = f"confirmed by look-up after: {error.message}"
            # A close that provably did not run was somebody else's.
            is_theirs = not is_ambiguous
            return Outcome(is_done=True, run_id=run.id, message=message, was_there=is_theirs)
    return Outcome(
        is_done=False,
        is_unknown=is_ambiguous,
        message=error.message,
        run_id=action.run_id,
        exit_code=error.exit_code,
    )


async def _not_closable(place: Workplace, action: CloseRun, objection: str) -> Outcome:
    """Tell a run that somebody closed already from one that must not be closed now."""
    listing = await place.all_runs.now()
    run = find_run(listing, action.run_id)
    if run is not None and not run.is_open:
        return Outcome(is_done=True, run_id=run.id, was_there=True)
    return Outcome(
        is_done=False,
        is_stale=True,
        message=f"run {action.run_id} {objection}",
        run_id=action.run_id,
        exit_code=ExitCode.STALE,
    )
