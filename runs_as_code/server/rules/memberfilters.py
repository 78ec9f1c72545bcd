"""Filters and sorting of a run's test cases [CLI, S]; they look at the versions the run shows."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row

from runs_as_code.server.rules.cases import PRIORITIES
from runs_as_code.server.rules.caseviews import CaseViews
from runs_as_code.server.rules.customfields import fits_filters
from runs_as_code.server.rules.members import content_of
from runs_as_code.server.web.problems import refuse
from runs_as_code.server.web.queries import Query

_SORT_FIELDS = ("id", "seq", "folder_id", "pos", "title", "priority", "status", "legacy_id")
_Rule = Callable[[Row[Any]], bool]


def filter_members(
    members: Sequence[Row[Any]], query: Query, views: CaseViews
) -> Sequence[Row[Any]]:
    """Return the members that pass all filters of a request, sorted as it asks for."""
    rules = _rules(query, views)
    found = [member for member in members if all(rule(member) for rule in rules)]
    field = query.choice("sortField", _SORT_FIELDS)
    order = query.choice("sortOrder", ("asc", "desc"))
    if field is None:
        if order is not None:
            raise refuse("sortOrder requires sortField")
        return found
    return sorted(found, key=lambda row: _sort_value(row, field), reverse=order == "desc")


def _sort_value(row: Row[Any], field: str) -> Any:
    value = getattr(row, field)
    return PRIORITIES.index(value) if field == "priority" else value


def _rules(query: Query, views: CaseViews) -> list[_Rule]:
    rules: list[_Rule] = []
    if search := (query.text("search") or "").casefold():
        rules.append(lambda row: search in row.title.casefold())
    if priorities := query.choices("priorities", PRIORITIES):
        rules.append(lambda row: row.priority in priorities)
    if tags := frozenset(query.integers("tags")):
        operator = query.choice("tagsFilterOp", ("and", "or", "not")) or "or"
        rules.append(_tag_rule(tags, operator))
    if fields := query.with_prefix("cf_"):
        if fields.keys() - {row.system_name for row in views.custom_fields if row.is_enabled}:
            raise refuse("custom field not found")
        rules.append(
            lambda row: fits_filters(
                views.custom_fields, content_of(row).get("customFields", {}), fields
            )
        )
    return rules


def _tag_rule(tags: frozenset[int], operator: str) -> _Rule:
    if operator == "and":
        return lambda row: tags <= set(content_of(row).get("tags", ()))
    if operator == "not":
        return lambda row: tags.isdisjoint(content_of(row).get("tags", ()))
    return lambda row: not tags.isdisjoint(content_of(row).get("tags", ()))
