"""Test cases: list, one, count, markers, create, update, bulk."""

import re

import pytest
from server.support import Api


def seqs(api: Api, query: str) -> list[int]:
    return [item["seq"] for item in api.get(f"/project/BD/tcase?{query}")["data"]]


def test_a_case_is_created_with_id_and_sequence_number(api: Api):
    made = api.make_case("New", tags=["smoke", "brand-new"], comment="c", folder=3)
    assert made["seq"] == 60
    case = api.get(f"/project/BD/tcase/{made['id']}")
    assert [item["title"] for item in case["tags"]] == ["smoke", "brand-new"]
    assert [item["title"] for item in case["path"]] == ["Cart", "Discounts"]
    assert (case["version"], case["pos"], case["comment"]) == (1, 5, "c")
    assert case["isEmpty"]
    assert "brand-new" in [item["title"] for item in api.get("/project/BD/tag")["tags"]]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"title": ""}, 400),
        ({"title": "x" * 512}, 400),
        ({"folderId": 0}, 400),
        ({"folderId": 99}, 400),
        ({"folderId": "1"}, 400),
        ({"priority": "urgent"}, 400),
        ({"type": "filled"}, 400),
        ({"pos": -1}, 400),
        ({"pos": 2**31}, 400),
        ({"pos": 0}, 409),
        ({"customFields": []}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"parameterValues": [{"values": {"card": "Visa"}}]}, 400),
        ({"filledTCaseTitleSuffixParams": ["card"]}, 400),
        ({"steps": [None, {"sharedStepId": None, "description": 1}]}, 400),
    ],
)
def test_bad_cases_are_refused(api: Api, change: dict[str, object], status: int):
    body = {"title": "A", "folderId": 1, "type": "standalone", "priority": "low"} | change
    api.post("/project/BD/tcase", body, status=status)
    assert api.get("/project/BD/tcase/count") == {"count": 59}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("folderId", "1", "string into Go struct field CreateTCaseRequest.folderId of type int"),
        (
            "folderId",
            1.5,
            "number 1.5 into Go struct field CreateTCaseRequest.folderId of type int",
        ),
        ("folderId", 2**63, f"number {2**63} into Go struct field CreateTCaseRequest.folderId of"),
        ("title", 1, "number into Go struct field CreateTCaseRequest.title of type string"),
        ("tags", {}, "object into Go struct field CreateTCaseRequest.tags of type []string"),
    ],
)
def test_go_names_the_field_of_a_wrong_type(api: Api, field: str, value: object, words: str):
    body = {"title": "A", "folderId": 1, "type": "standalone", "priority": "low"} | {field: value}
    refused = api.post("/project/BD/tcase", body, status=400)
    assert refused["message"].startswith(f"json: cannot unmarshal {words}")


def test_an_update_makes_a_version_and_a_position_does_not(api: Api):
    path = "/project/BD/tcase/21"
    assert api.patch(path, {"title": "New"}) == {"message": "Test case updated"}
    api.patch(path, {"pos": 50})
    case = api.get(path)
    assert (case["version"], case["pos"], case["title"]) == (2, 50, "New")
    assert [item["title"] for item in case["tags"]] == ["smoke"]
    assert case["steps"]
    api.patch(path, {"pos": 1}, status=409)
    api.patch(path, {"pos": 50})
    api.patch(path, {"isDraft": True}, status=400)
    api.patch("/project/BD/tcase/999", {"title": "x"}, status=404)


def test_lists_and_custom_fields_change_as_documented(api: Api):
    path = "/project/BD/tcase/21"
    wanted = [{"text": "REQ-1", "url": "https://example.com"}]
    api.patch(path, {"customFields": {"component": {"value": "cart"}}, "requirements": wanted})
    api.patch(path, {"customFields": {"browser": {"value": "Firefox"}}, "steps": []})
    case = api.get(path)
    assert case["customFields"] == {
        "browser": {"value": "Firefox", "isDefault": False},
        "component": {"value": "cart", "isDefault": False},
    }
    assert case["steps"] == []
    assert case["requirements"][0]["text"] == "REQ-1"
    api.patch(path, {"requirements": wanted * 2}, status=409)


def test_the_list_is_filtered_sorted_and_cut(api: Api):
    assert seqs(api, "") == list(range(59, 0, -1))
    assert seqs(api, "sortField=seq&sortOrder=asc&limit=3&offset=10") == [11, 12, 13]
    assert seqs(api, "folders=2&sortField=seq&sortOrder=asc") == list(range(21, 28))
    assert seqs(api, "folders=2&folders=3&tags=1&sortField=seq&sortOrder=asc") == [21, 22, 28, 32]
    assert seqs(api, "folders=2&tags=1&tags=2&tagsFilterOp=not") == [27]
    assert seqs(api, "tags=1&tags=2&tagsFilterOp=and") == [5]
    assert seqs(api, "search=VOUCHER") == [30, 29, 28]
    assert seqs(api, "search=%25") == []
    api.make_case("Überweisung")
    assert seqs(api, "search=ÜBER") == [60]
    assert seqs(api, "priorities=low&folders=2") == [27]
    assert seqs(api, "draft=true") == []
    assert seqs(api, "types=template") == []
    api.get("/project/BD/tcase?sortOrder=asc", 400)
    api.get("/project/BD/tcase?priorities=urgent", 400)


@pytest.mark.parametrize(("order", "names"), [("asc", "lmh"), ("desc", "hml")])
def test_priorities_are_sorted_by_rank(api: Api, order: str, names: str):
    cases = api.get(f"/project/BD/tcase?sortField=priority&sortOrder={order}")["data"]
    shown = "".join(item["priority"][0] for item in cases)
    assert list(dict.fromkeys(shown)) == list(names)
    assert len(re.findall(r"(.)\1*", shown)) == 3


def test_a_list_shows_details_only_on_request(api: Api):
    plain = api.get("/project/BD/tcase?limit=1")["data"][0]
    rich = api.get("/project/BD/tcase?limit=1&include=tags&include=folder&include=path")["data"][0]
    assert set(rich) - set(plain) == {"tags", "folder", "path"}
    assert rich["folder"]["title"] == "Courier"


def test_counting_may_take_in_subfolders(api: Api):
    assert api.get("/project/BD/tcase/count?folders=2") == {"count": 7}
    assert api.get("/project/BD/tcase/count?folders=2&recursive=true") == {"count": 12}
    api.get("/project/BD/tcase/count?recursive=true", 400)


def test_cases_are_found_by_marker(api: Api):
    body = {"seqIds": ["BD-012", "BD-1", "XX-3", "nonsense", "BD-999"]}
    found = api.post("/project/BD/tcase/seq", body, status=200)
    assert [item["seq"] for item in found["data"]] == [1, 12]
    assert found["total"] == 2
    page = api.post("/project/BD/tcase/seq", body | {"offset": 1, "limit": 1}, status=200)
    assert [item["seq"] for item in page["data"]] == [12]
    many = {"seqIds": [f"BD-{number}" for number in range(50_000)]}
    assert api.post("/project/BD/tcase/seq", many, status=200)["total"] == 59
    assert api.get("/audit-logs")["events"] == []


def test_many_cases_are_made_at_once(api: Api):
    body = {
        "folderPath": ["cli-import", "deep"],
        "tcases": [{"title": "One", "tags": ["x"]}, {"title": "Two"}],
    }
    made = api.post("/project/BD/tcase/bulk", body)["tcases"]
    assert [item["seq"] for item in made] == [60, 61]
    case = api.get(f"/project/BD/tcase/{made[0]['id']}")
    assert [item["title"] for item in case["path"]] == ["cli-import", "deep"]


def test_the_seed_is_the_same_every_time(api: Api):
    assert api.get("/project/BD/tcase/12")["id"] == "1C6ohknog_yJKed6vuE2viP"
    assert api.get("/project/BD")["id"] == "1C6ohknog_yJKed6vuE2viB"


def test_null_in_a_list_is_the_zero_value_as_in_go(api: Api):
    made = api.make_case(tags=[None, "smoke"], steps=[None], comment=None)
    shown = api.get(f"/project/BD/tcase/{made['id']}")
    assert [tag["title"] for tag in shown["tags"]] == ["", "smoke"]
    assert [(step["description"], step["expected"]) for step in shown["steps"]] == [("", "")]
    body = {"title": "A", "type": "live", "queryPlans": [{"folderIds": [1, None]}]}
    assert api.post("/project/BD/run", body, status=400) == {"message": "folder not found"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("createdAfter=2024-01-01", 59),
        ("createdAfter=2024-01-01T01:00:00%2B01:00", 59),
        ("createdAfter=2024-01-01T00:00:00.001Z", 0),
        ("createdBefore=2024-01-01", 59),
        ("createdBefore=2023-12-31T23:59:59Z", 0),
    ],
)
def test_moments_are_compared_in_any_spelling(api: Api, query: str, found: int):
    assert api.get(f"/project/BD/tcase/count?{query}") == {"count": found}


@pytest.mark.parametrize("moment", ["yesterday", "0001-01-01T00:00:00%2B14:00", "2024-13-01", "1"])
def test_a_moment_that_is_none_is_refused(api: Api, moment: str):
    answer = api.get(f"/project/BD/tcase?createdBefore={moment}", 400)
    assert "no date and time of ISO 8601" in answer["message"]
