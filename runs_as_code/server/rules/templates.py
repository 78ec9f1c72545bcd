"""Templates and the filled cases that they make, one for each set of parameter values [MCP].

A filled case follows its template; of itself only the priority can be changed. It gets a new
version where a new one of the template changes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from runs_as_code.server.rules.cases import (
    FILLED,
    CaseDraft,
    add_case,
    latest_version,
    tag_titles,
    write_version,
)
from runs_as_code.server.store.tables import tcase
from runs_as_code.server.web.problems import refuse

_TITLE_LIMIT = 511
_NOT_INHERITED = ("parameterValues", "filledTCaseTitleSuffixParams", "tags")


def _fill(text: str, values: Mapping[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace("${" + name + "}", str(value))
    return text


def filled_title(title: str, suffix: Sequence[str], values: Mapping[str, Any]) -> str:
    """Build a filled case's title: the template's, with the values of the suffix parameters."""
    parts = [str(values[name]) for name in suffix if name in values]
    return _fill(title, values) + (f" ({', '.join(parts)})" if parts else "")


def _filled_content(content: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    filled = {name: value for name, value in content.items() if name not in _NOT_INHERITED}
    filled["steps"] = [
        {
            name: _fill(text, values) if isinstance(text, str) else text
            for name, text in step.items()
        }
        for step in content.get("steps", ())
    ]
    return filled


def read_values(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the sets of parameter values of a template's content."""
    sets = content.get("parameterValues") or ()
    return [item.get("values", {}) for item in sets]


def sync_filled(connection: Connection, template_id: str, author_id: int) -> None:
    """Make the filled cases of a template follow its newest version."""
    template = connection.execute(select(tcase).where(tcase.c.id == template_id)).one()
    version = latest_version(connection, template)
    sets = read_values(version.content)
    filled = connection.execute(
        select(tcase).where(tcase.c.template_id == template_id).order_by(tcase.c.seq)
    ).all()
    if len(sets) < len(filled):
        raise refuse("parameterValues can't be removed")
    for number, values in enumerate(sets):
        known = filled[number] if number < len(filled) else None
        _sync_one(connection, (template, version), known, values, author_id)


def _sync_one(
    connection: Connection,
    source: tuple[Row[Any], Row[Any]],
    known: Row[Any] | None,
    values: Mapping[str, Any],
    author_id: int,
) -> None:
    template, version = source
    suffix = version.content.get("filledTCaseTitleSuffixParams") or ()
    title = filled_title(version.title, suffix, values)
    if not 1 <= len(title) <= _TITLE_LIMIT:
        raise refuse(f"title of a filled test case must be 1-{_TITLE_LIMIT} characters long")
    content = _filled_content(version.content, values)
    tags = tag_titles(connection, version.content.get("tags", ()))
    if known is not None:
        columns = {"title": title, "is_draft": template.is_draft}
        wanted = content | {"tags": version.content.get("tags")}
        if _differs(connection, known, columns, wanted):
            write_version(connection, known, columns, content, tags)
        return
    draft = CaseDraft(
        title=title,
        folder_id=template.folder_id,
        priority=version.priority,
        type=FILLED,
        is_draft=template.is_draft,
        template_id=template.id,
        tags=tags,
        content=content,
    )
    add_case(connection, template.project_id, draft, author_id)


def _differs(
    connection: Connection, row: Row[Any], columns: Mapping[str, Any], content: Mapping[str, Any]
) -> bool:
    """Say whether a case would change; a part that is not there is the same as an empty one."""
    if any(getattr(row, name) != value for name, value in columns.items()):
        return True
    newest = latest_version(connection, row).content
    return any((newest.get(name) or None) != (value or None) for name, value in content.items())
