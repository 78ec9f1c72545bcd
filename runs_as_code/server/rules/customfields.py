"""Custom fields of test cases: definitions come from the seed, values from test cases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from runs_as_code.server import guesses
from runs_as_code.server.store.tables import custom_field
from runs_as_code.server.web.problems import refuse

TYPES = ("text", "dropdown", "checkbox", "richtext")
_DEFAULT: Mapping[str, Any] = {"isDefault": True}


def fields_of(connection: Connection, project_id: str) -> list[Row[Any]]:
    """Return the fields that a project has, in their order."""
    rows = connection.execute(select(custom_field).order_by(custom_field.c.pos, custom_field.c.id))
    return [row for row in rows if row.project_ids is None or project_id in row.project_ids]


def show_field(row: Row[Any]) -> dict[str, Any]:
    """Build a field as the list shows it [DOC]."""
    return {
        "id": row.id,
        "type": row.type,
        "systemName": row.system_name,
        "name": row.name,
        "required": row.is_required,
        "enabled": row.is_enabled,
        "options": row.options,
        "defaultValue": row.default_value,
        "pos": row.pos,
        "allowAllProjects": row.project_ids is None,
        "allowedProjectIds": row.project_ids,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


def check_values(
    connection: Connection, project_id: str, values: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Refuse values of fields that the project lacks, and values that a field can't have."""
    known = {row.system_name: row for row in fields_of(connection, project_id)}
    for name, value in values.items():
        row = known.get(name)
        if row is None or not row.is_enabled:
            raise refuse(f"custom field {name} not found")
        _check_value(row, value)
    return {name: dict(value) for name, value in values.items()}


def _check_value(row: Row[Any], value: Mapping[str, Any]) -> None:
    text = _text_of(row, value)
    if row.is_required and not text:
        raise refuse(f"custom field {row.system_name} is required")
    if value.get("isDefault"):
        return
    options = {option["value"] for option in row.options or ()}
    if row.type == "dropdown" and text not in options:
        raise refuse(f"custom field {row.system_name} has no option {text!r}")
    if row.type == "checkbox" and text not in guesses.CHECKBOX_VALUES:
        expected = " or ".join(guesses.CHECKBOX_VALUES)
        raise refuse(f"custom field {row.system_name} must be {expected}")


def check_required(
    connection: Connection, project_id: str, values: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse a new case that lacks a required field which has no default."""
    for row in fields_of(connection, project_id):
        if row.is_enabled and row.system_name not in values:
            _check_value(row, _DEFAULT)


def _text_of(row: Row[Any], value: Mapping[str, Any]) -> str:
    return str(row.default_value if value.get("isDefault") else value.get("value", ""))


def show_values(
    fields: list[Row[Any]], values: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Build the values of all enabled fields; what a case does not set has the default [CLI]."""
    shown = {}
    for row in fields:
        value = values.get(row.system_name, _DEFAULT)
        if not row.is_enabled:
            continue
        is_default = bool(value.get("isDefault"))
        shown[row.system_name] = {"value": _text_of(row, value), "isDefault": is_default}
    return shown


def fits_filters(
    fields: list[Row[Any]],
    values: Mapping[str, Mapping[str, Any]],
    filters: Mapping[str, list[str]],
) -> bool:
    """Say whether a case passes the `cf_<systemName>` filters: any value of each [MCP]."""
    shown = show_values(fields, values)
    return all(name in shown and shown[name]["value"] in wanted for name, wanted in filters.items())
