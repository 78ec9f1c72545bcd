"""Which cases a run has, in which version, and when that stops changing."""

from typing import Any

import pytest
from server.support import Api
from sqlalchemy import select

from runs_as_code.server.rules.cases import move_case
from runs_as_code.server.store import clock
from runs_as_code.server.store.tables import tcase

TYPES = ["static", "static_struct", "live"]


def move(api: Api, case_id: str, folder: int) -> None:
    """Move a case as people do in the web page."""
    with api.app.state.store.writing() as connection:
        row = connection.execute(select(tcase).where(tcase.c.id == case_id)).one()
        move_case(connection, row, folder)


def seqs(api: Api, run: int) -> set[int]:
    return {item["seq"] for item in api.members(run).values()}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"folderIds": [3]}, {28, 29, 30, 31, 32}),
        ({"folderIds": [2, 3]}, set(range(21, 33))),
        ({"folderIds": [2]}, set(range(21, 33))),
        ({"folderIds": [2], "tagIds": [1]}, {21, 22, 28, 32}),
        ({"folderIds": [2], "tagIds": [1, 4]}, {21, 22, 27, 28, 32}),
        ({"folderIds": [2], "tagIds": [1], "priorities": ["high"]}, {21, 22, 28, 32}),
        ({"folderIds": [2], "priorities": ["low", "medium"]}, {23, 24, 25, 27, 30, 31}),
    ],
)
def test_filters_narrow_each_other_and_their_values_widen(
    api: Api, kind: str, plan: dict[str, Any], expected: set[int]
):
    run = api.make_run(kind=kind, plans=[plan])
    assert seqs(api, run) == expected
    assert api.run(run)["statusCounts"]["all"] == len(expected)


def test_plans_of_a_live_run_are_a_union(api: Api):
    plans = [{"folderIds": [3]}, {"folderIds": [2], "priorities": ["low"]}]
    assert seqs(api, api.make_run(plans=plans)) == {27, 28, 29, 30, 31, 32}


def test_named_cases_are_narrowed_by_filters(api: Api):
    ids = [api.get(f"/project/BD/tcase/{seq}")["id"] for seq in (21, 23)]
    run = api.make_run(kind="static", plans=[{"tcaseIds": ids, "tagIds": [1]}])
    assert seqs(api, run) == {21}


def test_cases_enter_and_leave_live_runs_only(api: Api):
    runs = {kind: api.make_run(kind, kind, plans=[{"folderIds": [3]}]) for kind in TYPES}
    new = api.make_case(folder=3)["seq"]
    assert new in seqs(api, runs["live"])
    assert new not in seqs(api, runs["static"])
    assert new not in seqs(api, runs["static_struct"])
    leaver = api.get("/project/BD/tcase/28")["id"]
    move(api, leaver, 6)
    assert leaver not in api.members(runs["live"])
    assert api.members(runs["static"])[leaver]["folderId"] == 6
    assert api.members(runs["static_struct"])[leaver]["folderId"] == 6


def test_tags_and_priorities_of_today_decide_in_live_runs(api: Api):
    run = api.make_run(plans=[{"folderIds": [2], "tagIds": [1], "priorities": ["high"]}])
    assert 21 in seqs(api, run)
    api.patch("/project/BD/tcase/21", {"tags": ["regression"]})
    assert 21 not in seqs(api, run)
    api.patch("/project/BD/tcase/21", {"tags": ["regression", "smoke"]})
    assert 21 in seqs(api, run)
    api.patch("/project/BD/tcase/21", {"priority": "low"})
    assert 21 not in seqs(api, run)


def test_a_case_that_comes_back_has_kept_its_result(api: Api):
    run = api.make_run(plans=[{"folderIds": [2], "tagIds": [1]}])
    api.result(run, 21, "failed")
    api.patch("/project/BD/tcase/21", {"tags": []})
    assert api.run(run)["statusCounts"]["failed"] == 0
    api.patch("/project/BD/tcase/21", {"tags": ["smoke"]})
    assert api.run(run)["statusCounts"]["failed"] == 1
    assert api.get(f"/project/BD/run/{run}/tcase/21")["status"] == "failed"


def test_templates_and_drafts_enter_no_run(api: Api):
    template = api.make_case("Template", type="template")["id"]
    draft = api.make_case("Draft", isDraft=True)["id"]
    for kind in TYPES:
        members = api.members(api.make_run(kind, kind))
        assert members
        assert template not in members
        assert draft not in members
    published = api.get("/project/BD/tcase/21")["id"]
    for kind, case in (("template", template), ("draft", draft)):
        for named in ([case], [published, case]):
            run = {"title": "x", "queryPlans": [{"tcaseIds": named}]}
            message = {"message": f"{kind} test cases can't be added to a run"}
            assert api.post("/project/BD/run", run | {"type": "static"}, status=400) == message
            assert api.post("/project/BD/plan", {"title": "x", "runs": [run]}, 400) == message
    api.patch(f"/project/BD/tcase/{draft}", {"isDraft": False})
    assert list(api.members(api.make_run("y", "static", plans=[{"tcaseIds": [draft]}]))) == [draft]


def test_updates_reach_open_cases_of_live_and_struct_runs_only(api: Api):
    runs = {kind: api.make_run(kind, kind) for kind in TYPES}
    api.patch("/project/BD/tcase/21", {"title": "New title"})
    seen = {kind: api.get(f"/project/BD/run/{run}/tcase/21") for kind, run in runs.items()}
    assert {kind: item["version"] for kind, item in seen.items()} == {
        "static": 1,
        "static_struct": 2,
        "live": 2,
    }
    assert seen["live"]["title"] == "New title"
    assert seen["static"]["title"] == "Dish is added to the cart"
    assert not seen["static"]["isLatestVersion"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_status_that_is_not_open_fixes_the_version(api: Api, kind: str):
    run = api.make_run(kind=kind)
    api.result(run, 21, "failed")
    api.patch("/project/BD/tcase/21", {"title": "New title"})
    seen = api.get(f"/project/BD/run/{run}/tcase/21")
    assert (seen["version"], seen["title"]) == (1, "Dish is added to the cart")
    api.result(run, 21, "passed")
    assert api.get(f"/project/BD/run/{run}/tcase/21")["version"] == 1


@pytest.mark.parametrize(("kind", "version"), [("static", 1), ("static_struct", 2), ("live", 2)])
def test_a_case_set_back_to_open_follows_again(api: Api, kind: str, version: int):
    run = api.make_run(kind=kind)
    api.result(run, 21, "failed")
    api.patch("/project/BD/tcase/21", {"title": "New title"})
    api.result(run, 21, "open")
    assert api.get(f"/project/BD/run/{run}/tcase/21")["version"] == version


@pytest.mark.parametrize("kind", TYPES)
def test_folder_and_position_follow_until_the_run_is_closed(api: Api, kind: str):
    run = api.make_run(kind=kind, plans=[{"folderIds": [2, 3]}])
    case = api.get("/project/BD/tcase/21")["id"]
    api.result(run, 21)
    move(api, case, 3)
    assert api.members(run)[case]["folderId"] == 3
    api.close_run(run)
    before = api.members(run)
    listed = api.run(run)
    move(api, case, 6)
    api.patch("/project/BD/tcase/22", {"title": "New", "tags": [], "priority": "low"})
    api.patch("/project/BD/tcase/23", {"pos": 77})
    api.make_case(folder=3)
    assert api.members(run) == before
    assert api.run(run) == listed


@pytest.mark.parametrize("kind", TYPES)
def test_a_closed_run_shows_its_cases_in_full_as_they_were(api: Api, kind: str):
    old, new = (api.make_case(precondition={"text": "Signed in"})["id"] for _ in range(2))
    run = api.make_run(kind=kind)
    api.result(run, old, "failed")
    for title in ("Twice", "Thrice"):
        api.patch(f"/project/BD/tcase/{old}", {"title": title})
    paths = [f"/project/BD/run/{run}/tcase/{case}" for case in (old, new)]
    opened = [api.get(path) for path in paths]
    assert [item["isLatestVersion"] for item in opened] == [False, True]
    api.close_run(run)
    assert [api.get(path) for path in paths] == opened
    for case in (old, new):
        api.patch(f"/project/BD/tcase/{case}", {"title": "New", "precondition": {"text": "x"}})
    assert [api.get(path) for path in paths] == opened


def test_an_update_in_the_moment_of_a_close_comes_after_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clock, "now", lambda: "2026-01-01T00:00:00.000Z")
    run = api.make_run()
    path = f"/project/BD/run/{run}/tcase/21"
    api.patch("/project/BD/tcase/21", {"title": "Before"})
    api.close_run(run)
    closed = api.get(path)
    assert (closed["title"], closed["isLatestVersion"]) == ("Before", True)
    api.patch("/project/BD/tcase/21", {"title": "After"})
    assert api.get(path) == closed


def test_a_precondition_is_as_old_as_its_version(api: Api):
    case = api.make_case(precondition={"text": "Signed in"})["id"]
    run = api.make_run(kind="static")
    path = f"/project/BD/run/{run}/tcase/{case}"
    before = api.get(path)["precondition"]
    api.patch(f"/project/BD/tcase/{case}", {"precondition": {"text": "Signed out"}})
    assert api.get(path)["precondition"] == before
    newest = api.get(f"/project/BD/tcase/{case}")
    assert newest["precondition"]["updatedAt"] == newest["updatedAt"]


def test_a_closed_live_run_keeps_a_result_of_a_case_that_had_left_out(api: Api):
    run = api.make_run(plans=[{"folderIds": [2], "tagIds": [1]}])
    api.result(run, 21)
    api.patch("/project/BD/tcase/21", {"tags": []})
    api.close_run(run)
    api.patch("/project/BD/tcase/21", {"tags": ["smoke"]})
    assert seqs(api, run) == {22, 28, 32}
    assert api.run(run)["statusCounts"]["all"] == 3


def test_an_empty_selection_makes_an_empty_run(api: Api):
    run = api.make_run(kind="static", plans=[{"folderIds": [6], "tagIds": [3]}])
    assert api.members(run) == {}
    api.close_run(run)
    assert api.run(run)["statusCounts"]["all"] == 0


def test_run_cases_come_in_the_order_of_folder_and_position(api: Api):
    run = api.make_run(plans=[{"folderIds": [1, 2]}])
    order = [(item["folderId"], item["pos"]) for item in api.members(run).values()]
    assert order == sorted(order)


def test_folders_are_shown_on_request(api: Api):
    run = api.make_run()
    items = api.get(f"/project/BD/run/{run}/tcase?include=folder")["tcases"]
    folder = items[0]["folder"]
    assert {name: folder[name] for name in ("id", "parentId", "title", "pos")} == {
        "id": 2,
        "parentId": 0,
        "title": "Cart",
        "pos": 1,
    }
    assert "folder" not in api.get(f"/project/BD/run/{run}/tcase")["tcases"][0]
    assert list(items[0])[:12] == [
        "id",
        "version",
        "legacyId",
        "type",
        "folderId",
        "pos",
        "seq",
        "title",
        "priority",
        "status",
        "isAutomated",
        "isEmpty",
    ]
