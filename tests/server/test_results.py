"""Recording results, one and many."""

import pytest
from server.conftest import Start
from server.support import Api


def test_the_newest_result_is_the_status(api: Api):
    run = api.make_run()
    first = api.result(run, 21, "failed", comment="broken", timeTaken=1500)
    second = api.result(run, 21, "passed", timeTaken=500)
    case = api.get(f"/project/BD/run/{run}/tcase/21")
    assert case["status"] == "passed"
    assert [item["id"] for item in case["results"]] == [second, first]
    assert case["results"][1] == {
        "id": first,
        "tcaseId": case["id"],
        "tcaseVersion": 1,
        "authorId": 1,
        "author": {
            "id": 1,
            "email": "owner@example.com",
            "name": "System Owner",
            "avatar": None,
            "role": "owner",
        },
        "status": "failed",
        "comment": "broken",
        "links": None,
        "timeTaken": 1500,
        "apiKeyId": None,
        "internal": False,
        "createdAt": case["results"][1]["createdAt"],
    }
    assert api.run(run)["timeSpent"] == 2000
    assert api.run(run)["statusCounts"] == {
        "all": 12,
        "blocked": 0,
        "failed": 0,
        "open": 11,
        "passed": 1,
        "skipped": 0,
    }


def test_a_case_is_named_by_id_sequence_number_or_legacy_id(api: Api):
    run = api.make_run(plans=[{"folderIds": [7]}])
    case = api.get("/project/BD/tcase/TC-LEGACY-44")
    for name in (case["id"], case["seq"], f"0{case['seq']}", "TC-LEGACY-44"):
        api.result(run, name)
        assert api.get(f"/project/BD/run/{run}/tcase/{name}")["id"] == case["id"]
    assert len(api.get(f"/project/BD/run/{run}/tcase/{case['seq']}")["results"]) == 4
    api.get(f"/project/BD/run/{run}/tcase/BD-{case['seq']}", 404)


def test_counts_of_static_runs_follow_results(api: Api):
    run = api.make_run(kind="static")
    api.result(run, 21, "blocked")
    api.result(run, 22, "skipped")
    counts = api.run(run)["statusCounts"]
    assert (counts["all"], counts["blocked"], counts["skipped"], counts["open"]) == (12, 1, 1, 10)


def test_a_batch_is_recorded_in_order(api: Api):
    run = api.make_run()
    ids = list(api.members(run))
    items = [{"tcaseId": case, "status": "passed", "comment": ""} for case in ids]
    made = api.post(f"/project/BD/run/{run}/result/batch", {"items": items})["ids"]
    assert made == sorted(made)
    assert api.run(run)["statusCounts"]["passed"] == 12
    assert api.get(f"/project/BD/run/{run}/tcase/{ids[3]}")["results"][0]["id"] == made[3]


@pytest.mark.parametrize(("kind", "version"), [("static", 1), ("static_struct", 2), ("live", 2)])
def test_a_batch_may_set_a_case_back_and_record_it_anew(api: Api, kind: str, version: int):
    run = api.make_run(kind=kind)
    case = api.get("/project/BD/tcase/21")["id"]
    api.result(run, case)
    api.patch(f"/project/BD/tcase/{case}", {"title": "New"})
    items = [{"tcaseId": case, "status": status} for status in ("open", "failed", "passed")]
    api.post(f"/project/BD/run/{run}/result/batch", {"items": items})
    shown = api.get(f"/project/BD/run/{run}/tcase/{case}")
    assert (shown["version"], shown["status"]) == (version, "passed")
    versions = [item["tcaseVersion"] for item in shown["results"]]
    assert versions == [version, version, 1, 1]


def test_a_batch_with_one_bad_item_records_nothing(api: Api):
    run = api.make_run()
    items = [{"tcaseId": case, "status": "passed"} for case in api.members(run)]
    items[-1]["status"] = "great"
    path = f"/project/BD/run/{run}/result/batch"
    api.post(path, {"items": items}, status=400)
    assert api.run(run)["statusCounts"]["passed"] == 0
    assert api.post(path, {"items": []}, status=400) == {"message": "items is required"}


@pytest.mark.parametrize("link", [{}, {"url": "u"}, {"text": "t"}, {"url": "", "text": "t"}, None])
def test_a_link_needs_a_text_and_a_url(api: Api, link: object):
    run = api.make_run()
    path = f"/project/BD/run/{run}/tcase/21/result"
    refused = api.post(path, {"status": "passed", "links": [link]}, status=400)
    assert refused == {"message": "links must have a text and a url"}


def test_bad_results_are_refused(api: Api):
    run = api.make_run()
    path = f"/project/BD/run/{run}/tcase/21/result"
    assert api.post(path, {}, status=400) == {"message": "status is required"}
    assert api.post(path, {"status": "custom1"}, status=400) == {
        "message": "status custom1 is not active"
    }
    batch = {"items": [{"tcaseId": "", "status": "passed"}]}
    refused = api.post(f"/project/BD/run/{run}/result/batch", batch, status=400)
    assert refused == {"message": "tcaseId is required"}
    api.post(path, {"status": "fine"}, status=400)
    api.post(path, {"status": "passed", "timeTaken": -1}, status=400)
    api.post(path, {"status": "passed", "timeTaken": 1.5}, status=400)
    api.post(path, {"status": "passed", "timeTaken": 2**62}, status=400)
    outside = f"/project/BD/run/{run}/tcase/1/result"
    assert api.post(outside, {"status": "passed"}, status=404) == {"message": "Test case not found"}
    assert api.run(run)["statusCounts"]["open"] == 12


def test_a_closed_run_takes_no_results(api: Api):
    run = api.make_run()
    api.close_run(run)
    path = f"/project/BD/run/{run}/tcase/21/result"
    assert api.post(path, {"status": "passed"}, status=400) == {"message": "run is closed"}


def test_a_result_names_its_author_and_key(start: Start):
    api = start("bob@example.com")
    run = api.make_run()
    api.result(run, 21, links=[{"url": "https://example.com/1", "text": "Bug 1"}])
    result = api.get(f"/project/BD/run/{run}/tcase/21")["results"][0]
    assert result["author"]["email"] == "bob@example.com"
    assert len(result["apiKeyId"]) == 23
    (link,) = result["links"]
    assert link == {
        "id": link["id"],
        "resultId": result["id"],
        "integrationId": "",
        "integration": {"id": "", "name": "", "type": "custom", "config": {}},
        "url": "https://example.com/1",
        "text": "Bug 1",
        "meta": {},
    }


def test_links_are_numbered_and_name_the_integration_that_was_sent(api: Api):
    run = api.make_run()
    links = [{"url": f"u{n}", "text": "t", "integrationId": "jira"} for n in range(2)]
    for case in (21, 22):
        api.result(run, case, links=links)
    shown = [
        link
        for case in (21, 22)
        for link in api.get(f"/project/BD/run/{run}/tcase/{case}")["results"][0]["links"]
    ]
    assert [link["url"] for link in shown] == ["u0", "u1", "u0", "u1"]
    assert len({link["id"] for link in shown}) == 4
    assert shown[0]["integrationId"] == shown[0]["integration"]["id"] == "jira"
