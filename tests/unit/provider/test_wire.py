import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.provider.support import live_run

from runs_as_code.errors import BadResponseError
from runs_as_code.model.live import Listing, LiveRun, RunCase, StatusCounts
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider import wire

LABEL = "GET /project/BD/run"


def listing(data: Any, *, is_filtered: bool = False) -> Listing:
    return wire.parse_listing(LABEL, json.dumps(data).encode(), is_filtered=is_filtered)


def complaint(data: Any) -> str:
    with pytest.raises(BadResponseError) as caught:
        listing(data)
    return caught.value.message


def test_a_run_as_the_seed_shows_it():
    found = listing({"runs": [live_run(12)], "open": 1, "closed": 0}, is_filtered=True)

    assert found == Listing(
        runs=(
            LiveRun(
                id=12,
                title="Run 12",
                description="What it is for",
                type="live",
                counts=StatusCounts(all=6, open=1, passed=2, failed=1, blocked=1, skipped=1),
                milestone_id=5,
                milestone_title="Sprint 24",
                is_milestone_archived=False,
                assignee_id=7,
                assignee_email="ann@example.com",
                time_spent=61000,
                created_at="2024-01-01T00:00:00.000Z",
                closed_at=None,
                closed_by=None,
            ),
        ),
        open_counter=1,
        closed_counter=0,
        project_id="1CEPaUhgH_Tvt2LZygwVRQa",
        project_code="BD",
        is_filtered=True,
    )


def test_a_closed_run_in_an_archived_milestone():
    milestone = {"id": 5, "title": "Sprint 22", "archivedAt": "2024-02-01T00:00:00.000Z"}
    closed_at = "2024-01-02T00:00:00.000Z"
    (run,) = listing(
        {"runs": [live_run(milestone=milestone, closedAt=closed_at, closedByUserId=3)]}
    ).runs

    assert (run.is_milestone_archived, run.closed_at, run.closed_by) == (True, closed_at, 3)
    assert not run.is_open


@pytest.mark.parametrize("data", [{"runs": None}, {"runs": []}])
def test_null_and_empty_lists_are_the_same(data):
    assert listing(data) == Listing(runs=())


def test_what_may_be_missing():
    bare = {"id": 1, "title": "T", "type": "static", "statusCounts": {}}
    (run,) = listing({"runs": [bare]}).runs

    assert run == LiveRun(1, "T", "", "static", StatusCounts())


@pytest.mark.parametrize(
    "field",
    ["milestoneId", "milestone", "assignmentId", "assignment", "description", "timeSpent"],
)
def test_what_may_be_null(field):
    assert listing({"runs": [live_run(**{field: None})]}).runs[0].title == "Run 1"


def test_an_id_of_zero_is_none():
    (run,) = listing({"runs": [live_run(assignmentId=0, milestoneId=0)]}).runs
    assert (run.assignee_id, run.milestone_id) == (None, None)


@pytest.mark.parametrize(("spent", "found"), [(0, 0), (61000, 61000), (1.9, 1), (None, None)])
def test_time_spent_is_any_number(spent, found):
    assert listing({"runs": [live_run(timeSpent=spent)]}).runs[0].time_spent == found


def test_the_project_is_taken_from_the_first_run_that_tells_it():
    bare = {"id": 1, "title": "T", "type": "static", "statusCounts": {}}
    assert listing({"runs": [bare, live_run(2), live_run(3)]}).project_code == "BD"


def test_custom_statuses_count_only_in_all():
    (run,) = listing({"runs": [live_run(statusCounts={"all": 3, "open": 1, "custom1": 2})]}).runs
    assert run.counts == StatusCounts(all=3, open=1)
    assert run.has_results


def test_a_missing_total_does_not_hide_results():
    (run,) = listing({"runs": [live_run(statusCounts={"open": 1, "passed": 2})]}).runs
    assert run.counts.all == 3
    assert run.recorded == 2


def test_half_characters_do_not_get_in():
    body = json.dumps({"runs": [live_run(title="bad \ud800")]}).encode()
    (run,) = wire.parse_listing(LABEL, body, is_filtered=False).runs
    assert run.title == "bad ?"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": "7"}, '`runs[1].id`: expected an integer, found `"7"`'),
        ({"id": True}, "`runs[1].id`: expected an integer, found `true`"),
        ({"title": None}, "`runs[1].title`: expected a string, found nothing"),
        ({"title": 5}, "`runs[1].title`: expected a string, found `5`"),
        ({"type": []}, "`runs[1].type`: expected a string, found a list of 0"),
        ({"description": {}}, "`runs[1].description`: expected a string, found an object"),
        ({"statusCounts": None}, "`runs[1].statusCounts`: expected an object, found nothing"),
        ({"statusCounts": [1]}, "`runs[1].statusCounts`: expected an object, found a list of 1"),
        (
            {"statusCounts": {"all": -1}},
            "`runs[1].statusCounts.all`: expected a number of test cases, found `-1`",
        ),
        ({"milestone": "S"}, '`runs[1].milestone`: expected an object or null, found `"S"`'),
        ({"assignmentId": "x"}, '`runs[1].assignmentId`: expected an integer, found `"x"`'),
        ({"closedAt": 5}, "`runs[1].closedAt`: expected a string, found `5`"),
        ({"id": 1}, "`runs[1].id`: expected an id no other run has, found `1`"),
    ],
)
def test_a_wrong_member_is_named_with_its_place(change, path):
    assert path in complaint({"runs": [live_run(1), live_run(2, **change)]})


def test_a_wrong_project_is_named_with_its_place():
    assert "`runs[0].project`" in complaint({"runs": [live_run(project="BD")]})
    assert "`runs[0].projectId`" in complaint({"runs": [live_run(projectId=4)]})


@pytest.mark.parametrize("missing", ["id", "title", "type", "statusCounts"])
def test_what_must_not_be_missing(missing):
    run = live_run()
    del run[missing]
    assert f"`runs[0].{missing}`" in complaint({"runs": [run]})


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({}, "`runs`: expected a list or null, found nothing"),
        ({"message": "hello"}, "`runs`"),
        ({"runs": {}}, "`runs`: expected a list or null, found an object"),
        ({"runs": [None]}, "`runs[0]`: expected an object, found nothing"),
        ({"runs": [], "open": "1"}, "`open`: expected an integer"),
        ([], "the reply: expected an object, found a list of 0"),
        (None, "the reply: expected an object, found nothing"),
        (live_run(), "the reply: expected an object"),
    ],
)
def test_another_kind_of_reply_never_passes_for_an_empty_project(data, part):
    message = complaint(data)
    assert part in message
    assert f"`{LABEL}`" in message


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "an empty body"),
        (b"\n<!DOCTYPE html>\n<p>", "`<!DOCTYPE html>`"),
        (b'{"runs": [', '`{"runs": [`'),
        (b"\xff\xfe\xfd", "is not JSON"),
        (b"\x1b[2Jgone", r"`\x1b[2Jgone`"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_a_body_that_is_no_json_is_quoted_by_one_harmless_line(body, part):
    with pytest.raises(BadResponseError) as caught:
        wire.parse_listing(LABEL, body, is_filtered=False)
    message = caught.value.message
    assert part in message
    assert message.isprintable()
    assert len(message) < 250
    assert "QA Sphere" in caught.value.hint


def test_long_values_are_cut():
    assert len(complaint({"runs": [live_run(id="x" * 5000)]})) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*live_run(), "runs", "open", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def read_or_refused(data: Any) -> Listing | str:
    """Return the listing or the complaint; any other error fails the test."""
    try:
        return listing(data)
    except BadResponseError as error:
        message = error.message
    assert message.isprintable()
    return message


@given(st.dictionaries(st.sampled_from(sorted(live_run())), JSON, max_size=3))
def test_any_member_of_any_kind_is_read_or_refused(changes):
    found = read_or_refused({"runs": [live_run(), {**live_run(2), **changes}]})
    assert isinstance(found, str) or len(found.runs) == 2


@given(JSON)
def test_any_reply_is_read_or_refused(data):
    read_or_refused(data)


def test_run_cases_with_and_without_folders():
    case = {
        "id": "1CGeNaNVt_Axa7TcMjUm6Zh",
        "version": 1,
        "legacyId": "",
        "folderId": 11848,
        "pos": 3,
        "seq": 8,
        "title": "Checkout",
        "priority": "high",
        "status": "open",
        "isAutomated": False,
    }
    with_folder = {**case, "folder": {"id": 11848, "parentId": 0, "title": "Cart"}}
    cases = wire.parse_run_cases("x", json.dumps({"tcases": [case, with_folder]}).encode())

    assert cases == (
        RunCase("1CGeNaNVt_Axa7TcMjUm6Zh", 8, "Checkout", "open", 1, 11848),
        RunCase("1CGeNaNVt_Axa7TcMjUm6Zh", 8, "Checkout", "open", 1, 11848, "Cart"),
    )
    assert wire.parse_run_cases("x", b'{"tcases": null}') == ()


def test_a_run_case_as_the_seed_shows_it():
    reply = {
        "id": "1CEPaUhmj_vcmBY2Y1sGPeL",
        "version": 1,
        "title": "Cursor",
        "priority": "low",
        "authorId": 0,
        "createdAt": "2024-01-01T00:00:00.000Z",
        "isLatestVersion": True,
        "results": [
            {
                "id": 20293,
                "tcaseId": "1CEPaUhmj_vcmBY2Y1sGPeL",
                "tcaseVersion": 1,
                "authorId": 1,
                "author": {"id": 1, "email": "owner@example.com", "avatar": None},
                "status": "blocked",
                "comment": "",
                "links": None,
                "timeTaken": None,
                "apiKeyId": None,
                "internal": False,
                "createdAt": "2024-01-01T00:00:00.000Z",
            }
        ],
    }
    detail = wire.parse_run_case("x", json.dumps(reply).encode())

    assert detail.results == (
        wire.CaseResult(
            id=20293,
            status="blocked",
            author_id=1,
            author_email="owner@example.com",
            created_at="2024-01-01T00:00:00.000Z",
        ),
    )
    assert (detail.id, detail.is_latest_version) == ("1CEPaUhmj_vcmBY2Y1sGPeL", True)
    assert wire.parse_run_case("x", json.dumps({**reply, "results": None}).encode()).results == ()


@pytest.mark.parametrize("body", [b'{"id": "2"}', b'{"id": true}', b"{}", b"null", b"2", b""])
def test_a_new_id_must_be_an_integer(body):
    with pytest.raises(BadResponseError):
        wire.parse_new_id("POST /x", body)


def test_create_sends_what_is_set_and_no_more():
    plans = (ResolvedPlan(folder_ids=(1, 2), tag_ids=(1,), priorities=("high",)),)
    fields = RunFields("Sprint 23 Regression", "Text", milestone_id=5)

    assert wire.create_body(fields, "live", plans) == {
        "title": "Sprint 23 Regression",
        "description": "Text",
        "type": "live",
        "milestoneId": 5,
        "queryPlans": [{"folderIds": [1, 2], "tagIds": [1], "priorities": ["high"]}],
    }


def test_clone_always_says_the_description():
    assert wire.clone_body(1, RunFields("T", "", assignee_id=3)) == {
        "runId": 1,
        "title": "T",
        "description": "",
        "assignmentId": 3,
    }
