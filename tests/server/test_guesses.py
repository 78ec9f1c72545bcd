"""A guess is one constant: turning it round turns the behaviour round."""

import pytest
from server.support import Api

from runs_as_code.server import guesses


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch):
    return lambda name: monkeypatch.setattr(guesses, name, not getattr(guesses, name))


def ids(api: Api, query: str = "") -> list[int]:
    return [run["id"] for run in api.get(f"/project/BD/run{query}")["runs"]]


def test_named_cases_may_widen_filters(api: Api, turned):
    turned("TCASE_IDS_NARROW_FILTERS")
    case = api.get("/project/BD/tcase/1")["id"]
    plans = [{"tcaseIds": [case], "folderIds": [3]}]
    members = api.members(api.make_run(kind="static", plans=plans))
    assert {item["seq"] for item in members.values()} == {1, 28, 29, 30, 31, 32}
    alone = api.make_run("Alone", kind="static", plans=[{"tcaseIds": [case]}])
    assert list(api.members(alone)) == [case]


def test_folders_may_stand_for_themselves(api: Api, turned):
    turned("RUN_FOLDERS_INCLUDE_SUBFOLDERS")
    assert len(api.members(api.make_run(plans=[{"folderIds": [2]}]))) == 7


def test_drafts_may_enter_runs(api: Api, turned):
    turned("DRAFTS_ENTER_RUNS")
    draft = api.make_case(isDraft=True)["id"]
    assert draft in api.members(api.make_run())
    named = api.make_run("Named", "static", plans=[{"tcaseIds": [draft]}])
    assert draft in api.members(named)


def test_a_clone_may_inherit(api: Api, turned):
    turned("CLONE_INHERITS_FIELDS")
    source = api.make_run("Source", milestoneId=6, assignmentId=7)
    api.post("/project/BD/run/clone", {"runId": source, "title": "A"})
    api.post("/project/BD/run/clone", {"runId": source, "title": "B", "milestoneId": 5})
    assert (api.run(2)["milestoneId"], api.run(2)["assignmentId"]) == (6, 7)
    assert (api.run(3)["milestoneId"], api.run(3)["assignmentId"]) == (5, 7)


def test_the_list_may_be_otherwise(api: Api, turned):
    for number in range(3):
        api.make_run(f"Run {number}", milestoneId=5 if number else None)
    turned("RUNS_NEWEST_FIRST")
    assert ids(api) == [1, 2, 3]
    turned("RUN_LIMIT_ZERO_IS_NO_LIMIT")
    assert ids(api, "?limit=0") == []
    turned("COUNTERS_OBEY_FILTERS")
    assert api.get("/project/BD/run?milestoneIds=5")["open"] == 3


def test_titles_of_closed_runs_may_be_free(api: Api, turned):
    turned("CLOSED_RUNS_HOLD_TITLES")
    api.close_run(api.make_run("Taken"))
    api.make_run("Taken")


def test_codes_may_ignore_case(api: Api, turned):
    turned("PROJECT_CODES_IGNORE_CASE")
    assert api.get("/project/bd") == api.get("/project/BD")


def test_other_rules_may_be_relaxed(api: Api, turned):
    run = api.make_run()
    api.close_run(run)
    turned("CLOSED_RUNS_TAKE_LOGS")
    api.post(f"/project/BD/run/{run}/log", {"comment": "x"}, status=400)
    turned("MILESTONE_TITLES_ARE_UNIQUE")
    api.post("/project/BD/milestone", {"title": "Sprint 24"}, status=400)
    turned("TAKEN_POSITION_IS_REFUSED")
    api.patch("/project/BD/tcase/21", {"pos": 1})
    turned("EMPTY_PLAN_IS_REFUSED")
    assert len(api.members(api.make_run("All", "static", plans=[{}]))) == 59
