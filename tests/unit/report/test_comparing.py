"""How two plans differ, action by action."""

import time
from dataclasses import replace

from runs_as_code.model.actions import Action, CloseReason, CloseRun, MakeRun
from runs_as_code.model.live import StatusCounts
from runs_as_code.model.plan import Change, Outcome, Plan, ProjectPlan, Reason
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.model.restraint import FreezeWindow, Policy
from runs_as_code.report.comparing import compare_plans

MAKE = MakeRun(
    "smoke",
    2,
    "[qarun:1 a]",
    "Smoke",
    "[qarun:1 a]",
    "static",
    milestone_id=5,
    query_plans=(ResolvedPlan(folder_ids=(1, 2)),),
    members=("a", "b"),
    known_runs=(7, 8),
)
CLOSE = CloseRun(
    "smoke", 8, "Smoke", CloseReason.REPLACED, "[qarun:1 b]", counts=StatusCounts(3, 3)
)
HEAD = "Server embedded, project BD, owner web-team"


def plan(*actions: Action, project: str = "BD") -> Plan:
    change = Change("smoke", Outcome.CREATE, Reason.NOT_FOUND, "Smoke", actions=actions)
    return Plan("now", (ProjectPlan("embedded", project, "web-team", (change,)),))


def test_equal_plans_have_no_lines():
    assert compare_plans(plan(MAKE, CLOSE), plan(CLOSE, MAKE)) == []


def test_the_order_of_what_has_none_and_the_number_of_cases_do_not_matter():
    turned = replace(MAKE, members=("b", "a"), known_runs=(8, 7))
    grown = replace(CLOSE, counts=StatusCounts(5, 5))
    assert compare_plans(plan(MAKE, CLOSE), plan(turned, grown)) == []


def test_results_that_came_meanwhile_are_told():
    worked_on = replace(CLOSE, counts=StatusCounts(4, 1, 2), time_spent=9)
    assert compare_plans(plan(CLOSE), plan(worked_on)) == [
        HEAD,
        "  ~ close:8: time_spent: (none) -> 9",
        "  ~ close:8: counts.other: 0 -> 1",
        "  ~ close:8: counts.passed: 0 -> 2",
    ]


def test_what_came_and_went_is_named():
    other = replace(CLOSE, run_id=9)
    assert compare_plans(plan(CLOSE), plan(MAKE, other)) == [
        HEAD,
        "  - close:8: not any more",
        "  + close:9: new",
        "  + make:smoke: new",
    ]


def test_what_changed_is_shown_field_by_field():
    changed = replace(
        MAKE,
        title="Smoke\x1b[31m",
        milestone_id=None,
        assignee_id=7,
        query_plans=(ResolvedPlan(folder_ids=(1, 2), tag_ids=(3,)),),
        members=("b", "c"),
    )
    assert sorted(compare_plans(plan(MAKE), plan(changed))) == sorted(
        [
            HEAD,
            "  ~ make:smoke: assignee_id: (none) -> 7",
            "  ~ make:smoke: members: (none) -> c",
            "  ~ make:smoke: members: a -> (none)",
            "  ~ make:smoke: milestone_id: 5 -> (none)",
            "  ~ make:smoke: query_plans: (none) -> folder_ids 1, 2; tag_ids 3",
            "  ~ make:smoke: query_plans: folder_ids 1, 2 -> (none)",
            r"  ~ make:smoke: title: Smoke -> Smoke\x1b[31m",
        ]
    )


def test_projects_are_told_apart():
    lines = compare_plans(plan(CLOSE), plan(CLOSE, project="BX"))
    assert lines == [
        HEAD,
        "  - close:8: not any more",
        HEAD.replace("BD", "BX"),
        "  + close:8: new",
    ]


def test_thousands_of_test_cases_take_no_time():
    before = replace(MAKE, members=tuple(f"case{n:05}" for n in range(5_000)))
    after = replace(MAKE, members=tuple(f"case{n:05}" for n in range(2_500, 7_500)))
    started = time.monotonic()
    lines = compare_plans(plan(before), plan(after))
    assert len(lines) == 1 + 5_000
    assert time.monotonic() - started < 20


def test_what_bounds_an_apply_is_compared():
    (project,) = plan(MAKE).projects
    window = FreezeWindow("16:00", "08:00", ("fri",), "Europe/Zurich")
    bound = replace(project, policy=Policy.NO_CLOSE, freeze=(window,))
    assert compare_plans(plan(MAKE), Plan("now", (bound,))) == [
        HEAD,
        "  ~ policy: sync -> no-close",
        "  ~ freeze: (none) -> fri 16:00 to 08:00 Europe/Zurich",
    ]
