"""The campaigns are no rubber stamp: a bug planted in the program makes them go red."""

import pytest
from torture.campaigns import SCOPES
from torture.plants import BUGS, planted
from torture.virtually import STORIES, play

SEED = 2
MOST_CASES = 20
GOOD_CASES = 2


def cases(estate, kind, most):
    """Play cases of a kind in all title scopes in turn."""
    for number, scope in zip(range(most), SCOPES * most, strict=False):
        yield play(f"{SEED} {kind} {number}", estate, scope=scope, kind=kind)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(estate, name):
    bug = BUGS[name]
    with planted(name):
        played = cases(estate, bug.kind, MOST_CASES)
        found = next((case for case in played if case.count()[bug.wrong.value]), None)

    assert found, f"{MOST_CASES} cases of `{bug.kind}` found none of the {bug.wrong.value}"


@pytest.mark.parametrize("kind", STORIES)
def test_without_one_nothing_is_found(estate, kind):
    for case in cases(estate, kind, GOOD_CASES):
        assert case.problems == [], case.story
