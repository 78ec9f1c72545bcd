"""Creating, listing, cloning and closing runs: rules, limits, messages."""

import pytest
from server.conftest import Start
from server.support import Api

PLANS = [{"folderIds": [2]}]
SEED_CASES = ["1CEPaUhgH_Tvt2LZygwVRQa", "1CAPaUhgH_Tvt2LZygwVRTb", "1EEPaUhgH_Tvt2LZygwVRLm"]


def body(**changes: object) -> dict[str, object]:
    made = {"title": "A run", "type": "live", "queryPlans": PLANS} | changes
    return {name: value for name, value in made.items() if value is not ...}


def test_the_example_calls_of_the_documentation_answer_as_documented(api: Api):
    live = {
        "title": "Sprint 23 Regression",
        "description": "Regression test suite for Sprint 23 release",
        "type": "live",
        "milestoneId": 5,
        "queryPlans": [{"folderIds": [1, 2], "tagIds": [1], "priorities": ["high"]}],
    }
    static = {
        "title": "Specific Test Cases Run",
        "type": "static",
        "queryPlans": [{"tcaseIds": SEED_CASES}],
    }
    clone = {
        "runId": 1,
        "title": "Sprint 24 Regression - Clone",
        "description": "Cloned regression suite for Sprint 24",
        "milestoneId": 5,
        "assignmentId": 1,
    }

    assert api.post("/project/BD/run", live) == {"id": 1}
    assert api.post("/project/BD/run", static) == {"id": 2}
    assert api.post("/project/BD/run/clone", clone) == {"id": 3}
    assert list(api.members(2)) == [SEED_CASES[0], SEED_CASES[1], SEED_CASES[2]]
    assert api.members(1)
    assert api.members(3).keys() == api.members(1).keys()
    assert api.close_run(1) == {"message": "Run closed"}


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"title": ...}, 400, "title is required"),
        ({"title": ""}, 400, "title is required"),
        ({"title": "x" * 256}, 400, "title must be 1-255 characters long"),
        ({"description": "x" * 513}, 400, "description must be at most 512 characters long"),
        ({"type": "dead"}, 400, "type must be one of static, static_struct, live"),
        ({"type": ...}, 400, "type must be one of static, static_struct, live"),
        ({"queryPlans": ...}, 400, "queryPlans is required"),
        ({"queryPlans": []}, 400, "queryPlans is required"),
        (
            {"type": "static", "queryPlans": PLANS * 2},
            400,
            "only one query plan is allowed for non-live runs",
        ),
        (
            {"queryPlans": [*PLANS, {"tagIds": [1]}]},
            400,
            "at least one folderID is required per query plan for live runs",
        ),
        (
            {"queryPlans": [{"folderIds": [1], "tcaseIds": SEED_CASES}]},
            400,
            "tcaseIds are not allowed for live runs",
        ),
        ({"type": "static", "queryPlans": [{}]}, 400, "query plan must have at least one filter"),
        ({"queryPlans": [{"folderIds": [999]}]}, 400, "folder not found"),
        ({"queryPlans": [{"folderIds": [1], "tagIds": [99]}]}, 400, "tag not found"),
        (
            {"queryPlans": [{"folderIds": [1], "priorities": ["urgent"]}]},
            400,
            "priorities must be one of low, medium, high",
        ),
        (
            {"type": "static", "queryPlans": [{"tcaseIds": ["1CEPaUhgH_TvtXXXXXXXXXX"]}]},
            400,
            "test case not found",
        ),
        ({"integrationLink": "PROJ-1"}, 400, "integrationLink must be a URL"),
        ({"milestoneId": 99}, 400, "milestone not found"),
        ({"milestoneId": 4}, 400, "milestone is archived"),
        (
            {"assignmentId": 99},
            400,
            "assignee must be an active user with permissions above Viewer role",
        ),
        (
            {"assignmentId": 5},
            400,
            "assignee must be an active user with permissions above Viewer role",
        ),
        (
            {"milestoneId": "5"},
            400,
            (
                "json: cannot unmarshal string into Go struct field CreateRunRequest.milestoneId "
                "of type int"
            ),
        ),
        (
            {"queryPlans": [{"folderIds": [1, "2"]}]},
            400,
            (
                "json: cannot unmarshal string into Go struct field QueryPlan.queryPlans.folderIds "
                "of type int"
            ),
        ),
    ],
)
def test_a_run_that_breaks_a_rule_is_refused_and_not_made(
    api: Api, change: dict[str, object], status: int, message: str
):
    assert api.post("/project/BD/run", body(**change), status=status) == {"message": message}
    assert api.get("/project/BD/run")["runs"] == []


def test_limits_count_characters_and_are_inclusive(api: Api):
    api.post("/project/BD/run", body(title="ü" * 255, description="ü" * 512))
    assert api.run(1)["description"] == "ü" * 512


def test_every_field_of_the_seed_is_in_the_list(api: Api):
    api.make_run("With all", milestoneId=6, assignmentId=7, description="d")
    run = api.run(1)
    assert list(run) == [
        "id",
        "type",
        "projectId",
        "project",
        "milestoneId",
        "milestone",
        "assignmentId",
        "assignment",
        "title",
        "description",
        "statusCounts",
        "timeSpent",
        "createdAt",
        "closedAt",
        "closedByUserId",
    ]
    assert run["milestone"]["title"] == "Sprint 24"
    assert run["assignment"] == {
        "id": 7,
        "email": "ann@example.com",
        "name": "Ann User",
        "avatar": None,
        "role": "user",
    }
    assert run["statusCounts"] == {
        "all": 12,
        "blocked": 0,
        "failed": 0,
        "open": 12,
        "passed": 0,
        "skipped": 0,
    }


def test_the_list_filters_by_state_milestone_and_limit_and_counts_all(api: Api):
    for number, milestone in enumerate((5, 6, 6, None), start=1):
        api.make_run(f"Run {number}", milestoneId=milestone)
    api.close_run(2)

    def ids(**query: object) -> list[int]:
        return [run["id"] for run in api.get("/project/BD/run", params=query)["runs"]]

    assert ids() == [4, 3, 2, 1]
    assert ids(closed="true") == [2]
    assert ids(closed="false") == [4, 3, 1]
    assert ids(milestoneIds=6) == [3, 2]
    assert ids(milestoneIds=[5, 6]) == [3, 2, 1]
    assert ids(limit=2) == [4, 3]
    assert ids(limit=0) == [4, 3, 2, 1]
    assert ids(limit=1, closed="false", milestoneIds=6) == [3]
    counted = api.get("/project/BD/run", params={"limit": 1, "milestoneIds": 6})
    assert (counted["open"], counted["closed"]) == (1, 1)
    api.make_run("Run 5", configurationId="chrome")
    found = api.get("/project/BD/run", params={"configurationIds": ["chrome", "none"]})
    assert ([run["id"] for run in found["runs"]], found["open"], found["closed"]) == ([5], 1, 0)


def test_titles_are_unique_within_the_project_and_closed_runs_count(api: Api):
    run = api.make_run("Taken", milestoneId=5)
    api.close_run(run)
    refused = {"message": f"run title must be unique within the project, conflicting run id: {run}"}
    assert api.post("/project/BD/run", body(title="Taken", milestoneId=6), status=403) == refused
    clone = {"runId": run, "title": "Taken"}
    assert api.post("/project/BD/run/clone", clone, status=403) == refused


def test_titles_may_be_unique_within_the_milestone_only(start: Start):
    api = start(title_scope="milestone")
    api.make_run("Taken", milestoneId=5)
    api.make_run("Taken", milestoneId=6)
    api.make_run("Taken")
    message = api.post("/project/BD/run", body(title="Taken"), status=403)["message"]
    assert message == "run title must be unique within the milestone, conflicting run id: 3"


def test_titles_may_be_free(start: Start):
    api = start(title_scope="none")
    assert api.make_run("Taken") != api.make_run("Taken")


@pytest.mark.parametrize(
    ("how", "stored"),
    [
        ("none", (" a <b> ", " x & y\n")),
        ("trim", ("a <b>", "x & y")),
        ("escape", (" a &lt;b&gt; ", " x &amp; y\n")),
    ],
)
def test_stored_text_may_be_mangled(start: Start, how: str, stored: tuple[str, str]):
    api = start(mangle_text=how)
    api.make_run(" a <b> ", description=" x & y\n")
    assert (api.run(1)["title"], api.run(1)["description"]) == stored


def test_a_trimmed_title_still_has_to_be_unique_and_not_empty(start: Start):
    api = start(mangle_text="trim")
    api.make_run("a")
    api.post("/project/BD/run", body(title=" a "), status=403)
    api.post("/project/BD/run", body(title="  "), status=400)


def test_the_assignee_may_be_ignored(start: Start):
    api = start(ignore_assignee=True)
    api.make_run(assignmentId=7)
    assert api.run(1)["assignmentId"] is None
    assert api.run(1)["assignment"] is None


def test_a_clone_keeps_type_and_plans_and_starts_open(api: Api):
    source = api.make_run("Source", milestoneId=5, assignmentId=7)
    api.result(source, 21)
    clone = api.post("/project/BD/run/clone", {"runId": source, "title": "Clone"})["id"]
    made = api.run(clone)
    assert made["type"] == "live"
    assert made["statusCounts"]["open"] == made["statusCounts"]["all"] == 12
    assert (made["milestoneId"], made["assignmentId"]) == (None, None)
    assert api.run(source)["statusCounts"]["passed"] == 1


def test_a_clone_of_a_live_run_reflects_the_cases_of_today(api: Api):
    source = api.make_run("Source")
    api.close_run(source)
    new = api.make_case()["id"]
    clone = api.post("/project/BD/run/clone", {"runId": source, "title": "Clone"})["id"]
    assert new in api.members(clone)
    assert new not in api.members(source)


@pytest.mark.parametrize("kind", ["static", "static_struct"])
def test_a_clone_of_a_static_run_has_the_members_of_its_source(api: Api, kind: str):
    source = api.make_run("Source", kind)
    api.make_case()
    clone = api.post("/project/BD/run/clone", {"runId": source, "title": "Clone"})["id"]
    assert api.members(clone).keys() == api.members(source).keys()


def test_a_clone_needs_a_run_of_the_project_and_obeys_the_rules_of_a_create(api: Api):
    source = api.make_run("Source")
    api.post("/project", {"code": "ZZ", "title": "Other"})
    path = "/project/BD/run/clone"
    assert api.post(path, {"title": "x"}, status=400) == {"message": "runId is required"}
    api.post(path, {"title": "x", "runId": 99}, status=404)
    api.post("/project/ZZ/run/clone", {"title": "x", "runId": source}, status=404)
    api.post(path, {"title": "x", "runId": source, "milestoneId": 4}, status=400)
    api.post(path, {"title": "x", "runId": source, "assignmentId": 5}, status=400)


def test_a_run_is_closed_once(api: Api):
    run = api.make_run()
    assert api.close_run(run) == {"message": "Run closed"}
    assert api.close_run(run, status=400) == {"message": "run is already closed"}
    assert api.close_run(99, status=404) == {"message": "Run not found"}
    closed = api.run(run)
    assert closed["closedAt"].endswith("Z")
    assert closed["closedByUserId"] == 1


def test_close_takes_no_get_and_looks_at_no_body(api: Api):
    run = api.make_run()
    path = f"/project/BD/run/{run}/close"
    response = api.send("GET", path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json() == {"message": "Method not allowed"}
    headers = {"Content-Type": "application/json"}
    assert api.send("POST", path, content=b"not json", headers=headers).status_code == 200


def test_runs_of_another_project_are_not_found(api: Api):
    run = api.make_run()
    api.post("/project", {"code": "ZZ", "title": "Other"})
    assert api.get(f"/project/ZZ/run/{run}/tcase", 404) == {"message": "Run not found"}
    assert api.get("/project/ZZ/run")["runs"] == []


def test_a_project_is_named_by_code_or_id(api: Api):
    api.make_run()
    project = api.get("/project/BD")["id"]
    assert api.get(f"/project/{project}/run") == api.get("/project/BD/run")
    assert api.get("/project/XX/run", 404) == {"message": "Project not found"}
