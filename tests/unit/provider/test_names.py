import json

import httpx
import pytest
from unit.provider.support import Routes, live_run, ok, run

from runs_as_code.errors import AccessError, BadResponseError, UnreachableError
from runs_as_code.model.live import Catalog, Entry, Listing, LiveRun, NamesNeeded, StatusCounts
from runs_as_code.provider import directory
from runs_as_code.provider.names import folder_entries
from runs_as_code.provider.wire_names import Folder

LISTING = Listing(
    runs=(
        LiveRun(
            1, "T", "", "live", StatusCounts(), assignee_id=7, assignee_email="ann@example.com"
        ),
        LiveRun(2, "U", "", "live", StatusCounts()),
    ),
    project_code="BD",
)
HQID = "1CEPaUhgH_Tvt2LZygwVRQa"


def load(routes: Routes, listing: Listing = LISTING, project: str = "BD", **needed) -> Catalog:
    return run(routes.script.project(project).load_catalog(NamesNeeded(**needed), listing))


def users(*entries: dict) -> httpx.Response:
    return ok({"users": list(entries)})


def me(user_id: int, email: str) -> httpx.Response:
    return ok({"user": {"id": user_id, "email": email, "name": "N", "role": "user"}})


def test_nothing_needed_nothing_sent():
    routes = Routes({})
    assert load(routes) == Catalog()
    assert routes.sent == []


def test_milestones_archived_ones_included():
    reply = {
        "milestones": [
            {"id": 5, "title": "Sprint 24", "archivedAt": None},
            {"id": 4, "title": "Sprint 23", "archivedAt": "2024-01-01T00:00:00.000Z"},
        ]
    }
    routes = Routes({"GET /project/BD/milestone": ok(reply)})
    catalog = load(routes, milestones=True)

    assert catalog.milestones == (Entry(5, "Sprint 24"), Entry(4, "Sprint 23", is_archived=True))
    assert (catalog.folders, catalog.tags, catalog.users) == (None, None, None)
    assert routes.sent == ["GET /project/BD/milestone"]


@pytest.mark.parametrize("tags", [None, []])
def test_null_lists_of_names_are_empty(tags):
    assert load(Routes({"GET /project/BD/tag": ok({"tags": tags})}), tags=True).tags == ()


def test_each_kind_is_asked_for_once():
    routes = Routes(
        {
            "GET /project/BD/milestone": ok({"milestones": None}),
            "GET /project/BD/tag": ok({"tags": [{"id": 1, "title": "smoke"}]}),
            "GET /project/BD/tcase/folders": ok({"data": [], "total": 0}),
            "GET /users/me": me(9, "bob@example.com"),
            "POST /project/BD/tcase/seq": ok({"data": [{"id": "x", "seq": 12}], "total": 1}),
        }
    )
    catalog = load(
        routes,
        milestones=True,
        folders=True,
        tags=True,
        users=("bob@example.com", "ann@example.com"),
        tcases=("BD-012", 12, "12"),
    )

    assert catalog.tags == (Entry(1, "smoke"),)
    assert catalog.tcases == {"BD-012": "x", 12: "x", "12": "x"}
    assert sorted(path.split("?")[0] for path in routes.sent) == sorted(routes.routes)


# --- folders


def paged(request: httpx.Request, *, all_folders: list[dict], style: str) -> httpx.Response:
    """Answer as a server of the given age, with at most 10 folders on a page."""
    query = request.url.params
    size = min(int(query["limit"]), 10)
    start = (int(query["page"]) - 1) * size if style == "page" else int(query["offset"])
    reply = {"data": all_folders[start : start + size], "total": len(all_folders)}
    extra = {"page": int(query["page"])} if style == "page" else {"offset": start}
    return ok({**reply, **extra, "limit": size})


@pytest.mark.parametrize("style", ["page", "offset"])
def test_all_pages_of_folders_are_read_from_servers_of_both_ages(style):
    folders = [{"id": n, "title": f"F{n}", "parentId": n // 2, "comment": ""} for n in range(1, 36)]
    routes = Routes(
        {
            "GET /project/BD/tcase/folders": lambda request: paged(
                request, all_folders=folders, style=style
            )
        }
    )
    found = load(routes, folders=True).folders

    assert [entry.id for entry in found] == list(range(1, 36))
    assert found[34].name == "F1/F2/F4/F8/F17/F35"
    assert len(routes.sent) == 4


def test_everything_at_once_is_one_request():
    folders = [{"id": n, "title": f"F{n}", "parentId": 0} for n in range(1, 5)]
    reply = ok({"data": folders, "total": 4, "page": 0, "limit": 0})
    routes = Routes({"GET /project/BD/tcase/folders": reply})
    assert len(load(routes, folders=True).folders) == 4
    assert routes.sent == ["GET /project/BD/tcase/folders?offset=0&limit=1000&page=1"]


def test_a_list_that_stays_short_of_its_total_is_an_error():
    reply = ok({"data": [{"id": 1, "title": "A"}], "total": 2})
    routes = Routes({"GET /project/BD/tcase/folders": reply})
    with pytest.raises(BadResponseError, match="1 of 2"):
        load(routes, folders=True)
    assert len(routes.sent) == 2


def test_folders_without_a_total_are_an_error():
    routes = Routes({"GET /project/BD/tcase/folders": ok({"data": []})})
    with pytest.raises(BadResponseError, match="`total`"):
        load(routes, folders=True)


def test_paths_are_joined_whatever_the_order():
    folders = [Folder(3, "Discounts", 2), Folder(2, "Cart", 0), Folder(4, "Discounts", 0)]
    assert folder_entries(folders) == (
        Entry(3, "Cart/Discounts"),
        Entry(2, "Cart"),
        Entry(4, "Discounts"),
    )


def test_a_folder_whose_path_is_broken_is_left_out():
    folders = [
        Folder(1, "Whole", 0),
        Folder(2, "Lost", 99),
        Folder(3, "Below lost", 2),
        Folder(4, "Round", 5),
        Folder(5, "Round", 4),
        Folder(6, "Own parent", 6),
    ]
    assert folder_entries(folders) == (Entry(1, "Whole"),)


def test_a_deep_chain_is_no_trouble():
    chain = [Folder(n, "x", n - 1) for n in range(3000, 0, -1)]
    assert folder_entries(chain)[0].name.count("/") == 2999


# --- users


def test_users_found_in_the_listing_cost_nothing():
    routes = Routes({})
    assert load(routes, users=("ANN@example.com",)).users == (Entry(7, "ann@example.com"),)
    assert routes.sent == []


def test_the_owner_of_the_key_is_asked_for_next():
    routes = Routes({"GET /users/me": me(9, "Bob@Example.com")})
    found = load(routes, users=("bob@example.com", "ann@example.com")).users
    assert found == (Entry(7, "ann@example.com"), Entry(9, "Bob@Example.com"))
    assert routes.sent == ["GET /users/me"]


def test_the_list_of_users_comes_last():
    routes = Routes(
        {
            "GET /users/me": me(9, "bob@example.com"),
            "GET /users": users(
                {"email": "eve@example.com", "name": "E"},
                {"email": "dan@example.com", "name": "D", "id": 4},
                {"email": "ann@example.com", "name": "A", "id": 7},
            ),
        }
    )
    found = load(routes, users=("dan@example.com", "eve@example.com")).users
    assert [entry.id for entry in found] == [7, 9, 4]
    assert routes.sent == ["GET /users/me", "GET /users"]


@pytest.mark.parametrize("status", [403, 404])
def test_users_that_may_not_be_listed_are_not_found(status):
    routes = Routes({"GET /users/me": ok({}, status), "GET /users": ok({}, status)})
    assert load(routes, users=("eve@example.com",)).users == (Entry(7, "ann@example.com"),)


def test_a_wrong_key_is_not_taken_for_missing_users():
    with pytest.raises(AccessError):
        load(Routes({"GET /users/me": ok({}, 401)}), users=("eve@example.com",))


# --- test cases


def by_seq(*cases: tuple[str, int]):
    """Answer `POST tcase/seq` as the official client's own server does: unknown ones are absent."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert set(body) == {"seqIds", "offset", "limit"}
        wanted = [{"id": i, "seq": n} for i, n in cases if f"BD-{n:03d}" in body["seqIds"]]
        return ok({"data": wanted[body["offset"] :], "total": len(wanted)})

    return answer


def test_markers_numbers_and_digits_share_one_request():
    routes = Routes({"POST /project/BD/tcase/seq": by_seq(("a", 12), ("b", 1312), ("c", 5))})
    references = ("BD-012", "bd-12", 12, "012", "BD-1312", 5, 404, 0, -3)
    assert load(routes, tcases=references).tcases == {
        "BD-012": "a",
        "bd-12": "a",
        12: "a",
        "012": "a",
        "BD-1312": "b",
        5: "c",
        404: None,
        0: None,
        -3: None,
    }
    assert routes.sent == ["POST /project/BD/tcase/seq"]
    body = json.loads(routes.script.requests[0].content)
    assert body["seqIds"] == ["BD-005", "BD-012", "BD-404", "BD-1312"]


def test_many_numbers_are_asked_for_in_chunks():
    cases = [(f"id{n}", n) for n in range(1, 1201)]
    routes = Routes({"POST /project/BD/tcase/seq": by_seq(*cases)})
    found = load(routes, tcases=tuple(range(1, 1201))).tcases
    assert found == {n: f"id{n}" for n in range(1, 1201)}
    assert len(routes.sent) == 3


@pytest.mark.parametrize("status", [400, 404, 405])
def test_without_the_look_up_by_marker_cases_are_read_one_by_one(status):
    routes = Routes(
        {
            "POST /project/BD/tcase/seq": ok({}, status),
            "GET /project/BD/tcase/12": ok({"id": "a", "seq": 12}),
        }
    )
    assert load(routes, tcases=("BD-012", 13)).tcases == {"BD-012": "a", 13: None}
    assert sorted(routes.sent) == [
        "GET /project/BD/tcase/12",
        "GET /project/BD/tcase/13",
        "POST /project/BD/tcase/seq",
    ]


def test_a_failing_look_up_is_no_missing_case():
    routes = Routes({"POST /project/BD/tcase/seq": ok({}, 500)})
    with pytest.raises(UnreachableError):
        load(routes, tcases=(12,))


def test_ids_are_taken_as_they_are():
    routes = Routes({})
    assert load(routes, tcases=(HQID,)).tcases == {HQID: HQID}
    assert routes.sent == []


@pytest.mark.parametrize("reference", ["TC-from-testrail", "C/12 ?", HQID + "x", "0" + HQID[1:]])
def test_anything_else_is_a_legacy_id(reference):
    found = Routes({})
    found.script.steps = [ok({"id": HQID, "seq": 3, "legacyId": reference})]
    missing = Routes({})

    assert load(found, tcases=(reference,)).tcases == {reference: HQID}
    assert load(missing, tcases=(reference,)).tcases == {reference: None}
    assert len(found.sent) == len(missing.sent) == 1
    assert "?" not in found.sent[0]


@pytest.mark.parametrize("reference", ["", ".", ".."])
def test_references_that_would_change_the_path_find_nothing(reference):
    routes = Routes({})
    assert load(routes, tcases=(reference,)).tcases == {reference: None}
    assert routes.sent == []


def test_a_marker_of_another_project_is_never_looked_up_by_its_number():
    routes = Routes({"GET /project/BD/tcase/12": ok({"id": "a", "seq": 12})})
    assert load(routes, tcases=("XY-012",)).tcases == {"XY-012": None}
    assert routes.sent == ["GET /project/BD/tcase/XY-012"]


def test_a_project_given_by_code_needs_no_run_to_tell_it():
    routes = Routes({"POST /project/BD/tcase/seq": by_seq(("a", 12))})
    assert load(routes, Listing(runs=()), tcases=(12,)).tcases == {12: "a"}
    assert routes.sent == ["POST /project/BD/tcase/seq"]


def test_an_error_that_is_none_of_ours_is_not_hidden():
    def crash(_request):
        raise RuntimeError("bug")

    with pytest.raises(BaseExceptionGroup):
        load(Routes({"GET /project/BD/tag": crash}), tags=True)


def test_the_code_of_a_project_given_by_id_is_asked_for_when_no_run_shows_it():
    routes = Routes(
        {
            f"GET /project/{HQID}": ok({"id": HQID, "code": "BD", "title": "Bistro"}),
            f"POST /project/{HQID}/tcase/seq": by_seq(("a", 12)),
        }
    )
    found = load(routes, Listing(runs=()), HQID, tcases=("BD-012",))
    assert found.tcases == {"BD-012": "a"}
    assert routes.sent == [f"GET /project/{HQID}", f"POST /project/{HQID}/tcase/seq"]


def test_the_code_of_a_project_given_by_id_is_taken_from_its_runs():
    routes = Routes(
        {
            f"GET /project/{HQID}/run": ok({"runs": [live_run()]}),
            f"POST /project/{HQID}/tcase/seq": by_seq(("a", 12)),
        }
    )
    project = routes.script.project(HQID)

    async def main():
        return await project.load_catalog(NamesNeeded(tcases=(12,)), await project.list_runs())

    assert run(main()).tcases == {12: "a"}
    assert len(routes.sent) == 2


def test_the_first_error_is_raised_as_it_is():
    routes = Routes({"GET /project/BD/milestone": ok({}, 401), "GET /project/BD/tag": ok({}, 401)})
    with pytest.raises(AccessError):
        load(routes, milestones=True, tags=True)


def test_one_project():
    routes = Routes({"GET /project/BD": ok({"id": HQID, "code": "BD", "title": "Bistro"})})
    found = run(directory.get_project(routes.script.client(), "BD"))
    assert (found.id, found.code, found.is_archived) == (HQID, "BD", False)
