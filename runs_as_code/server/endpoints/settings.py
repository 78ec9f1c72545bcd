"""Result statuses, requirements, custom fields, shared steps and preconditions."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Row, Table, select, update

from runs_as_code.server.rules.casefilters import read_sorting
from runs_as_code.server.rules.customfields import fields_of, show_field
from runs_as_code.server.rules.shared import show_shared_precondition, show_shared_step
from runs_as_code.server.rules.statuses import COLORS, CUSTOM
from runs_as_code.server.store.tables import (
    requirement,
    result,
    shared_precondition,
    shared_step,
    status,
    tcase,
    tcase_version,
)
from runs_as_code.server.web.bodies import ListOf, Struct, check_length
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import missing, refuse

_STATUS = Struct(
    "Status", {"id": "string", "name": "string", "color": "string", "isActive": "bool"}
)
_UPDATE_STATUSES = Struct("UpdateStatusesRequest", {"statuses": ListOf(_STATUS)})
_MAX_ID_DIGITS = 18
_Content = dict[str, Any]


def list_statuses(call: Call) -> Reply:
    """List the result statuses [DOC v0/settings]."""
    used = set(call.connection.scalars(select(result.c.status).distinct()))
    statuses = [
        {
            "id": row.id,
            "name": row.name,
            "color": row.color,
            "isDefault": row.is_default,
            "isActive": row.is_active,
            "inUse": row.id in used,
        }
        for row in call.connection.execute(select(status).order_by(status.c.pos))
    ]
    return Reply({"statuses": statuses})


def update_statuses(call: Call) -> Reply:
    """Name, colour and switch custom statuses; the five others can't be changed."""
    wanted = call.body(_UPDATE_STATUSES).get("statuses", [])
    if not wanted:
        raise refuse("statuses is required")
    for item in wanted:
        if item.get("id") not in CUSTOM:
            raise refuse("id must be one of custom1, custom2, custom3, custom4")
        check_length(item, "name", 1, 16)
        if item.get("color") not in COLORS:
            raise refuse(f"color must be one of {', '.join(COLORS)}")
        call.connection.execute(
            update(status)
            .where(status.c.id == item["id"])
            .values(name=item["name"], color=item["color"], is_active=item.get("isActive", False))
        )
    return Reply({"message": "Statuses updated"})


def list_requirements(call: Call) -> Reply:
    """List requirements; they come into being with test cases [DOC]."""
    fields = {"created_at": requirement.c.created_at, "text": requirement.c.text}
    rows = _sorted_rows(call, requirement, fields)
    count = _counter(call, lambda content: content.get("requirements", ()))
    shown = [
        {"id": row.id, "text": row.text, "url": row.url, "integrationLink": None} | count(row.id)
        for row in rows
    ]
    return Reply({"requirements": shown})


def list_custom_fields(call: Call) -> Reply:
    """List the custom fields that a project has [DOC]."""
    fields = fields_of(call.connection, call.project_id)
    return Reply({"customFields": [show_field(row) for row in fields]})


def list_shared_steps(call: Call) -> Reply:
    """List shared steps with their sub-steps [S]."""
    count = _counter(call, _shared_step_ids)
    rows = _shared_rows(call, shared_step)
    return Reply({"sharedSteps": [show_shared_step(row) | count(row.id) for row in rows]})


def get_shared_step(call: Call) -> Reply:
    """Show one shared step."""
    return Reply(show_shared_step(_find(call, shared_step, "Shared step")))


def list_shared_preconditions(call: Call) -> Reply:
    """List shared preconditions: a bare array [S]."""
    count = _counter(call, _shared_precondition_ids)
    rows = _shared_rows(call, shared_precondition)
    return Reply([show_shared_precondition(row) | count(row.id) for row in rows])


def get_shared_precondition(call: Call) -> Reply:
    """Show one shared precondition."""
    row = _find(call, shared_precondition, "Shared precondition")
    return Reply(show_shared_precondition(row))


def _shared_step_ids(content: _Content) -> Iterable[Any]:
    steps = content.get("steps", ())
    return {step["sharedStepId"] for step in steps if "sharedStepId" in step}


def _shared_precondition_ids(content: _Content) -> Iterable[Any]:
    found = content.get("precondition") or {}
    return [found["sharedPreconditionId"]] if "sharedPreconditionId" in found else ()


def _shared_rows(call: Call, table: Table) -> list[Row[Any]]:
    return _sorted_rows(call, table, {"created_at": table.c.created_at, "title": table.c.title})


def _sorted_rows(call: Call, table: Table, fields: dict[str, Any]) -> list[Row[Any]]:
    sorting = read_sorting(call.query, fields)
    by = (table.c.id,) if sorting is None else (sorting, table.c.id)
    query = select(table).where(table.c.project_id == call.project_id).order_by(*by)
    return list(call.connection.execute(query))


def _find(call: Call, table: Table, what: str) -> Row[Any]:
    text = call.path["id"]
    is_id = text.isascii() and text.isdigit() and len(text) <= _MAX_ID_DIGITS
    row = (
        is_id
        and call.connection.execute(
            select(table).where(table.c.id == int(text), table.c.project_id == call.project_id)
        ).first()
    )
    if not row:
        raise missing(what)
    return row


def _counter(
    call: Call, names: Callable[[_Content], Iterable[Any]]
) -> Callable[[Any], dict[str, int]]:
    """Return what adds `tcaseCount` where the request includes it, over the newest versions."""
    if call.query.choice("include", ("tcaseCount",)) is None:
        return lambda _: {}
    newest = (tcase.c.id == tcase_version.c.tcase_id) & (tcase.c.version == tcase_version.c.version)
    contents = call.connection.scalars(
        select(tcase_version.c.content)
        .join(tcase, newest)
        .where(tcase.c.project_id == call.project_id)
    )
    counts = Counter(name for content in contents for name in set(names(content)))
    return lambda found: {"tcaseCount": counts[found]}


ENDPOINTS = (
    Endpoint("GET", "/settings/preferences/status", list_statuses),
    Endpoint("POST", "/settings/preferences/status", update_statuses, "admin"),
    Endpoint("GET", "/project/{project}/requirement", list_requirements),
    Endpoint("GET", "/project/{project}/custom-field", list_custom_fields),
    Endpoint("GET", "/project/{project}/shared-step", list_shared_steps),
    Endpoint("GET", "/project/{project}/shared-step/{id}", get_shared_step),
    Endpoint("GET", "/project/{project}/shared-precondition", list_shared_preconditions),
    Endpoint("GET", "/project/{project}/shared-precondition/{id}", get_shared_precondition),
)
