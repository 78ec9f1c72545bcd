"""From a database to a seed document: the newest version of everything but runs, keys and files."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from runs_as_code.server.rules.folders import ROOT
from runs_as_code.server.store.tables import (
    custom_field,
    folder,
    milestone,
    project,
    requirement,
    shared_precondition,
    shared_step,
    status,
    tag,
    tcase,
    tcase_version,
    user,
)

API_VERSION = "qarun/seed/v1"
_Entry = dict[str, Any]


def dump(connection: Connection) -> _Entry:
    """Build the document; ids are kept, so manifests that use them still work."""
    projects = connection.execute(select(project).order_by(project.c.created_at, project.c.code))
    rows = projects.all()
    codes = {row.id: row.code for row in rows}
    document: _Entry = {
        "apiVersion": API_VERSION,
        "users": [_user(row) for row in connection.execute(select(user).order_by(user.c.id))],
        "statuses": [_status(row) for row in connection.execute(_custom_statuses())],
        "customFields": [
            _custom_field(row, codes)
            for row in connection.execute(select(custom_field).order_by(custom_field.c.pos))
        ],
        "projects": [_Project(connection, row).dump() for row in rows],
    }
    return _without_empty(document) | {"projects": document["projects"]}


def _without_empty(entry: Mapping[str, Any]) -> _Entry:
    return {name: value for name, value in entry.items() if value not in (None, "", [], {}, False)}


def _custom_statuses() -> Any:
    return select(status).where(~status.c.is_default).order_by(status.c.pos)


def _user(row: Row[Any]) -> _Entry:
    entry = {"id": row.id, "email": row.email, "name": row.name, "role": row.role}
    return entry if row.is_active else {**entry, "active": False}


def _status(row: Row[Any]) -> _Entry:
    return {"id": row.id, "name": row.name, "color": row.color, "active": row.is_active}


def _custom_field(row: Row[Any], codes: Mapping[str, str]) -> _Entry:
    entry = _without_empty(
        {
            "systemName": row.system_name,
            "name": row.name,
            "type": row.type,
            "required": row.is_required,
            "options": [option["value"] for option in row.options or ()],
            "default": row.default_value,
            "projects": row.project_ids and [codes[found] for found in row.project_ids],
        }
    )
    return entry if row.is_enabled else {**entry, "enabled": False}


class _Project:
    """Build the entry of one project."""

    def __init__(self, connection: Connection, row: Row[Any]) -> None:
        self._connection = connection
        self._row = row
        self._tags = {item.id: item.title for item in self._rows(tag)}
        self._requirements = {
            item.id: _without_empty({"text": item.text, "url": item.url})
            for item in self._rows(requirement)
        }
        self._steps = {item.id: item.title for item in self._rows(shared_step)}
        self._preconditions = {item.id: item.title for item in self._rows(shared_precondition)}
        self._seqs: dict[str, int] = {item.id: item.seq for item in self._rows(tcase)}

    def _rows(self, table: Table) -> list[Row[Any]]:
        query = select(table).where(table.c.project_id == self._row.id).order_by(table.c.id)
        return list(self._connection.execute(query))

    def dump(self) -> _Entry:
        """Build the project with its folder tree."""
        row = self._row
        return _without_empty(
            {
                "id": row.id,
                "code": row.code,
                "title": row.title,
                "overviewTitle": row.overview_title,
                "overviewDescription": row.overview_description,
                "links": row.links,
                "tags": [{"id": key, "title": title} for key, title in self._tags.items()],
                "milestones": [
                    _without_empty(
                        {"id": item.id, "title": item.title, "archived": bool(item.archived_at)}
                    )
                    for item in self._rows(milestone)
                ],
                "requirements": [
                    {"id": found, **entry} for found, entry in self._requirements.items()
                ],
                "sharedSteps": [
                    {"id": item.id, "title": item.title, "steps": item.sub_steps}
                    for item in self._rows(shared_step)
                ],
                "sharedPreconditions": [
                    {"id": item.id, "title": item.title, "text": item.text}
                    for item in self._rows(shared_precondition)
                ],
                "folders": self._folders(),
            }
        )

    def _folders(self) -> list[_Entry]:
        cases: dict[int, list[_Entry]] = {}
        last: dict[int, int] = {}
        for row in self._connection.execute(self._newest()):
            entry = self._case(row)
            if row.pos != last.get(row.folder_id, -1) + 1:
                entry["pos"] = row.pos
            last[row.folder_id] = row.pos
            cases.setdefault(row.folder_id, []).append(entry)
        made: dict[int, _Entry] = {}
        children: dict[int, list[int]] = {}
        for row in sorted(self._rows(folder), key=lambda item: item.pos):
            made[row.id] = {"id": row.id, "title": row.title, "comment": row.comment}
            made[row.id]["cases"] = cases.get(row.id)
            children.setdefault(row.parent_id, []).append(row.id)
        for folder_id, entry in made.items():
            entry["folders"] = [made[child] for child in children.get(folder_id, ())]
        for folder_id, entry in made.items():
            made[folder_id] = _pruned(entry)
        return [made[child] for child in children.get(ROOT, ())]

    def _newest(self) -> Any:
        newest = (tcase_version.c.tcase_id == tcase.c.id) & (
            tcase_version.c.version == tcase.c.version
        )
        return (
            select(tcase, tcase_version.c.content, tcase_version.c.is_automated)
            .join(tcase_version, newest)
            .where(tcase.c.project_id == self._row.id)
            .order_by(tcase.c.folder_id, tcase.c.pos, tcase.c.seq)
        )

    def _case(self, row: Row[Any]) -> _Entry:
        content = row.content
        entry = {
            "title": row.title,
            "seq": row.seq,
            "id": row.id,
            "type": row.type if row.type != "standalone" else None,
            "template": self._seqs[row.template_id] if row.template_id else None,
            "priority": row.priority,
            "tags": [self._tags[found] for found in content.get("tags", ())],
            "legacyId": row.legacy_id,
            "draft": row.is_draft,
            "automated": row.is_automated,
        }
        return _without_empty(entry | dict(self._content(content)))

    def _content(self, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name in ("comment", "links", "filledTCaseTitleSuffixParams"):
            yield name, content.get(name)
        sets = content.get("parameterValues") or ()
        yield "parameterValues", [{"values": item.get("values", {})} for item in sets]
        yield "steps", [self._step(step) for step in content.get("steps", ())]
        found = content.get("precondition") or {}
        if "sharedPreconditionId" in found:
            yield "precondition", {"shared": self._preconditions[found["sharedPreconditionId"]]}
        elif found:
            yield "precondition", found["text"]
        ids = content.get("requirements", ())
        yield "requirements", [self._requirements[key] for key in ids]
        values = content.get("customFields", {})
        yield (
            "customFields",
            {
                name: value.get("value", "")
                for name, value in values.items()
                if not value.get("isDefault")
            },
        )

    def _step(self, step: Mapping[str, Any]) -> _Entry:
        if "sharedStepId" in step:
            return {"shared": self._steps[step["sharedStepId"]]}
        return _without_empty(step) or {"description": ""}


def _pruned(entry: _Entry) -> _Entry:
    for name in [name for name, value in entry.items() if value in (None, "", [])]:
        del entry[name]
    return entry
