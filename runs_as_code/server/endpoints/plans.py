"""Test plans: several runs made at once; they are seen in the run list only [DOC api/plan]."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select

from runs_as_code.server import guesses
from runs_as_code.server.endpoints.runs import PLAN, check_plans, check_selection
from runs_as_code.server.rules.members import TYPES
from runs_as_code.server.rules.milestones import check_milestone
from runs_as_code.server.rules.runs import Draft, add_run, mangle
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.tables import test_plan
from runs_as_code.server.web.bodies import ListOf, Struct, check_length
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import ApiError, refuse

_RUN = Struct(
    "CreatePlanRun",
    {
        "title": "string",
        "description": "string",
        "type": "string",
        "assignmentId": "int",
        "configurationId": "string",
        "queryPlans": ListOf(PLAN),
    },
)
_CREATE = Struct(
    "CreatePlanRequest",
    {"title": "string", "description": "string", "milestoneId": "int", "runs": ListOf(_RUN)},
)


def create_plan(call: Call) -> Reply:
    """Make a test plan and all its runs, or nothing."""
    body = call.body(_CREATE)
    check_length(body, "title", 1, 255)
    check_length(body, "description", 0, 512)
    if not body.get("runs"):
        raise refuse("runs is required")
    milestone_id = body.get("milestoneId")
    check_milestone(call.connection, call.project_id, milestone_id)
    _check_title(call, body["title"], milestone_id)
    _check_run_titles(call, body["runs"])
    made = call.connection.execute(
        insert(test_plan).values(
            project_id=call.project_id,
            title=body["title"],
            description=body.get("description", ""),
            milestone_id=milestone_id,
            created_at=now(),
        )
    ).inserted_primary_key
    plan_id = int(made[0]) if made else 0
    for item in body["runs"]:
        draft = _read_run(call, item, milestone_id, plan_id)
        add_run(call.connection, call.project_id, draft, call.caller.id, call.options)
    return Reply({"id": plan_id}, guesses.PLAN_STATUS)


def _check_title(call: Call, title: str, milestone_id: int | None) -> None:
    holder = call.connection.scalar(
        select(test_plan.c.id).where(
            test_plan.c.project_id == call.project_id,
            test_plan.c.title == title,
            test_plan.c.milestone_id.is_not_distinct_from(milestone_id),
        )
    )
    if holder is not None:
        raise ApiError(
            guesses.TITLE_CONFLICT_STATUS,
            f"plan title must be unique within the milestone, conflicting plan id: {holder}",
        )


def _check_run_titles(call: Call, runs: Sequence[Mapping[str, Any]]) -> None:
    # Not left to the check of each run: the id that it names is rolled back with the plan.
    if call.options.title_scope == "none":
        return
    given = [item["title"] for item in runs if item.get("title")]
    titles = [mangle(title, call.options.mangle_text) for title in given]
    if len(set(titles)) < len(titles):
        raise refuse(guesses.MESSAGE_TITLE_TWICE_IN_PLAN)


def _read_run(call: Call, item: dict[str, Any], milestone_id: int | None, plan_id: int) -> Draft:
    check_length(item, "title", 1, 255)
    check_length(item, "description", 0, 512)
    kind = item.get("type", guesses.PLAN_RUN_TYPE)
    if kind not in TYPES:
        raise refuse("type must be one of static, static_struct, live")
    plans = item.get("queryPlans", [])
    if len(plans) != 1:
        raise refuse("a run of a plan must have exactly one query plan")
    check_plans(kind, plans)
    check_selection(call, plans[0])
    return Draft(
        title=item["title"],
        type=kind,
        query_plans=plans,
        description=item.get("description", ""),
        milestone_id=milestone_id,
        assignment_id=item.get("assignmentId"),
        configuration_id=item.get("configurationId"),
        test_plan_id=plan_id,
    )


ENDPOINTS = (Endpoint("POST", "/project/{project}/plan", create_plan, "test-runner"),)
