"""Which test cases a selection finds today, and which fixed runs differ from that."""

import pytest
from builders import CATALOG, CLOSED_AT, PLACE, desired, live, made, manifest, query

from runs_as_code.model import membership
from runs_as_code.model.desired import RunType
from runs_as_code.model.drift import Drift, DriftKind, ProjectDrift
from runs_as_code.model.live import Library, LibraryCase, Listing, RunCase
from runs_as_code.model.plan import Approvals, ProjectPlan
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.planning.cases import FixedRun, cases_drift, fixed_runs, selected, with_cases
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner

# 1 has a subfolder 2 with a subfolder 3; 4 stands alone.
LIBRARY = Library(
    (
        LibraryCase("a", 1, 1, "high", frozenset({7})),
        LibraryCase("b", 2, 2, "low", frozenset({7, 8})),
        LibraryCase("c", 3, 3, "high"),
        LibraryCase("d", 4, 4, "medium", frozenset({8})),
        LibraryCase("e", 5, 99, "medium"),
    ),
    {1: 0, 2: 1, 3: 2, 4: 0},
)
STATIC = desired("a", type=RunType.STATIC)


@pytest.mark.parametrize(
    ("plans", "found"),
    [
        ([ResolvedPlan(folder_ids=(1,))], "abc"),
        ([ResolvedPlan(folder_ids=(2, 4))], "bcd"),
        ([ResolvedPlan(folder_ids=(99,))], "e"),
        ([ResolvedPlan(tag_ids=(7, 8))], "abd"),
        ([ResolvedPlan(priorities=("high", "low"))], "abc"),
        ([ResolvedPlan(folder_ids=(1,), tag_ids=(7,), priorities=("low",))], "b"),
        ([ResolvedPlan(tcase_ids=("a", "d"), folder_ids=(1,))], "a"),
        ([ResolvedPlan(tcase_ids=("e",)), ResolvedPlan(folder_ids=(3,))], "ce"),
        ([ResolvedPlan(folder_ids=(5,))], ""),
    ],
)
def test_filters_narrow_each_other_and_plans_add_up(plans, found):
    assert "".join(sorted(selected(plans, LIBRARY))) == found


@pytest.mark.parametrize(
    ("guess", "plan", "found"),
    [
        ("TCASE_IDS_NARROW_FILTERS", ResolvedPlan(tcase_ids=("d",), folder_ids=(3,)), "cd"),
        ("TCASE_IDS_NARROW_FILTERS", ResolvedPlan(tcase_ids=("d",)), "d"),
        ("RUN_FOLDERS_INCLUDE_SUBFOLDERS", ResolvedPlan(folder_ids=(1,)), "a"),
    ],
)
def test_a_guess_turned_round_turns_the_selection(guess, plan, found, monkeypatch):
    monkeypatch.setattr(membership, guess, not getattr(membership, guess))
    assert "".join(sorted(selected([plan], LIBRARY))) == found


def test_folders_in_a_circle_are_no_endless_loop():
    library = Library((LibraryCase("a", 1, 1, "low"),), {1: 2, 2: 1})
    assert set(selected([ResolvedPlan(folder_ids=(2,))], library)) == {"a"}


def members(text):
    return [RunCase(case, " abcdefgh".index(case), case, "open") for case in text]


FIXED = FixedRun("a", live(1, "Run a"), (ResolvedPlan(folder_ids=(1,)),), PLACE)


@pytest.mark.parametrize(
    ("held", "code", "message"),
    [
        ("ab", "BD", "if it were made today, test case BD-003 would join"),
        ("ab", None, "if it were made today, test case 3 would join"),
        (
            "bcfg",
            "BD",
            (
                "if it were made today, test case BD-001 would join;"
                " test cases BD-006, BD-007 would be left out"
            ),
        ),
    ],
)
def test_what_would_be_another_case_today_is_named(held, code, message):
    found = cases_drift(FIXED, members(held), LIBRARY, code)
    assert found == Drift(DriftKind.CASES_CHANGED, "a", FIXED.run, location=PLACE, message=message)


def test_a_run_of_today_s_cases_has_no_drift():
    assert cases_drift(FIXED, members("abc"), LIBRARY, "BD") is None


def test_only_some_of_many_cases_are_named():
    cases = tuple(LibraryCase(str(n), n, 1, "low") for n in range(1, 9))
    found = cases_drift(FIXED, (), Library(cases, {1: 0}), "BD")
    assert found is not None
    assert "BD-001, BD-002, BD-003, BD-004, BD-005 and 3 more would join" in found.message


def fixed(given, *runs):
    project = ProjectInput("embedded", "BD", (given,), Listing(runs))
    plan = ProjectPlanner(project, Approvals()).plan(CATALOG)[0]
    return [one.key for one in fixed_runs(project, plan, CATALOG)]


@pytest.mark.parametrize("run_type", [RunType.STATIC, RunType.STATIC_STRUCT])
def test_open_runs_with_fixed_cases_are_compared(run_type):
    spec = desired("a", type=run_type)
    assert fixed(manifest(spec), made(1, spec)) == ["a"]


@pytest.mark.parametrize(
    ("spec", "run"),
    [
        (desired("a"), made(1, desired("a"))),  # live: the server keeps it up to date
        (STATIC, made(1, STATIC, closed_at=CLOSED_AT)),
        (desired("a", type=RunType.STATIC, folders=(2,)), made(1, STATIC)),  # Git changed it
        (desired("a", type=RunType.STATIC, folders=("Nowhere",)), made(1, STATIC)),
        (desired("b", type=RunType.STATIC), live(1, "Run a")),  # no run yet
    ],
)
def test_others_are_not(spec, run):
    assert fixed(manifest(spec), run) == []


def test_a_list_of_test_cases_finds_the_same_for_ever():
    spec = desired("a", type=RunType.STATIC, query_plans=(query(tcases=("BD-1",)),))
    assert fixed(manifest(spec), made(1, spec)) == []


def test_cases_stand_behind_the_other_drift_of_their_key():
    plan = ProjectPlan("embedded", "BD", "web-team")
    known = (Drift(DriftKind.COPIED, "a"), Drift(DriftKind.COPIED, "b"))
    found = with_cases(ProjectDrift(plan, found=known), [Drift(DriftKind.CASES_CHANGED, "a")])
    assert [(each.key, each.kind.value) for each in found.found] == [
        ("a", "copied"),
        ("a", "cases-changed"),
        ("b", "copied"),
    ]
