"""The state machine of a reconcile loop: what is told, and what is not."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Happening,
    Observation,
    Scope,
    Standing,
    Transition,
)
from runs_as_code.planning.standing import advance, condition_of

SCOPE = Scope("embedded", "BD", "web-team")


def seen(word: str, at: float = 1.0) -> Observation:
    kinds = {
        "sync": {},
        "drift": {"drift": {"closed-by-hand": 1}},
        "block": {"blocked": {"has-results": 1}},
        "wait": {"blocked": {"freeze-window": 3}},
        "fail": {"ended": Ended.FAILED, "error": "no answer"},
        "pass": {"ended": Ended.PASSED},
    }
    return Observation(SCOPE, at, **{"ended": Ended.DONE, **kinds[word]})  # type: ignore[arg-type]  # by name


def play(words: Iterable[str]) -> tuple[Standing, list[Transition | None]]:
    standing, told = Standing(), []
    for at, word in enumerate(words, start=1):
        standing, transition = advance(standing, seen(word, at))
        told.append(transition)
    return standing, told


def happenings(words: str) -> list[str]:
    return [str(each.happening) if each else "-" for each in play(words.split())[1]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sync sync", "- -"),
        ("drift drift sync sync", "drift - in-sync -"),
        ("sync drift block drift", "- drift blocked drift"),
        ("sync fail sync", "- - -"),
        ("sync fail fail fail sync sync", "- - failing - healed -"),
        ("fail fail sync", "- failing healed"),
        ("sync fail fail drift", "- - failing drift"),
        ("wait sync", "- -"),
        ("sync wait sync", "- - -"),
        ("sync wait drift wait drift", "- - drift - -"),
        ("sync fail pass fail", "- - - failing"),
        ("pass pass", "- -"),
        ("drift pass sync", "drift - in-sync"),
        ("fail fail pass fail sync", "- failing - - healed"),
    ],
)
def test_only_transitions_are_told(words, told):
    assert happenings(words) == told.split()


def test_a_transition_says_what_was_known_before():
    _, told = play(["sync", "drift", "fail", "fail"])
    assert [(each.before, each.happening) for each in told if each] == [
        (Condition.IN_SYNC, Happening.DRIFT),
        (Condition.DRIFT, Happening.FAILING),
    ]


def test_times_and_failures_are_counted():
    standing, _ = play(["sync", "fail", "fail", "pass"])
    assert (standing.failures, standing.last_round, standing.last_success) == (2, 4, 1)
    assert standing.condition is Condition.FAILING


@pytest.mark.parametrize(
    ("blocked", "drift", "condition"),
    [
        ({}, {}, Condition.IN_SYNC),
        ({"policy": 1}, {}, Condition.WAITING),
        ({"policy": 1, "source-blocked": 1}, {}, Condition.WAITING),
        ({"source-blocked": 1}, {}, Condition.BLOCKED),
        ({"source-of-blocked-clone": 1}, {}, Condition.WAITING),
        ({"source-of-blocked-clone": 1, "source-blocked": 1}, {}, Condition.BLOCKED),
        ({"source-of-blocked-clone": 1, "title-held": 1}, {}, Condition.BLOCKED),
        ({"policy": 1, "title-held": 1}, {}, Condition.BLOCKED),
        ({"policy": 1}, {"copied": 1}, Condition.DRIFT),
        ({"title-held": 1}, {"copied": 1}, Condition.BLOCKED),
    ],
)
def test_the_condition_that_asks_for_most_counts(blocked, drift, condition):
    assert (
        condition_of(Observation(SCOPE, 1, Ended.DONE, blocked=blocked, drift=drift)) is condition
    )


WORDS = st.lists(st.sampled_from(["sync", "drift", "block", "wait", "fail", "pass"]), max_size=30)


@given(WORDS)
def test_nothing_is_told_twice_and_the_last_word_is_right(words):
    standing, told = play(words)
    said = [each.happening for each in told if each]
    as_known = [h if h is not Happening.HEALED else Happening.IN_SYNC for h in said]
    assert all(one is not other for one, other in pairwise(as_known))
    if standing.condition not in {None, Condition.WAITING}:
        assert standing.told is standing.condition
    if said:
        assert as_known[-1].value == standing.told.value


@given(WORDS)
def test_a_success_ends_every_row_of_failures(words):
    standing, _ = play([*words, "sync"])
    assert (standing.failures, standing.condition) == (0, Condition.IN_SYNC)
