"""Test cases: list, one, count, by marker, create, update, bulk create."""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, select

from runs_as_code.server import guesses
from runs_as_code.server.rules.casefilters import (
    field_conditions,
    list_conditions,
    sorted_cases,
)
from runs_as_code.server.rules.cases import (
    PRIORITIES,
    TEMPLATE,
    CaseDraft,
    add_case,
    find_case,
    latest_version,
    update_case,
)
from runs_as_code.server.rules.caseviews import INCLUDES, CaseViews
from runs_as_code.server.rules.content import make_content
from runs_as_code.server.rules.customfields import check_required, fields_of
from runs_as_code.server.rules.folders import children_of, ensure_path, with_descendants
from runs_as_code.server.rules.templates import sync_filled
from runs_as_code.server.store.conditions import is_one_of
from runs_as_code.server.store.tables import tcase, tcase_version
from runs_as_code.server.web.bodies import ListOf, MapOf, Struct, check_length, check_path
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import refuse
from runs_as_code.server.web.queries import Page, make_page, read_page

_LINK = Struct("Link", {"text": "string", "url": "string"})
_STEP = Struct("Step", {"description": "string", "expected": "string", "sharedStepId": "int"})
_PRECONDITION = Struct("Precondition", {"text": "string", "sharedPreconditionId": "int"})
_FILE = Struct("File", {"id": "string"})
_CUSTOM_FIELD = Struct("CustomFieldValue", {"value": "string", "isDefault": "bool"})
_PARAMETERS = Struct("ParameterValues", {"values": MapOf("string")})
_CASE_FIELDS: dict[str, Any] = {
    "title": "string",
    "priority": "string",
    "comment": "string",
    "tags": ListOf("string"),
    "isDraft": "bool",
    "steps": ListOf(_STEP),
    "precondition": _PRECONDITION,
    "pos": "int",
    "requirements": ListOf(_LINK),
    "links": ListOf(_LINK),
    "customFields": MapOf(_CUSTOM_FIELD),
    "files": ListOf(_FILE),
    "parameterValues": ListOf(_PARAMETERS),
    "filledTCaseTitleSuffixParams": ListOf("string"),
}
_CREATE = Struct("CreateTCaseRequest", _CASE_FIELDS | {"type": "string", "folderId": "int"})
_UPDATE = Struct("UpdateTCaseRequest", _CASE_FIELDS)
_BULK_CASE = Struct("BulkTCase", {"title": "string", "tags": ListOf("string")})
_BULK = Struct(
    "BulkCreateTCasesRequest", {"folderPath": ListOf("string"), "tcases": ListOf(_BULK_CASE)}
)
_BY_SEQ = Struct(
    "GetTCasesBySeqRequest",
    {"seqIds": ListOf("string"), "offset": "int", "limit": "int", "page": "int"},
)
# SQLite takes a limited number of variables in one statement.
_NAMED_IDS = 500
_MAX_POSITION = 2**31 - 1
_MAX_FILLED = 100
_OF_TEMPLATES = ("parameterValues", "filledTCaseTitleSuffixParams")


def list_cases(call: Call) -> Reply:
    """List cases in pages; the folder filter takes no subfolders [DOC tcases]."""
    conditions = list_conditions(call.query, call.query.integers("folders"))
    conditions += _field_conditions(call)
    return Reply(_page_of(call, conditions, read_page(call.query), sort=True))


def _field_conditions(call: Call) -> list[Any]:
    return field_conditions(call.query, fields_of(call.connection, call.project_id))


def _page_of(call: Call, conditions: list[Any], page: Page, *, sort: bool) -> dict[str, object]:
    conditions = [tcase.c.project_id == call.project_id, *conditions]
    total = call.connection.scalar(select(func.count()).select_from(tcase).where(*conditions))
    query = select(tcase).where(*conditions).offset(page.offset).limit(page.limit)
    query = sorted_cases(call.query, query) if sort else query.order_by(tcase.c.seq)
    rows = call.connection.execute(query).all()
    versions = _versions(call, [row.id for row in rows])
    include = call.query.choices("include", INCLUDES)
    views = CaseViews(call.connection, call.project)
    data = [_show(views, row, versions[row.id], include) for row in rows]
    return page.reply(data, total or 0)


def _show(
    views: CaseViews, row: Row[Any], version: Row[Any], include: Collection[str]
) -> dict[str, Any]:
    details = views.details(row, version.content, version.created_at, include)
    return views.base(row, version) | details


def _versions(call: Call, ids: list[str]) -> dict[str, Any]:
    newest = tcase.c.version == tcase_version.c.version
    query = (
        select(tcase_version)
        .join(tcase, (tcase.c.id == tcase_version.c.tcase_id) & newest)
        .where(tcase.c.project_id == call.project_id)
    )
    if len(ids) <= _NAMED_IDS:
        query = query.where(tcase.c.id.in_(ids))
    return {row.tcase_id: row for row in call.connection.execute(query)}


def count_cases(call: Call) -> Reply:
    """Count cases; `recursive` takes in subfolders and needs `folders` [DOC]."""
    folders = call.query.integers("folders")
    if call.query.flag("recursive"):
        if not folders:
            raise refuse("recursive requires folders")
        children = children_of(call.connection, call.project_id)
        folders = sorted(with_descendants(children, folders))
    conditions = [tcase.c.project_id == call.project_id, *list_conditions(call.query, folders)]
    conditions += _field_conditions(call)
    found = call.connection.scalar(select(func.count()).select_from(tcase).where(*conditions))
    return Reply({"count": found})


def get_case(call: Call) -> Reply:
    """Show one case in full by id, sequence number or legacy id [CLI-LIVE]."""
    row = find_case(call.connection, call.project_id, call.path["tcase"])
    version = latest_version(call.connection, row)
    views = CaseViews(call.connection, call.project)
    return Reply(_show(views, row, version, INCLUDES))


def find_by_markers(call: Call) -> Reply:
    """List cases by markers such as `BD-012`; unknown ones are left out [CLI]."""
    body = call.body(_BY_SEQ)
    for name in ("offset", "limit", "page"):
        if body.get(name, 0) < 0:
            raise refuse(f"{name} must not be negative")
    code = call.project.code if call.project is not None else ""
    found = (re.fullmatch(rf"{code}-([0-9]{{1,18}})", text) for text in body.get("seqIds", ()))
    seqs = {int(match[1]) for match in found if match}
    page = make_page(body.get("offset"), body.get("limit"), body.get("page"))
    return Reply(_page_of(call, [is_one_of(tcase.c.seq, seqs)], page, sort=False))


def create_case(call: Call) -> Reply:
    """Create a case, standalone or template [MCP-LIVE]."""
    body = call.body(_CREATE)
    check_length(body, "title", 1, 511)
    kind = body.get("type", "")
    if kind not in {"standalone", "template"}:
        raise refuse("type must be one of standalone, template")
    if body.get("folderId", 0) <= 0:
        raise refuse("folderId is required")
    if "priority" not in body:
        raise refuse("priority is required")
    _check_fields(body, kind)
    check_required(call.connection, call.project_id, body.get("customFields", {}))
    draft = CaseDraft(
        title=body["title"],
        folder_id=body["folderId"],
        priority=body["priority"],
        type=kind,
        pos=body.get("pos"),
        is_draft=body.get("isDraft", False),
        tags=body.get("tags", ()),
        content=make_content(call.connection, call.project_id, body),
    )
    case_id, seq = add_case(call.connection, call.project_id, draft, call.caller.id)
    if kind == TEMPLATE:
        sync_filled(call.connection, case_id, call.caller.id)
    return Reply({"id": case_id, "seq": seq}, 201)


def change_case(call: Call) -> Reply:
    """Update a case, which makes a new version [MCP-LIVE]."""
    row = find_case(call.connection, call.project_id, call.path["tcase"])
    body = call.body(_UPDATE)
    if "title" in body:
        check_length(body, "title", 1, 511)
    _check_fields(body, row.type)
    names = {"title": "title", "priority": "priority", "isDraft": "is_draft", "pos": "pos"}
    fields = {column: body[name] for name, column in names.items() if name in body}
    content = make_content(call.connection, call.project_id, body)
    if "customFields" in content:
        older = latest_version(call.connection, row).content.get("customFields", {})
        content["customFields"] = older | content["customFields"]
    is_new = update_case(call.connection, row, fields, content, body.get("tags"))
    if is_new and row.type == TEMPLATE:
        sync_filled(call.connection, row.id, call.caller.id)
    return Reply({"message": "Test case updated"})


def _check_fields(body: dict[str, Any], kind: str) -> None:
    if kind != TEMPLATE and any(body.get(name) for name in _OF_TEMPLATES):
        raise refuse(f"{' and '.join(_OF_TEMPLATES)} are for template test cases only")
    _check_tags(body)
    if body.get("priority", PRIORITIES[0]) not in PRIORITIES:
        raise refuse("priority must be one of low, medium, high")
    if not 0 <= body.get("pos", 0) <= _MAX_POSITION:
        raise refuse(f"pos must be 0-{_MAX_POSITION}")
    if len(body.get("parameterValues", ())) > _MAX_FILLED:
        raise refuse(f"parameterValues must be at most {_MAX_FILLED}")
    for item in body.get("requirements", ()):
        check_length(item, "text", 1, 255)
        check_length(item, "url", 0, 255)
    for link in body.get("links", ()):
        check_length(link, "text", 1, 255)
        check_length(link, "url", 1, 255)


def _check_tags(body: dict[str, Any]) -> None:
    if any(len(title) > guesses.TAG_TITLE_LIMIT for title in body.get("tags", ())):
        raise refuse(f"tags must be at most {guesses.TAG_TITLE_LIMIT} characters long")


def create_cases(call: Call) -> Reply:
    """Create many cases in one folder, which is made where missing [CLI]."""
    body = call.body(_BULK)
    path = body.get("folderPath", [])
    check_path(path, "folderPath")
    wanted = body.get("tcases", [])
    if not wanted:
        raise refuse("tcases is required")
    for item in wanted:
        check_length(item, "title", 1, 511)
        _check_tags(item)
    folder_id = ensure_path(call.connection, call.project_id, path)[-1]
    made = []
    for item in wanted:
        draft = CaseDraft(item["title"], folder_id, "medium", tags=item.get("tags", ()))
        case_id, seq = add_case(call.connection, call.project_id, draft, call.caller.id)
        made.append({"id": case_id, "seq": seq})
    return Reply({"tcases": made}, guesses.BULK_CASES_STATUS)


ENDPOINTS = (
    Endpoint("GET", "/project/{project}/tcase", list_cases),
    Endpoint("POST", "/project/{project}/tcase", create_case, "user"),
    Endpoint("GET", "/project/{project}/tcase/count", count_cases),
    Endpoint("POST", "/project/{project}/tcase/seq", find_by_markers, is_read=True),
    Endpoint("POST", "/project/{project}/tcase/bulk", create_cases, "user"),
    Endpoint("GET", "/project/{project}/tcase/{tcase}", get_case),
    Endpoint("PATCH", "/project/{project}/tcase/{tcase}", change_case, "user"),
)
