"""What may be sent again, after which pause, and how often.

A write may be sent again only when it provably did not run: after a 429, or when no connection came
about. Everything else would risk a second run, or a second close. Only reads are repeated here: who
asks for a write waits on its own, to be stopped between two tries, or to look again before one.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from runs_as_code.provider.exchange import Answer, Fault, Request
from runs_as_code.provider.timing import Timing

TRANSIENT = frozenset({408, 500, 502, 503, 504})
TRIES = 4
THROTTLED_TRIES = 6
FIRST_PAUSE = 0.5
FIRST_THROTTLED_PAUSE = 1.0
LONGEST_RETRY_AFTER = 60.0
JITTER = 0.25
BUDGET_SECONDS = 180.0

Outcome = Answer | Fault


async def with_retries(
    request: Request,
    attempt: Callable[[Request], Awaitable[Outcome]],
    timing: Timing,
    throttled: Callable[[float], None] = lambda _seconds: None,
) -> Outcome:
    """Try until the outcome is final or the tries are used up, and return the last outcome.

    `throttled` hears of each pause in seconds that the server asked for by a 429.
    """
    started = timing.clock()

    def is_over(state: RetryCallState) -> bool:
        tries = THROTTLED_TRIES if is_throttled(_last(state)) else TRIES
        late = timing.clock() - started + state.upcoming_sleep > BUDGET_SECONDS
        return late or state.attempt_number >= tries

    def wait(state: RetryCallState) -> float:
        return pause(_last(state), state.attempt_number, timing)

    def before_sleep(state: RetryCallState) -> None:
        if is_throttled(_last(state)):
            throttled(state.upcoming_sleep)

    retrying = AsyncRetrying(
        sleep=timing.sleep,
        retry=retry_if_result(
            lambda outcome: may_repeat(request, outcome) and not request.is_write
        ),
        wait=wait,
        stop=is_over,
        before_sleep=before_sleep,
        retry_error_callback=_last,
    )
    return cast("Outcome", await retrying(cast("Callable[..., Any]", attempt), request))


def may_repeat(request: Request, outcome: Outcome) -> bool:
    """Tell whether sending the request again is both safe and of use."""
    if isinstance(outcome, Fault):
        return not outcome.is_final and not (request.is_write and outcome.was_sent)
    if is_throttled(outcome):
        return True
    return not request.is_write and outcome.status in TRANSIENT


def is_throttled(outcome: Outcome) -> bool:
    """Tell whether the server refused because of too many requests."""
    return isinstance(outcome, Answer) and outcome.is_throttled


def pause(outcome: Outcome, attempt: int, timing: Timing) -> float:
    """Return the seconds to wait after the given attempt, counted from 1."""
    asked = outcome.retry_after if isinstance(outcome, Answer) else None
    seconds = _retry_after(asked, timing.now()) if asked else None
    if seconds is None:
        first = FIRST_THROTTLED_PAUSE if is_throttled(outcome) else FIRST_PAUSE
        seconds = first * 2.0 ** (attempt - 1)
    return seconds * (1.0 + JITTER * timing.random())


def _retry_after(text: str, now: float) -> float | None:
    """Read `Retry-After`, seconds or an HTTP date; None where it says nothing of use."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, now)
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER)


def _until(text: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(now, UTC)).total_seconds()


def _last(state: RetryCallState) -> Outcome:
    if state.outcome is None:  # pragma: no cover -- tenacity asks only after an attempt
        raise AssertionError
    return cast("Outcome", state.outcome.result())
