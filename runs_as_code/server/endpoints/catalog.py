"""Projects, folders, tags, milestones and users: what names in a manifest resolve to."""

import re
from typing import Any

from sqlalchemy import Row, func, insert, select

from runs_as_code.server import guesses
from runs_as_code.server.rules.casefilters import read_sorting
from runs_as_code.server.rules.folders import ROOT, add_folder, ensure_path
from runs_as_code.server.rules.milestones import add_milestone, list_milestones
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.conditions import contains
from runs_as_code.server.store.ids import new_id
from runs_as_code.server.store.tables import folder, project, tag, tcase, tcase_tag, user
from runs_as_code.server.web.bodies import ListOf, Struct, check_length, check_path
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import ApiError, refuse
from runs_as_code.server.web.queries import read_page

_LINK = Struct("Link", {"text": "string", "url": "string"})
_CREATE_PROJECT = Struct(
    "CreateProjectRequest",
    {
        "code": "string",
        "title": "string",
        "links": ListOf(_LINK),
        "overviewTitle": "string",
        "overviewDescription": "string",
        "skipDefaultFolder": "bool",
    },
)
_FOLDER = Struct("BulkFolder", {"path": ListOf("string"), "comment": "string"})
_BULK_FOLDERS = Struct("BulkUpsertFoldersRequest", {"folders": ListOf(_FOLDER)})
_MILESTONE = Struct("CreateMilestoneRequest", {"title": "string"})
_FOLDER_SORTING = {
    "id": folder.c.id,
    "project_id": folder.c.project_id,
    "title": folder.c.title,
    "pos": folder.c.pos,
    "parent_id": folder.c.parent_id,
    "created_at": folder.c.created_at,
    "updated_at": folder.c.updated_at,
}
_TAG_SORTING = {"created_at": tag.c.created_at, "title": tag.c.title}


def _show_project(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "title": row.title,
        "description": row.overview_description,
        "overviewTitle": row.overview_title,
        "overviewDescription": row.overview_description,
        "links": row.links,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "archivedAt": row.archived_at,
    }


def list_projects(call: Call) -> Reply:
    """List all projects [DOC project, S]."""
    rows = call.connection.execute(select(project).order_by(project.c.created_at, project.c.code))
    return Reply({"projects": [_show_project(row) for row in rows]})


def get_project(call: Call) -> Reply:
    """Show one project by code or id [DOC]."""
    row = call.connection.execute(select(project).where(project.c.id == call.project_id)).one()
    return Reply(_show_project(row))


def create_project(call: Call) -> Reply:
    """Create a project, with its default folder unless that is skipped [S]."""
    body = call.body(_CREATE_PROJECT)
    code = body.get("code", "")
    if not re.fullmatch(r"[A-Za-z0-9]{2,5}", code):
        raise refuse("code must be 2-5 characters long and contain only letters and digits")
    check_length(body, "title", 1, 255)
    check_length(body, "overviewTitle", 0, 255)
    for link in body.get("links", ()):
        check_length(link, "text", 1, 255)
        check_length(link, "url", 1, 255)
    if call.connection.scalar(select(project.c.id).where(project.c.code == code)) is not None:
        raise ApiError(409, "duplicate project code")
    moment = now()
    values = {
        "id": new_id(),
        "code": code,
        "title": body["title"],
        "overview_title": body.get("overviewTitle", ""),
        "overview_description": body.get("overviewDescription", ""),
        "links": body.get("links", []),
        "created_at": moment,
        "updated_at": moment,
        "last_seq": 0,
    }
    call.connection.execute(insert(project).values(values))
    if not body.get("skipDefaultFolder"):
        add_folder(call.connection, values["id"], ROOT, guesses.DEFAULT_FOLDER_TITLE)
    return Reply({"id": values["id"]}, 201)


def list_folders(call: Call) -> Reply:
    """List folders in pages; `search` looks at titles [DOC api/folders, CLI]."""
    page = read_page(call.query)
    conditions = [folder.c.project_id == call.project_id]
    if search := call.query.text("search"):
        conditions.append(contains(folder.c.title, search))
    total = call.connection.scalar(select(func.count()).select_from(folder).where(*conditions))
    sorting = read_sorting(call.query, _FOLDER_SORTING)
    by = (folder.c.id,) if sorting is None else (sorting, folder.c.id)
    query = select(folder).where(*conditions).order_by(*by).offset(page.offset).limit(page.limit)
    data = [
        {
            "id": row.id,
            "title": row.title,
            "comment": row.comment,
            "pos": row.pos,
            "parentId": row.parent_id,
            "projectId": row.project_id,
        }
        for row in call.connection.execute(query)
    ]
    return Reply(page.reply(data, total or 0))


def upsert_folders(call: Call) -> Reply:
    """Make folder paths where they are missing; return the ids along each path [MCP-LIVE]."""
    wanted = call.body(_BULK_FOLDERS).get("folders", [])
    if not wanted:
        raise refuse("folders is required")
    for item in wanted:
        check_path(item.get("path", []), "path")
    ids = [
        ensure_path(call.connection, call.project_id, item["path"], item.get("comment"))
        for item in wanted
    ]
    return Reply({"ids": ids})


def list_tags(call: Call) -> Reply:
    """List the tags of a project [DOC tag, S]."""
    sorting = read_sorting(call.query, _TAG_SORTING)
    by = (tag.c.id,) if sorting is None else (sorting, tag.c.id)
    rows = call.connection.execute(
        select(tag).where(tag.c.project_id == call.project_id).order_by(*by)
    )
    tags = [{"id": row.id, "title": row.title} for row in rows]
    if call.query.choice("include", ("tcaseCount",)):
        counts = _tag_counts(call)
        tags = [item | {"tcaseCount": counts.get(item["id"], 0)} for item in tags]
    return Reply({"tags": tags})


def _tag_counts(call: Call) -> dict[int, int]:
    rows = call.connection.execute(
        select(tcase_tag.c.tag_id, func.count())
        .join(tcase, tcase.c.id == tcase_tag.c.tcase_id)
        .where(tcase.c.project_id == call.project_id)
        .group_by(tcase_tag.c.tag_id)
    )
    return {row[0]: row[1] for row in rows}


def get_milestones(call: Call) -> Reply:
    """List milestones; without `archived` all of them [CLI]."""
    is_archived = call.query.flag("archived")
    found = list_milestones(call.connection, call.project_id, is_archived=is_archived)
    return Reply({"milestones": found})


def create_milestone(call: Call) -> Reply:
    """Create a milestone."""
    body = call.body(_MILESTONE)
    check_length(body, "title", 1, 255)
    made = add_milestone(call.connection, call.project_id, body["title"])
    return Reply({"id": made}, guesses.MILESTONE_STATUS)


def list_users(call: Call) -> Reply:
    """List users; ids are shown as the client's type has them, unless switched off [CLI]."""
    users = [
        {
            **({"id": row.id} if call.options.has_user_ids else {}),
            "email": row.email,
            "name": row.name,
            "role": row.role,
            "authorizationTypes": ["password"],
            "totpEnabled": False,
            "createdAt": row.created_at,
            "lastActivity": row.last_activity,
        }
        for row in call.connection.execute(select(user).order_by(user.c.id))
    ]
    return Reply({"users": users})


def get_me(call: Call) -> Reply:
    """Show the user whose key it is [CLI]."""
    me = call.caller
    shown = {"id": me.id, "email": me.email, "name": me.name, "avatar": me.avatar}
    return Reply({"user": shown | {"role": me.role}})


ENDPOINTS = (
    Endpoint("GET", "/project", list_projects),
    Endpoint("POST", "/project", create_project, "admin"),
    Endpoint("GET", "/project/{project}", get_project),
    Endpoint("GET", "/project/{project}/tcase/folders", list_folders),
    Endpoint("POST", "/project/{project}/tcase/folder/bulk", upsert_folders, "user"),
    Endpoint("GET", "/project/{project}/tag", list_tags),
    Endpoint("GET", "/project/{project}/milestone", get_milestones),
    Endpoint("POST", "/project/{project}/milestone", create_milestone, "user"),
    Endpoint("GET", "/users", list_users, "admin"),
    Endpoint("GET", "/users/me", get_me),
)
