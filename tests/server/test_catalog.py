"""Projects, folders, tags, milestones and users."""

import pytest
from server.conftest import Start
from server.support import Api


def test_the_demo_project_is_a_food_delivery_shop(api: Api):
    assert [item["code"] for item in api.get("/project")["projects"]] == ["BD"]
    assert api.get("/project/BD")["title"] == "Bistro Delivery"
    assert api.get("/project/BD/tcase/count") == {"count": 59}
    assert api.get("/project/BD/tag")["tags"][0]["title"] == "smoke"
    assert {item["role"] for item in api.get("/users")["users"]} == {
        "owner",
        "admin",
        "user",
        "test-runner",
        "viewer",
    }
    assert api.get("/project/BD/run") == {"runs": [], "closed": 0, "open": 0}


def test_a_new_project_has_a_default_folder(api: Api):
    made = api.post("/project", {"code": "ZZ", "title": "Other"})
    assert api.get("/project/ZZ")["id"] == made["id"]
    assert api.get("/project/ZZ/tcase/folders")["total"] == 1
    api.post("/project", {"code": "YY", "title": "Bare", "skipDefaultFolder": True})
    assert api.get("/project/YY/tcase/folders")["data"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"code": "BD"}, 409),
        ({"code": "B"}, 400),
        ({"code": "BDBDBD"}, 400),
        ({"code": "B-D"}, 400),
        ({"title": ""}, 400),
        ({"title": "x" * 256}, 400),
        ({"links": [{"text": "", "url": "u"}]}, 400),
    ],
)
def test_bad_projects_are_refused(api: Api, change: dict[str, object], status: int):
    api.post("/project", {"code": "ZZ", "title": "Other"} | change, status=status)
    assert len(api.get("/project")["projects"]) == 1


def test_folders_are_made_along_a_path_once(api: Api):
    path = "/project/BD/tcase/folder/bulk"
    body = {
        "folders": [
            {"path": ["Cart", "Discounts", "Staff"], "comment": "c"},
            {"path": ["Cart"]},
            {"path": ["A/B"]},
        ]
    }
    made = api.post(path, body, status=200)["ids"]
    assert made == [[2, 3, 13], [2], [14]]
    assert api.post(path, body, status=200)["ids"] == made
    folder = api.get("/project/BD/tcase/folders?search=staff")["data"][0]
    assert (folder["parentId"], folder["comment"]) == (3, "c")
    api.post(path, {"folders": [{"path": ["Cart", "Discounts", "Staff"]}]}, status=200)
    assert api.get("/project/BD/tcase/folders?search=staff")["data"][0]["comment"] == "c"


@pytest.mark.parametrize("path", [[], [""], ["x" * 256]])
def test_bad_folder_paths_are_refused(api: Api, path: list[str]):
    api.post("/project/BD/tcase/folder/bulk", {"folders": [{"path": path}]}, status=400)


def test_folders_come_in_pages_of_both_styles(api: Api):
    everything = api.get("/project/BD/tcase/folders")
    assert everything | {"data": None} == {"data": None, "total": 12, "page": 0, "limit": 0}
    old = api.get("/project/BD/tcase/folders?page=2&limit=5")
    new = api.get("/project/BD/tcase/folders?offset=5&limit=5")
    assert [item["id"] for item in old["data"]] == [6, 7, 8, 9, 10]
    assert old["data"] == new["data"]
    assert (old["page"], old["limit"], old["total"]) == (2, 5, 12)
    assert (new["page"], new["offset"], new["limit"]) == (0, 5, 5)
    assert api.get("/project/BD/tcase/folders?offset=5&limit=5&page=9")["data"] == new["data"]
    assert api.get("/project/BD/tcase/folders?limit=0")["data"] == []
    assert len(api.get("/project/BD/tcase/folders?page=1")["data"]) == 10
    assert api.get("/project/BD/tcase/folders?page=99999999999999999&limit=5")["data"] == []


def test_folders_are_sorted(api: Api):
    def titles(query: str) -> list[str]:
        found = api.get(f"/project/BD/tcase/folders?{query}")["data"]
        return [item["title"] for item in found]

    assert titles("sortField=title") == sorted(titles(""))
    assert titles("sortField=title&sortOrder=desc") == sorted(titles(""), reverse=True)
    api.get("/project/BD/tcase/folders?sortOrder=desc", 400)
    api.get("/project/BD/tcase/folders?sortField=color", 400)


def test_tags_may_count_their_cases(api: Api):
    tags = api.get("/project/BD/tag?include=tcaseCount&sortField=title")["tags"]
    assert [item["title"] for item in tags] == sorted(item["title"] for item in tags)
    smoke = next(item for item in tags if item["title"] == "smoke")
    assert smoke == {"id": 1, "title": "smoke", "tcaseCount": 16}


def test_milestones_are_listed_by_state(api: Api):
    def titles(query: str) -> list[str]:
        found = api.get(f"/project/BD/milestone{query}")["milestones"]
        return [item["title"] for item in found]

    assert titles("?archived=false") == ["Sprint 23", "Sprint 24", "Release 2.4"]
    assert titles("?archived=true") == ["Sprint 22"]
    assert len(titles("")) == 4
    made = api.post("/project/BD/milestone", {"title": "Sprint 25"})["id"]
    assert made == 8
    assert titles("")[-1] == "Sprint 25"
    api.post("/project/BD/milestone", {"title": ""}, status=400)


def test_user_ids_may_be_left_out(start: Start):
    assert "id" in start().get("/users")["users"][0]
    assert "id" not in start(has_user_ids=False).get("/users")["users"][0]
