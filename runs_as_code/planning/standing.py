"""The state machine of a reconcile loop: from what a round showed to what people should know."""

from dataclasses import replace

from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Happening,
    Observation,
    Standing,
    Transition,
)

FAILURES_TO_TELL = 2
"""Rounds that fail one after the other before that is told: one lost reply alarms nobody."""

_FOLLOWING = frozenset({"source-of-blocked-clone"})
"""What follows from a block of the clone, maybe in another scope, which tells of it."""

_HOLDING = frozenset({"freeze-window", "policy", "source-blocked"})
"""Rules by which nobody has to decide anything; the last one only follows from others."""

_WAITING = frozenset({"freeze-window", "policy"})


def advance(
    standing: Standing, seen: Observation, *, failures_to_tell: int = FAILURES_TO_TELL
) -> tuple[Standing, Transition | None]:
    """Return how a scope stands after a round, and what people should know of that.

    The first time that all is well is told to nobody, and neither is waiting: a restart and a
    freeze window are no news.
    """
    after = _after(standing, seen, failures_to_tell)
    happening = _happening(standing.told, after.condition)
    if seen.ended is Ended.PASSED or after.condition is None:
        return after, None
    if after.condition is not Condition.WAITING:
        after = replace(after, told=after.condition)
    if happening is None:
        return after, None
    return after, Transition(happening, standing.told, seen)


def condition_of(seen: Observation) -> Condition:
    """Return the condition that a round without failure shows: the one that asks for most."""
    rules = set(seen.blocked) - _FOLLOWING
    if rules - _HOLDING or (rules and not rules & _WAITING):
        return Condition.BLOCKED
    if seen.drift:
        return Condition.DRIFT
    return Condition.WAITING if seen.blocked else Condition.IN_SYNC


def _after(standing: Standing, seen: Observation, failures_to_tell: int) -> Standing:
    if seen.ended is Ended.PASSED:
        return replace(standing, last_round=seen.at)
    if seen.ended is Ended.DONE:
        return replace(
            standing,
            condition=condition_of(seen),
            failures=0,
            last_round=seen.at,
            last_success=seen.at,
        )
    failures = standing.failures + 1
    is_failing = failures >= failures_to_tell
    return replace(
        standing,
        condition=Condition.FAILING if is_failing else standing.condition,
        failures=failures,
        last_round=seen.at,
    )


def _happening(told: Condition | None, now: Condition | None) -> Happening | None:
    if now is None or now is told or now is Condition.WAITING:
        return None
    if now is Condition.IN_SYNC:
        if told is None:
            return None
        return Happening.HEALED if told is Condition.FAILING else Happening.IN_SYNC
    return Happening(now.value)
