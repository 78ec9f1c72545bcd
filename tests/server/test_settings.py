"""Statuses, requirements, custom fields, shared steps and preconditions, templates, plans, logs."""

import pytest
from server.conftest import Start
from server.support import Api

from runs_as_code.server import create_key

STATUS = {"id": "custom1", "name": "Retest", "color": "teal", "isActive": True}


def test_a_custom_status_counts_when_some_case_has_it(api: Api):
    path = "/settings/preferences/status"
    api.post(path, {"statuses": [STATUS]}, status=200)
    run = api.make_run()
    assert "custom1" not in api.run(run)["statusCounts"]
    api.result(run, 21, "custom1")
    counts = api.run(run)["statusCounts"]
    assert (counts["custom1"], counts["all"], counts["open"]) == (1, 12, 11)
    shown = next(item for item in api.get(path)["statuses"] if item["id"] == "custom1")
    assert shown == {
        "id": "custom1",
        "name": "Retest",
        "color": "teal",
        "isDefault": False,
        "isActive": True,
        "inUse": True,
    }
    api.close_run(run)
    assert api.run(run)["statusCounts"]["custom1"] == 1


@pytest.mark.parametrize(
    "change", [{"id": "open"}, {"id": "custom5"}, {"name": ""}, {"name": "x" * 17}, {"color": "x"}]
)
def test_bad_statuses_are_refused(api: Api, change: dict[str, object]):
    path = "/settings/preferences/status"
    before = api.get(path)
    api.post(path, {"statuses": [STATUS, STATUS | change]}, status=400)
    assert api.get(path) == before


def test_custom_fields_have_defaults_and_filter_lists(api: Api):
    api.patch("/project/BD/tcase/21", {"customFields": {"browser": {"value": "Firefox"}}})
    api.patch("/project/BD/tcase/22", {"customFields": {"browser": {"isDefault": True}}})

    def seqs(query: str) -> set[int]:
        return {item["seq"] for item in api.get(f"/project/BD/tcase?{query}")["data"]}

    assert seqs("cf_browser=Firefox") == {21}
    assert seqs("folders=2&cf_browser=Chrome") == {22, 23, 24, 25, 26, 27}
    assert seqs("folders=2&cf_browser=Chrome&cf_browser=Firefox") == set(range(21, 28))
    assert api.get("/project/BD/tcase/count?cf_browser=Firefox") == {"count": 1}
    api.get("/project/BD/tcase?cf_nothing=1", 400)
    run = api.make_run()
    path = f"/project/BD/run/{run}/tcase"
    assert [item["seq"] for item in api.get(f"{path}?cf_browser=Firefox")["tcases"]] == [21]
    api.get(f"{path}?cf_nothing=1", 400)


@pytest.mark.parametrize(
    "fields", [{"nothing": {"value": "1"}}, {"browser": {"value": "Lynx"}}, {"browser": 5}]
)
def test_bad_custom_fields_are_refused(api: Api, fields: dict[str, object]):
    api.patch("/project/BD/tcase/21", {"customFields": fields}, status=400)


def test_shared_steps_and_preconditions_are_shown_in_place(api: Api):
    made = api.make_case(
        steps=[{"sharedStepId": 1}, {"description": "d", "expected": "e"}],
        precondition={"sharedPreconditionId": 1},
    )
    case = api.get(f"/project/BD/tcase/{made['id']}")
    assert [step["type"] for step in case["steps"]] == ["shared", "standalone"]
    assert case["steps"][0]["subSteps"][0]["type"] == "shared_sub_step"
    assert case["precondition"]["title"] == "Filled cart"
    shared = api.get("/project/BD/shared-precondition?include=tcaseCount")
    assert shared[0]["tcaseCount"] == 2

    def seqs(query: str) -> list[int]:
        return [item["seq"] for item in api.get(f"/project/BD/tcase?{query}")["data"]]

    assert seqs("stepIds=1") == [made["seq"], 42]
    assert seqs("preconditionIds=1") == [made["seq"], 10]
    assert seqs("stepIds=99") == []


def test_unknown_parts_of_a_case_are_refused(api: Api):
    path = "/project/BD/tcase/21"
    api.patch(path, {"steps": [{"sharedStepId": 9}]}, status=400)
    api.patch(path, {"precondition": {"sharedPreconditionId": 9}}, status=400)
    api.patch(path, {"files": [{"id": "nothing"}]}, status=400)


def test_requirements_filter_lists(api: Api):
    requirement = api.get("/project/BD/requirement")["requirements"][0]["id"]
    found = api.get(f"/project/BD/tcase?requirementIds={requirement}")["data"]
    assert [item["seq"] for item in found] == [42]


def test_a_template_makes_filled_cases_that_follow_it(api: Api):
    template = api.make_case(
        "Pay with ${card}",
        type="template",
        steps=[{"description": "Pay with ${card}", "expected": "Paid"}],
        parameterValues=[{"values": {"card": "Visa"}}, {"values": {"card": "Amex"}}],
        filledTCaseTitleSuffixParams=["card"],
    )
    shown = api.get(f"/project/BD/tcase/{template['id']}")
    assert shown["numFilledTCases"] == 2
    filled = api.get(f"/project/BD/tcase?templateTCaseIds={template['id']}&sortField=seq")["data"]
    assert [item["title"] for item in filled] == [
        "Pay with Amex (Amex)",
        "Pay with Visa (Visa)",
    ]
    path = f"/project/BD/tcase/{filled[0]['id']}"
    assert api.get(path)["steps"][0]["description"] == "Pay with Amex"
    api.patch(path, {"title": "x"}, status=400)
    api.patch(path, {"priority": "low"})
    api.patch(f"/project/BD/tcase/{template['id']}", {"title": "Use ${card}"})
    assert api.get(path)["title"] == "Use Amex (Amex)"
    assert api.get(path)["priority"] == "low"
    run = api.make_run()
    members = api.members(run)
    assert filled[0]["id"] in members
    assert members[filled[0]["id"]]["templateTCaseId"] == template["id"]
    assert template["id"] not in members
    api.patch(f"/project/BD/tcase/{template['id']}", {"parameterValues": []}, status=400)


def test_a_plan_makes_all_its_runs_or_none(api: Api):
    runs = [
        {"title": "One", "queryPlans": [{"folderIds": [2]}]},
        {"title": "Two", "type": "live", "queryPlans": [{"folderIds": [2]}], "assignmentId": 4},
    ]
    made = api.post("/project/BD/plan", {"title": "Plan", "milestoneId": 7, "runs": runs})
    assert made == {"id": 1}
    listed = api.get("/project/BD/run")["runs"]
    assert [(item["title"], item["type"], item["milestoneId"]) for item in listed] == [
        ("Two", "live", 7),
        ("One", "static_struct", 7),
    ]
    again = [{"title": "Three", "queryPlans": [{"folderIds": [2]}]}, runs[0]]
    api.post("/project/BD/plan", {"title": "Next", "runs": again}, status=403)
    assert len(api.get("/project/BD/run")["runs"]) == 2
    two = {"title": "Four", "queryPlans": [{"folderIds": [2]}] * 2}
    api.post("/project/BD/plan", {"title": "Next", "runs": [two]}, status=400)
    api.post("/project/BD/plan", {"title": "Next", "milestoneId": 4, "runs": runs}, status=400)
    other = [{"title": "Five", "queryPlans": [{"folderIds": [2]}]}]
    api.post("/project/BD/plan", {"title": "Plan", "runs": other})


@pytest.mark.parametrize("titles", [("A", "A"), ("A", " A ")])
def test_a_plan_with_a_title_twice_names_no_run_that_is_not_there(
    start: Start, titles: tuple[str, str]
):
    api = start(mangle_text="trim")
    runs = [{"title": title, "queryPlans": [{"folderIds": [2]}]} for title in titles]
    refused = api.post("/project/BD/plan", {"title": "Plan", "runs": runs}, status=400)
    assert refused == {"message": "titles of the runs of a plan must be unique"}
    assert api.get("/project/BD/run")["runs"] == []
    start(title_scope="none").post("/project/BD/plan", {"title": "Plan", "runs": runs})


def test_run_cases_are_filtered_and_sorted(api: Api):
    run = api.make_run()
    api.result(run, 23, "failed")

    def seqs(query: str) -> list[int]:
        found = api.get(f"/project/BD/run/{run}/tcase?{query}")["tcases"]
        return [item["seq"] for item in found]

    assert seqs("search=VOUCHER") == [28, 29, 30]
    assert seqs("tags=1") == [21, 22, 28, 32]
    assert seqs("tags=1&tags=3&tagsFilterOp=and") == [28, 32]
    assert seqs("tags=1&tags=2&tagsFilterOp=not") == [27]
    assert seqs("priorities=low") == [27]
    assert seqs("sortField=seq&sortOrder=desc")[:2] == [32, 31]
    assert seqs("sortField=status")[0] == 23
    for order in ("asc", "desc"):
        path = f"/project/BD/run/{run}/tcase?sortField=priority&sortOrder={order}"
        shown = [item["priority"] for item in api.get(path)["tcases"]]
        ranks = {"low": 0, "medium": 1, "high": 2}
        assert shown == sorted(shown, key=ranks.__getitem__, reverse=order == "desc")
        assert set(shown) == set(ranks)
    api.get(f"/project/BD/run/{run}/tcase?sortOrder=desc", 400)
    api.get(f"/project/BD/run/{run}/tcase?include=everything", 400)


def test_the_audit_log_is_read_with_a_cursor(start: Start):
    api = start("owner@example.com")
    for number in range(5):
        api.post("/project/BD/milestone", {"title": f"M{number}"})
    api.post("/project/BD/milestone", {"title": ""}, status=400)
    first = api.get("/audit-logs?count=3")
    assert (first["after"], first["count"]) == (3, 3)
    rest = api.get("/audit-logs?after=3")
    assert [event["id"] for event in rest["events"]] == [4, 5]
    assert rest["events"][0]["action"] == "create_milestone"
    api.get("/audit-logs?count=0", 400)


def test_the_audit_log_is_an_extra(start: Start):
    start(has_audit_logs=False).get("/audit-logs", 402)


def test_a_key_for_the_log_reads_nothing_else(start: Start, database):
    key = create_key(database, "owner@example.com", name="SIEM-LOG-ONLY splunk")
    headers = {"Authorization": f"Bearer {key}"}
    api = start()
    api.get("/audit-logs", headers=headers)
    api.get("/project", 403, headers=headers)


def test_a_closed_run_takes_comments(api: Api):
    run = api.make_run()
    api.close_run(run)
    assert len(api.post(f"/project/BD/run/{run}/log", {"comment": "done"})["id"]) == 23
    api.post("/project/BD/run/99/log", {"comment": "x"}, status=404)


def test_publishing_a_template_publishes_its_filled_cases(api: Api):
    values = [{"values": {"card": "Visa"}}]
    template = api.make_case(type="template", isDraft=True, parameterValues=values)
    run = api.make_run()
    before = api.members(run).keys()
    api.patch(f"/project/BD/tcase/{template['id']}", {"isDraft": False})
    (made,) = api.members(run).keys() - before
    assert api.get(f"/project/BD/tcase/{made}")["templateTCaseId"] == template["id"]


def test_filled_cases_get_a_version_only_when_they_change(api: Api):
    values = [{"values": {"card": name}} for name in ("Visa", "Amex")]
    body = {"parameterValues": values, "steps": [{"description": "Pay"}], "tags": ["smoke"]}
    path = f"/project/BD/tcase/{api.make_case('Pay ${card}', type='template', **body)['id']}"

    def versions() -> list[int]:
        filled = f"/project/BD/tcase?templateTCaseIds={api.get(path)['id']}"
        return [api.get(path)["version"], *(item["version"] for item in api.get(filled)["data"])]

    for change, expected in (
        ({}, [1, 1, 1]),
        ({"pos": 500}, [1, 1, 1]),
        ({"priority": "low"}, [2, 1, 1]),
        ({"tags": ["smoke"], "isDraft": False} | body, [3, 1, 1]),
        ({"steps": [{"description": "Use ${card}"}]}, [4, 2, 2]),
        ({"tags": ["regression"]}, [5, 3, 3]),
        ({"parameterValues": [{"values": {"card": "JCB"}}, values[1]]}, [6, 3, 4]),
    ):
        api.patch(path, change)
        assert versions() == expected, change


def test_a_filled_title_has_the_limit_of_any_other(api: Api):
    body = {"title": "${a}" * 100, "folderId": 1, "type": "template", "priority": "low"}
    values = [{"values": {"a": "x" * 6}}]
    refused = api.post("/project/BD/tcase", body | {"parameterValues": values}, status=400)
    assert refused["message"] == "title of a filled test case must be 1-511 characters long"
    assert api.get("/project/BD/tcase/count") == {"count": 59}
