"""What a plan says an apply costs is what it costs, while nothing goes wrong."""

import pytest
from unit.engine.support import (
    MOMENT,
    FakeProvider,
    close,
    live,
    make,
    project_plan,
    replacement,
    run_plans,
)

from runs_as_code.model.actions import Action, CloseReason
from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.planning.cost import plan_cost


def replacements(count: int) -> tuple[FakeProvider, ProjectPlan]:
    provider = FakeProvider(*(live(number, f"k{number}") for number in range(1, count + 1)))
    runs = list(provider.runs.values())
    actions: list[Action] = []
    for run in runs:
        actions += replacement(run, f"k{run.id}")
    return provider, project_plan(*actions)


def one(provider: FakeProvider, *actions: Action) -> tuple[FakeProvider, ProjectPlan]:
    return provider, project_plan(*actions)


@pytest.mark.parametrize(
    ("provider", "plan"),
    [
        one(FakeProvider(), make("a")),
        one(FakeProvider(), *(make(f"k{n}") for n in range(30))),
        one(FakeProvider(live(1, "a")), close(1, "a", reason=CloseReason.PRUNED)),
        one(
            FakeProvider(live(1, "a", type="static")),
            make("b", source_run=1, type="static"),
            close(1, "a", cloned_by=("b",)),
        ),
        replacements(1),
        replacements(8),
        replacements(200),
    ],
)
def test_no_more_is_sent_than_was_said(provider: FakeProvider, plan: ProjectPlan) -> None:
    cost = plan_cost(Plan(MOMENT, (plan,)), 20)
    applied = run_plans(provider, plan, verified=True)
    assert applied.report.exit_code == 0
    assert len(provider.writes) == cost.writes
    reads = len(provider.log) - len(provider.writes)
    assert cost.reads / 3 <= reads <= cost.reads


def test_owners_of_one_project_share_its_listings() -> None:
    plans = [project_plan(close(1, "a"), owner="a-team"), project_plan(close(2, "b"), owner="b")]
    both = plan_cost(Plan(MOMENT, tuple(plans)), 20)
    assert both.reads == plan_cost(Plan(MOMENT, (plans[0],)), 20).reads
    assert both.writes == 2
