"""An apply that is killed at any instruction: the next one ends where it would have ended."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from randomworlds import Case, campaign, cases
from toyworld import World, apply_plans

from runs_as_code.model.desired import Limits

ORDERS = st.randoms(use_true_random=False)
NO_LIMITS = Limits(close=1000, percent=100)


@campaign(150)
@given(cases(), ORDERS)
def test_what_was_killed_is_finished_by_the_next_apply(case: Case, order: Random):
    """Limits and empty manifests are left out: they count open runs, and an apply changes those."""
    case = without_limits(case)
    whole, part = case.world.copy(), case.world.copy()
    plan = case.plan()
    assume(plan.actions)
    result = apply_plans(plan.projects, whole, order)
    assume(not result.skipped and not result.unverified)

    stop_after = order.randrange(len(plan.actions) + 1)
    apply_plans(plan.projects, part, order, stop_after)
    apply_plans(case.plan(part).projects, part, order)

    assert what_is_live(part) == what_is_live(whole)
    assert closed_runs(case, part) == closed_runs(case, whole)
    assert case.plan(part).actions == ()


def without_limits(case: Case) -> Case:
    manifests = tuple(replace(manifest, limits=NO_LIMITS) for manifest in case.manifests)
    return replace(case, manifests=manifests, approvals=case.approvals | {"allow_empty": True})


def what_is_live(world: World) -> Counter[Any]:
    """Return the runs without their ids, which depend on the order of the actions."""
    return Counter(
        (
            run.title,
            run.description,
            run.type,
            run.milestone_id,
            run.assignee_id,
            run.counts,
            run.is_open,
        )
        for run in world.runs.values()
    )


def closed_runs(case: Case, world: World) -> set[int]:
    return {run_id for run_id in case.world.runs if not world.runs[run_id].is_open}
