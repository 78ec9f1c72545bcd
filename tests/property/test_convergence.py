"""What an apply leads to: from any state one is enough, and its plan is a pure function."""

from dataclasses import replace
from random import Random

from builders import CATALOG, PROJECT, SERVER, plan_project
from hypothesis import assume, given
from hypothesis import strategies as st
from randomworlds import Case, campaign, cases, decisions
from toyworld import apply_plans

from runs_as_code.model.live import Catalog, Listing
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner

ORDERS = st.randoms(use_true_random=False)


@campaign(150)
@given(cases(), ORDERS)
def test_one_apply_is_enough(case: Case, order: Random):
    before = case.plan()
    world = case.world.copy()

    applied = apply_plans(before.projects, world, order)

    assume(not applied.skipped and not applied.unverified)
    after = case.plan(world)
    assert after.actions == ()
    assert withheld_rules(before, after) == withheld_rules(before, before)
    assert case.plan(world) == after


@campaign(50)
@given(cases(), ORDERS)
def test_a_server_that_stores_something_else_ends_the_same_way(case: Case, order: Random):
    """What is not verified is not built upon; the next apply goes on from there, and it ends."""
    world = replace(case.world.copy(), ignores_assignee=True)
    rounds = sum(len(manifest.runs) for manifest in case.manifests) + 1

    for _ in range(rounds):
        apply_plans(case.plan(world).projects, world, order)

    assert case.plan(world).actions == ()


@campaign(50)
@given(cases(), ORDERS)
def test_the_order_of_the_input_changes_nothing(case: Case, order: Random):
    plan = case.plan()
    manifests = [
        replace(manifest, runs=tuple(order.sample(manifest.runs, len(manifest.runs))))
        for manifest in order.sample(case.manifests, len(case.manifests))
    ]
    runs = list(case.world.runs.values())
    listing = Listing(tuple(order.sample(runs, len(runs))))

    shuffled = plan_project(manifests, listing=listing, left_out=case.left_out, **case.approvals)

    assert repr(shuffled) == repr(plan)
    assert plan_digest(shuffled) == plan_digest(plan)
    assert repr(case.plan()) == repr(plan)


@campaign(50)
@given(cases())
def test_the_names_that_a_plan_asks_for_are_all_it_needs(case: Case):
    approvals = Approvals(**case.approvals)
    project = ProjectInput(
        SERVER, PROJECT, case.manifests, case.world.listing(), left_out=case.left_out
    )
    planner = ProjectPlanner(project, approvals)
    needed = planner.names_needed()
    little = Catalog(
        milestones=CATALOG.milestones if needed.milestones else None,
        folders=CATALOG.folders if needed.folders else None,
        tags=CATALOG.tags if needed.tags else None,
        users=tuple(user for user in CATALOG.users or () if user.name in needed.users),
    )

    plans = planner.plan(little)

    assert [decisions(p) for p in plans] == [decisions(p) for p in planner.plan(CATALOG)]


def withheld_rules(before: Plan, plan: Plan) -> list[object]:
    """Return what `plan` says of the keys that are withheld in `before`, and its refusals."""
    return [
        (
            plan_of.owner,
            {refusal.rule for refusal in plan_of.refusals},
            {
                change.key: (change.outcome, {block.rule for block in change.blocks})
                for change in plan_of.changes
                if change.key in {c.key for c in project.changes if c.is_withheld}
            },
        )
        for project, plan_of in zip(before.projects, plan.projects, strict=True)
    ]
