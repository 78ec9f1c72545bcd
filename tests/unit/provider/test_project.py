import json

import httpx
import pytest
from unit.provider.support import Script, live_run, ok, run

from runs_as_code.errors import BadResponseError, UsageError
from runs_as_code.model.provider import Provider, ResolvedPlan, RunFields
from runs_as_code.provider import directory

FIELDS = RunFields("T", "D", milestone_id=5, assignee_id=7)


def sent_body(script: Script) -> object:
    return json.loads(script.requests[0].content)


def test_it_is_a_provider():
    provider: Provider = Script(ok({})).project("BD")
    assert (provider.server, provider.project, provider.calls) == (
        "https://acme.eu1.qasphere.com",
        "BD",
        0,
    )
    assert repr(provider) == "ProjectProvider('https://acme.eu1.qasphere.com', 'BD')"


@pytest.mark.parametrize(
    ("arguments", "query", "is_filtered"),
    [
        ({}, "", False),
        ({"closed": True}, "?closed=true", True),
        ({"closed": False}, "?closed=false", True),
        ({"milestone_ids": (1, 2)}, "?milestoneIds=1&milestoneIds=2", True),
        ({"limit": 10}, "?limit=10", True),
        (
            {"closed": False, "milestone_ids": (3,), "limit": 1},
            "?closed=false&milestoneIds=3&limit=1",
            True,
        ),
    ],
)
def test_list(arguments, query, is_filtered):
    script = Script(ok({"runs": [live_run(1), live_run(2)], "open": 2, "closed": 0}))
    listing = run(script.project().list_runs(**arguments))

    assert script.sent == [f"GET /project/BD/run{query}"]
    assert [found.id for found in listing.runs] == [1, 2]
    assert listing.is_filtered is is_filtered


def test_create():
    script = Script(ok({"id": 2}, 201))
    plans = (ResolvedPlan(tcase_ids=("1CEPaUhgH_Tvt2LZygwVRQa",)),)

    assert run(script.project().create_run(FIELDS, "static", plans)) == 2
    assert script.sent == ["POST /project/BD/run"]
    assert sent_body(script) == {
        "title": "T",
        "description": "D",
        "type": "static",
        "milestoneId": 5,
        "assignmentId": 7,
        "queryPlans": [{"tcaseIds": ["1CEPaUhgH_Tvt2LZygwVRQa"]}],
    }


@pytest.mark.parametrize("status", [200, 201])
def test_clone_takes_any_success(status):
    script = Script(ok({"id": 3}, status))

    assert run(script.project().clone_run(1, FIELDS)) == 3
    assert script.sent == ["POST /project/BD/run/clone"]
    assert sent_body(script) == {
        "runId": 1,
        "title": "T",
        "description": "D",
        "milestoneId": 5,
        "assignmentId": 7,
    }


def test_close_posts_nothing():
    script = Script(ok({"message": "Run closed"}))
    run(script.project().close_run(1))

    assert script.sent == ["POST /project/BD/run/1/close"]
    assert script.requests[0].content == b""


@pytest.mark.parametrize(("with_folder", "query"), [(False, ""), (True, "?include=folder")])
def test_run_cases(with_folder, query):
    script = Script(ok({"tcases": [{"id": "x", "seq": 1, "title": "T", "status": "passed"}]}))
    (case,) = run(script.project().list_run_cases(4, with_folder=with_folder))

    assert script.sent == [f"GET /project/BD/run/4/tcase{query}"]
    assert (case.id, case.status) == ("x", "passed")


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        (12, "12"),
        ("1CEPaUhgH_Tvt2LZygwVRQa", "1CEPaUhgH_Tvt2LZygwVRQa"),
        ("legacy/1 ?", "legacy%2F1%20%3F"),
    ],
)
def test_one_run_case(reference, path):
    reply = {"id": "x", "version": 2, "title": "T", "priority": "low", "results": []}
    script = Script(ok(reply))
    detail = run(directory.get_run_case(script.client(), "BD", 4, reference))

    assert script.sent == [f"GET /project/BD/run/4/tcase/{path}"]
    assert detail.version == 2


def test_a_project_is_quoted_in_paths():
    script = Script(ok({"runs": []}))
    run(script.project("a/b?c").list_runs())
    assert script.sent == ["GET /project/a%2Fb%3Fc/run"]


def test_a_project_can_not_lead_elsewhere():
    with pytest.raises(UsageError):
        Script(ok({})).project("..")


def test_the_page_of_a_run_bears_the_code_once_it_is_known():
    project = Script(ok({"runs": [live_run()]})).project("1CEPaUhgH_Tvt2LZygwVRQa")
    before = project.run_url(1)
    run(project.list_runs())

    assert before.endswith("/project/1CEPaUhgH_Tvt2LZygwVRQa/run/1")
    assert project.run_url(1) == "https://acme.eu1.qasphere.com/project/BD/run/1"


def test_the_page_of_a_run_of_the_embedded_server():
    project = Script(ok({})).client("embedded", None).project("BD")
    assert (project.server, project.run_url(12)) == ("embedded", "embedded:/project/BD/run/12")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"tcases": [{}]}', b"[]"])
def test_run_cases_of_another_shape(body):
    with pytest.raises(BadResponseError, match="GET /project/BD/run/4/tcase"):
        run(Script(httpx.Response(200, content=body)).project().list_run_cases(4))
