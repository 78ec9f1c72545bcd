"""Approvals name one key of one owner, and the number of closes of the whole call."""

import pytest
from builders import counts, desired, made, manifest, plan_project

OWNERS = ("own-one", "own-two")


def two_owners(**approvals):
    """Plan the same key of two owners, each to be replaced and with a result."""
    files = [
        manifest(desired("smoke", f"New {owner}"), owner=owner, file=f"{owner}.yaml")
        for owner in OWNERS
    ]
    runs = [
        made(number, desired("smoke", f"Old {owner}"), mark={"owner": owner}, counts=counts(2, 1))
        for number, owner in enumerate(OWNERS, 1)
    ]
    return plan_project(files, runs, **approvals).projects


def test_a_key_of_two_owners_is_offered_with_its_owner():
    flags = [b.flag for p in two_owners() for c in p.changes for b in c.blocks]
    assert flags == ["--approve BD/own-one/smoke", "--approve BD/own-two/smoke"]


@pytest.mark.parametrize("name", ["own-one/smoke", "BD/own-one/smoke"])
def test_an_owner_beside_the_key_approves_only_that_one(name):
    one, two = two_owners(keys=frozenset({name}))
    assert (one.is_withheld, two.is_withheld) == (False, True)


def test_the_closes_to_approve_are_those_of_all_owners():
    files = [
        manifest(owner=owner, file=f"{owner}.yaml", prune="close", close=1) for owner in OWNERS
    ]
    runs = [
        made(10 * number + at, desired(f"k{at}", f"Run {number} {at}"), mark={"owner": owner})
        for number, owner in enumerate(OWNERS, 1)
        for at in range(number + 1)
    ]
    plans = plan_project(files, runs, allow_empty=True).projects
    assert {block.flag for plan in plans for block in plan.refusals} == {"--approve-closes 5"}
