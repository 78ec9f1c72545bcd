"""Runs, their test cases and their results [SEED, CLI]."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select

from runs_as_code.server import guesses
from runs_as_code.server.rules import results
from runs_as_code.server.rules.cases import PRIORITIES, STANDALONE, TEMPLATE, find_case
from runs_as_code.server.rules.caseviews import CaseViews
from runs_as_code.server.rules.folders import unknown_ids
from runs_as_code.server.rules.memberfilters import filter_members
from runs_as_code.server.rules.members import LIVE, TYPES, content_of, is_newest, list_members
from runs_as_code.server.rules.membership import may_enter_runs
from runs_as_code.server.rules.milestones import list_milestones
from runs_as_code.server.rules.people import users_by_id
from runs_as_code.server.rules.runs import (
    LISTED,
    Draft,
    add_run,
    clone_run,
    close_run,
    count_statuses,
    get_run,
)
from runs_as_code.server.rules.statuses import show_counts
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.conditions import is_one_of
from runs_as_code.server.store.ids import new_id
from runs_as_code.server.store.tables import run, run_log, tag, tcase
from runs_as_code.server.web.bodies import ListOf, Struct, check_length
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import ApiError, missing, refuse

PLAN = Struct(
    "QueryPlan",
    {
        "tcaseIds": ListOf("string"),
        "folderIds": ListOf("int"),
        "tagIds": ListOf("int"),
        "priorities": ListOf("string"),
    },
)
_COMMON: dict[str, Any] = {
    "title": "string",
    "description": "string",
    "milestoneId": "int",
    "assignmentId": "int",
    "configurationId": "string",
    "links": ListOf("string"),
    "integrationLink": "string",
}
_CREATE = Struct("CreateRunRequest", _COMMON | {"type": "string", "queryPlans": ListOf(PLAN)})
_LOG = Struct("AddRunLogRequest", {"comment": "string"})
_LINKS_OF_A_RESULT = 1000  # what keeps their numbers apart
_CLONE = Struct("CloneRunRequest", _COMMON | {"runId": "int"})


def list_runs(call: Call) -> Reply:
    """List the runs of a project with their status counts, newest first."""
    query = call.query
    conditions = [run.c.project_id == call.project_id]
    if milestones := query.integers("milestoneIds"):
        conditions.append(is_one_of(run.c.milestone_id, milestones))
    if configurations := query.texts("configurationIds"):
        conditions.append(is_one_of(run.c.configuration_id, configurations))
    counted = conditions if guesses.COUNTERS_OBEY_FILTERS else conditions[:1]
    is_closed = query.flag("closed")
    order = run.c.id.desc() if guesses.RUNS_NEWEST_FIRST else run.c.id
    wanted = LISTED.where(*conditions).order_by(order)
    if is_closed is not None:
        wanted = wanted.where(
            run.c.closed_at.is_not(None) if is_closed else run.c.closed_at.is_(None)
        )
    limit = query.integer("limit")
    if limit is not None and not (limit == 0 and guesses.RUN_LIMIT_ZERO_IS_NO_LIMIT):
        wanted = wanted.limit(limit)
    rows = call.connection.execute(wanted).all()
    counter = select(func.count(run.c.closed_at), func.count()).where(*counted)
    closed, total = call.connection.execute(counter).one()
    return Reply({"runs": _show_runs(call, rows), "closed": closed, "open": total - closed})


def _show_runs(call: Call, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    connection = call.connection
    counts = count_statuses(connection, call.project_id, rows)
    users = users_by_id(connection)
    milestones = {item["id"]: item for item in list_milestones(connection, call.project_id)}
    row = call.project
    project = row and {"id": row.id, "code": row.code, "title": row.title}
    return [
        {
            "id": row.id,
            "type": row.type,
            "projectId": row.project_id,
            "project": project,
            "milestoneId": row.milestone_id,
            "milestone": milestones.get(row.milestone_id),
            "assignmentId": row.assignment_id,
            "assignment": users.get(row.assignment_id),
            "title": row.title,
            "description": row.description,
            "statusCounts": show_counts(counts[row.id]),
            "timeSpent": row.time_spent,
            "createdAt": row.created_at,
            "closedAt": row.closed_at,
            "closedByUserId": row.closed_by,
        }
        for row in rows
    ]


def create_run(call: Call) -> Reply:
    """Create a run; static types fix their test cases now."""
    body = call.body(_CREATE)
    _check_texts(body)
    kind = body.get("type", "")
    if kind not in TYPES:
        raise refuse("type must be one of static, static_struct, live")
    plans = body.get("queryPlans", [])
    check_plans(kind, plans)
    for plan in plans:
        check_selection(call, plan)
    draft = _draft(body, kind, plans)
    made = add_run(call.connection, call.project_id, draft, call.caller.id, call.options)
    return Reply({"id": made}, 201)


def _check_texts(body: dict[str, Any]) -> None:
    check_length(body, "title", 1, 255)
    check_length(body, "description", 0, 512)
    link = body.get("integrationLink")
    if link and not link.startswith(("https://", "http://")):
        raise refuse("integrationLink must be a URL")


def _draft(body: dict[str, Any], kind: str, plans: Sequence[dict[str, Any]]) -> Draft:
    return Draft(
        title=body["title"],
        type=kind,
        query_plans=plans,
        description=body.get("description", ""),
        milestone_id=body.get("milestoneId"),
        assignment_id=body.get("assignmentId"),
        configuration_id=body.get("configurationId"),
        links=body.get("links", ()),
        integration_link=body.get("integrationLink"),
    )


def check_plans(kind: str, plans: Sequence[dict[str, Any]]) -> None:
    """Refuse query plans that a run of this type can't have [SEED]."""
    if not plans:
        raise refuse("queryPlans is required")
    if kind != LIVE and len(plans) > 1:
        raise refuse("only one query plan is allowed for non-live runs")
    for plan in plans:
        if kind == LIVE and plan.get("tcaseIds"):
            raise refuse("tcaseIds are not allowed for live runs")
        if kind == LIVE and not plan.get("folderIds"):
            raise refuse("at least one folderID is required per query plan for live runs")
        if guesses.EMPTY_PLAN_IS_REFUSED and not any(plan.values()):
            raise refuse("query plan must have at least one filter")
        for priority in plan.get("priorities", ()):
            if priority not in PRIORITIES:
                raise refuse("priorities must be one of low, medium, high")


def check_selection(call: Call, plan: dict[str, Any]) -> None:
    """Refuse ids in a query plan that the project does not have, templates, and drafts."""
    connection = call.connection
    if unknown_ids(connection, call.project_id, plan.get("folderIds", ())):
        raise refuse("folder not found")
    if wanted := set(plan.get("tagIds", ())):
        known = connection.scalars(select(tag.c.id).where(tag.c.project_id == call.project_id))
        if wanted - set(known):
            raise refuse("tag not found")
    if ids := set(plan.get("tcaseIds", ())):
        _check_named(call, ids)


def _check_named(call: Call, ids: set[str]) -> None:
    columns = tcase.c.id, tcase.c.type, tcase.c.is_draft
    rows = call.connection.execute(select(*columns).where(tcase.c.project_id == call.project_id))
    named = {row.id: row for row in rows if row.id in ids}
    if ids - named.keys():
        raise refuse("test case not found")
    if any(row.type == TEMPLATE for row in named.values()):
        raise refuse("template test cases can't be added to a run")
    if not all(may_enter_runs(row.type, is_draft=row.is_draft) for row in named.values()):
        raise refuse("draft test cases can't be added to a run")


def clone(call: Call) -> Reply:
    """Clone a run: same type and plans, everything open again."""
    body = call.body(_CLONE)
    if "runId" not in body:
        raise refuse("runId is required")
    _check_texts(body)
    source = get_run(call.connection, call.project_id, body["runId"])
    if guesses.CLONE_INHERITS_FIELDS:
        inherited = {"milestoneId": source.milestone_id, "assignmentId": source.assignment_id}
        body = inherited | body
    draft = _draft(body, source.type, source.query_plans)
    made = clone_run(call.connection, source, draft, call.caller.id, call.options)
    note = {"run": made, "clonedFrom": source.id}
    return Reply({"id": made}, guesses.CLONE_STATUS, note)


def close(call: Call) -> Reply:
    """Close a run for good; a body is not looked at [CLI-LIVE]."""
    close_run(
        call.connection,
        get_run(call.connection, call.project_id, call.path["run"]),
        call.caller.id,
    )
    return Reply({"message": "Run closed"})


def add_log(call: Call) -> Reply:
    """Add a comment to a run's log, which nothing reads back [CLI]."""
    row = get_run(call.connection, call.project_id, call.path["run"])
    comment = call.body(_LOG).get("comment", "")
    if not comment:
        raise refuse("comment is required")
    if row.closed_at is not None and not guesses.CLOSED_RUNS_TAKE_LOGS:
        raise ApiError(guesses.CLOSED_RUN_STATUS, guesses.MESSAGE_RUN_CLOSED)
    log_id = new_id()
    call.connection.execute(
        insert(run_log).values(
            id=log_id,
            run_id=row.id,
            user_id=call.caller.id,
            comment=comment,
            created_at=now(),
        )
    )
    return Reply({"id": log_id}, guesses.RUN_LOG_STATUS)


def list_run_cases(call: Call) -> Reply:
    """List the test cases of a run with their statuses."""
    row = get_run(call.connection, call.project_id, call.path["run"])
    has_folders = call.query.choice("include", ("folder",)) is not None
    views = CaseViews(call.connection, call.project)
    members = filter_members(list_members(call.connection, row), call.query, views)
    return Reply({"tcases": [_show_member(member, views, has_folders) for member in members]})


def _show_member(member: Row[Any], views: CaseViews, has_folders: bool) -> dict[str, Any]:  # noqa: FBT001 - internal, positional for speed
    shown = {
        "id": member.id,
        "version": member.version,
        "legacyId": member.legacy_id,
        "type": member.type,
        "folderId": member.folder_id,
        "pos": member.pos,
        "seq": member.seq,
        "title": member.title,
        "priority": member.priority,
        "status": member.status,
        "isAutomated": member.is_automated,
        "isEmpty": member.is_empty,
    }
    if member.type != STANDALONE:
        shown["templateTCaseId"] = member.template_id
    return shown | {"folder": views.folder(member.folder_id)} if has_folders else shown


def get_run_case(call: Call) -> Reply:
    """Show one test case of a run with its results, by id, sequence number or legacy id."""
    row = get_run(call.connection, call.project_id, call.path["run"])
    case = find_case(call.connection, call.project_id, call.path["tcase"])
    found = list_members(call.connection, row, case.id)
    if not found:
        raise missing("Test case")
    member = found[0]
    content = content_of(member)
    views = CaseViews(call.connection, call.project)
    include = ("tags", "steps", "precondition", "requirements", "customFields")
    shown = _show_member(member, views, has_folders=True)
    shown |= {
        "comment": content.get("comment", ""),
        "links": content.get("links") or None,
        "files": views.files(content),
        "authorId": member.author_id,
        "createdAt": member.created_at,
        "isLatestVersion": is_newest(call.connection, row, member),
    }
    shown |= views.details(member, content, member.written_at, include)
    return Reply(shown | {"results": _show_results(call, row.id, case.id)})


def _show_results(call: Call, run_id: int, case_id: str) -> list[dict[str, Any]]:
    users = users_by_id(call.connection)
    return [
        {
            "id": row.id,
            "tcaseId": row.tcase_id,
            "tcaseVersion": row.version,
            "authorId": row.author_id,
            "author": users.get(row.author_id),
            "status": row.status,
            "comment": row.comment,
            "links": _show_links(row) or None,
            "timeTaken": row.time_taken,
            "apiKeyId": row.api_key_id,
            "internal": False,
            "createdAt": row.created_at,
        }
        for row in results.list_results(call.connection, run_id, case_id)
    ]


def _show_links(row: Row[Any]) -> list[dict[str, Any]]:
    """Build a result's links; there are no integrations, so theirs is a nameless custom one."""
    return [
        {
            "id": row.id * _LINKS_OF_A_RESULT + number,
            "resultId": row.id,
            "integrationId": link.get("integrationId", ""),
            "integration": {
                "id": link.get("integrationId", ""),
                "name": "",
                "type": "custom",
                "config": {},
            },
            "url": link.get("url", ""),
            "text": link.get("text", ""),
            "meta": {},
        }
        for number, link in enumerate(row.links)
    ]


ENDPOINTS = (
    Endpoint("GET", "/project/{project}/run", list_runs),
    Endpoint("POST", "/project/{project}/run", create_run, "test-runner"),
    Endpoint("POST", "/project/{project}/run/clone", clone, "test-runner"),
    Endpoint("POST", "/project/{project}/run/{run}/close", close, "test-runner"),
    Endpoint("POST", "/project/{project}/run/{run}/log", add_log, "test-runner"),
    Endpoint("GET", "/project/{project}/run/{run}/tcase", list_run_cases),
    Endpoint("GET", "/project/{project}/run/{run}/tcase/{tcase}", get_run_case),
)
