"""Filters and sorting of the test case list; its folder filter takes no subfolders [DOC]."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, Text, case, exists, func, not_, select, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from runs_as_code.server.rules.cases import PRIORITIES
from runs_as_code.server.store.conditions import contains, is_one_of
from runs_as_code.server.store.tables import tcase, tcase_tag, tcase_version
from runs_as_code.server.web.problems import refuse
from runs_as_code.server.web.queries import Query

TYPES = ("standalone", "template", "filled")
SORT_FIELDS = {
    "id": tcase.c.id,
    "seq": tcase.c.seq,
    "folder_id": tcase.c.folder_id,
    "author_id": tcase.c.author_id,
    "pos": tcase.c.pos,
    "title": tcase.c.title,
    "priority": case({name: rank for rank, name in enumerate(PRIORITIES)}, value=tcase.c.priority),
    "created_at": tcase.c.created_at,
    "updated_at": tcase.c.updated_at,
    "legacy_id": tcase.c.legacy_id,
}


def tag_filter(tag_ids: Sequence[int], operator: str) -> ColumnElement[bool]:
    """Build the rule of `tags`: any of them (`or`), all of them (`and`), none (`not`) [S]."""
    tagged = select(tcase_tag.c.tcase_id)
    if operator == "and":
        wanted = set(tag_ids)
        all_of = (
            tagged.where(is_one_of(tcase_tag.c.tag_id, wanted))
            .group_by(tcase_tag.c.tcase_id)
            .having(func.count() == len(wanted))
        )
        return tcase.c.id.in_(all_of)
    any_of = tcase.c.id.in_(tagged.where(is_one_of(tcase_tag.c.tag_id, tag_ids)))
    return not_(any_of) if operator == "not" else any_of


def _newest(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Build a condition on the newest version of a case."""
    return exists().where(
        tcase_version.c.tcase_id == tcase.c.id,
        tcase_version.c.version == tcase.c.version,
        condition,
    )


def _in_content(path: str, part: str | None, wanted: Sequence[Any]) -> ColumnElement[bool]:
    """Build a condition: a list inside the content has one of the values, or a part of an item."""
    content = func.json_each(type_coerce(tcase_version.c.content, Text), path)
    items = content.table_valued("value")
    value = items.c.value if part is None else func.json_extract(items.c.value, part)
    return _newest(exists().select_from(items).where(is_one_of(value, wanted)))


def _field_condition(row: Row[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
    content = type_coerce(tcase_version.c.content, Text)
    path = f"$.customFields.{row.system_name}"
    is_default = func.coalesce(func.json_extract(content, f"{path}.isDefault"), 0)
    value = case(
        (func.json_extract(content, path).is_(None), row.default_value),
        (is_default == 1, row.default_value),
        else_=func.coalesce(func.json_extract(content, f"{path}.value"), ""),
    )
    return _newest(is_one_of(value, wanted))


def field_conditions(query: Query, fields: Sequence[Row[Any]]) -> list[ColumnElement[bool]]:
    """Build the conditions of `cf_<systemName>`: any of the values, defaults included [MCP]."""
    known = {row.system_name: row for row in fields if row.is_enabled}
    wanted = query.with_prefix("cf_")
    if unknown := sorted(wanted.keys() - known.keys()):
        raise refuse(f"custom field {unknown[0]} not found")
    return [_field_condition(known[name], values) for name, values in wanted.items()]


def list_conditions(query: Query, folders: Sequence[int]) -> list[ColumnElement[bool]]:
    """Build the conditions of a case list from its parameters; different filters narrow."""
    conditions: list[ColumnElement[bool]] = []
    if folders:
        conditions.append(is_one_of(tcase.c.folder_id, folders))
    if search := query.text("search"):
        conditions.append(contains(tcase.c.title, search))
    if tags := query.integers("tags"):
        operator = query.choice("tagsFilterOp", ("and", "or", "not")) or "or"
        conditions.append(tag_filter(tags, operator))
    if priorities := query.choices("priorities", PRIORITIES):
        conditions.append(tcase.c.priority.in_(priorities))
    if types := query.choices("types", TYPES):
        conditions.append(tcase.c.type.in_(types))
    if (is_draft := query.flag("draft")) is not None:
        conditions.append(tcase.c.is_draft == is_draft)
    conditions.extend(_rarer_conditions(query))
    return conditions


def _rarer_conditions(query: Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if templates := query.texts("templateTCaseIds"):
        conditions.append(is_one_of(tcase.c.template_id, templates))
    if requirements := query.texts("requirementIds"):
        conditions.append(_in_content("$.requirements", None, requirements))
    if steps := query.integers("stepIds"):
        conditions.append(_in_content("$.steps", "$.sharedStepId", steps))
    if preconditions := query.integers("preconditionIds"):
        content = type_coerce(tcase_version.c.content, Text)
        found = func.json_extract(content, "$.precondition.sharedPreconditionId")
        conditions.append(_newest(is_one_of(found, preconditions)))
    if authors := query.integers("authorIds"):
        conditions.append(is_one_of(tcase.c.author_id, authors))
    if after := query.moment("createdAfter"):
        conditions.append(tcase.c.created_at >= after)
    if before := query.moment("createdBefore"):
        conditions.append(tcase.c.created_at <= before)
    return conditions


def read_sorting(query: Query, fields: dict[str, Any], default: str = "asc") -> Any:
    """Return the sort column, ready for `order_by`, or `None`; an order alone is refused [DOC]."""
    field = query.choice("sortField", fields)
    order = query.choice("sortOrder", ("asc", "desc"))
    if field is None:
        if order is not None:
            raise refuse("sortOrder requires sortField")
        return None
    column = fields[field]
    return column.desc() if (order or default) == "desc" else column.asc()


def sorted_cases(query: Query, statement: Select[Any]) -> Select[Any]:
    """Sort a case list; newest first where nothing is asked for."""
    sorting = read_sorting(query, SORT_FIELDS, "desc")
    return statement.order_by(*(() if sorting is None else (sorting,)), tcase.c.seq.desc())
