"""Test cases as replies show them: the base object and what `include` adds [CLI, MCP, S]."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from runs_as_code.server.rules.cases import TEMPLATE
from runs_as_code.server.rules.customfields import fields_of, show_values
from runs_as_code.server.rules.shared import show_shared_precondition, show_shared_step
from runs_as_code.server.store.tables import (
    file,
    folder,
    requirement,
    shared_precondition,
    shared_step,
    tag,
    tcase,
)

INCLUDES = (
    "precondition",
    "steps",
    "tags",
    "project",
    "folder",
    "path",
    "requirements",
    "customFields",
    "parameterValues",
)
_NO_PRECONDITION_ID = 0


class CaseViews:
    """Show the cases of one project; names are loaded once, when first needed."""

    def __init__(self, connection: Connection, project_row: Row[Any] | None) -> None:
        self._connection = connection
        self._project: Any = project_row

    def _rows(self, table: Table) -> Iterable[Row[Any]]:
        query = select(table).where(table.c.project_id == self._project.id)
        return self._connection.execute(query)

    @cached_property
    def _folders(self) -> dict[int, dict[str, Any]]:
        return {
            row.id: {
                "id": row.id,
                "parentId": row.parent_id,
                "title": row.title,
                "pos": row.pos,
                "projectId": row.project_id,
            }
            for row in self._rows(folder)
        }

    @cached_property
    def _tags(self) -> dict[int, str]:
        return {row.id: row.title for row in self._rows(tag)}

    @cached_property
    def _requirements(self) -> dict[str, dict[str, Any]]:
        return {
            row.id: {"id": row.id, "text": row.text, "url": row.url}
            for row in self._rows(requirement)
        }

    @cached_property
    def _shared_steps(self) -> dict[int, dict[str, Any]]:
        return {row.id: show_shared_step(row) for row in self._rows(shared_step)}

    @cached_property
    def _shared_preconditions(self) -> dict[int, dict[str, Any]]:
        return {row.id: show_shared_precondition(row) for row in self._rows(shared_precondition)}

    @cached_property
    def _filled_counts(self) -> dict[str, int]:
        rows = self._connection.execute(
            select(tcase.c.template_id, func.count())
            .where(tcase.c.project_id == self._project.id, tcase.c.template_id.is_not(None))
            .group_by(tcase.c.template_id)
        )
        return {row[0]: row[1] for row in rows}

    @cached_property
    def custom_fields(self) -> list[Row[Any]]:
        """The custom fields of the project."""
        return fields_of(self._connection, self._project.id)

    def folder(self, folder_id: int) -> dict[str, Any]:
        """Return a folder's short form."""
        return self._folders[folder_id]

    def path(self, folder_id: int) -> list[dict[str, Any]]:
        """Return the folders from the root down to a folder."""
        found: list[dict[str, Any]] = []
        while folder_id:
            found.append(self.folder(folder_id))
            folder_id = found[-1]["parentId"]
        return found[::-1]

    def base(self, case: Row[Any], version: Row[Any]) -> dict[str, Any]:
        """Build what every list shows of a case."""
        content = version.content
        shown = {
            "id": case.id,
            "legacyId": case.legacy_id,
            "version": version.version,
            "type": case.type,
            "title": version.title,
            "seq": case.seq,
            "folderId": case.folder_id,
            "pos": case.pos,
            "priority": version.priority,
            "comment": content.get("comment", ""),
            "files": self.files(content),
            "links": content.get("links") or None,
            "authorId": case.author_id,
            "isDraft": case.is_draft,
            "isLatestVersion": version.version == case.version,
            "isEmpty": version.is_empty,
            "createdAt": case.created_at,
            "updatedAt": case.updated_at,
        }
        if case.template_id is not None:
            shown["templateTCaseId"] = case.template_id
        if case.type == TEMPLATE:
            shown["numFilledTCases"] = self._filled_counts.get(case.id, 0)
        return shown

    def details(
        self,
        case: Row[Any],
        content: Mapping[str, Any],
        written_at: str,
        include: Collection[str],
    ) -> dict[str, Any]:
        """Build the parts that `include` asks for, of the version written at that moment."""
        makers: dict[str, Callable[[], Any]] = {
            "precondition": lambda: self._precondition(case, content, written_at),
            "steps": lambda: self._steps(content),
            "tags": lambda: [
                {"id": tag_id, "title": self._tags[tag_id]} for tag_id in content.get("tags", ())
            ],
            "project": self._show_project,
            "folder": lambda: self.folder(case.folder_id),
            "path": lambda: self.path(case.folder_id),
            "requirements": lambda: [
                self._requirements[found] for found in content.get("requirements", ())
            ],
            "customFields": lambda: show_values(
                self.custom_fields, content.get("customFields", {})
            ),
            "parameterValues": lambda: content.get("parameterValues", []),
        }
        return {name: makers[name]() for name in INCLUDES if name in include}

    def files(self, content: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Return the files of a version, or `None` where it has none."""
        shown = []
        for file_id in content.get("files") or ():
            columns = file.c.id, file.c.name, file.c.mime_type, file.c.size
            row = self._connection.execute(select(*columns).where(file.c.id == file_id)).one()
            names = {"fileName": row.name, "mimeType": row.mime_type, "size": row.size}
            shown.append({"id": row.id, **names})
        return shown or None

    def _show_project(self) -> dict[str, Any]:
        row = self._project
        return {"id": row.id, "code": row.code, "title": row.title}

    def _precondition(
        self, case: Row[Any], content: Mapping[str, Any], written_at: str
    ) -> dict[str, Any] | None:
        found = content.get("precondition")
        if not found:
            return None
        if "sharedPreconditionId" in found:
            return self._shared_preconditions[found["sharedPreconditionId"]]
        return {
            "projectId": self._project.id,
            "id": _NO_PRECONDITION_ID,
            "version": 1,
            "type": "standalone",
            "text": found["text"],
            "isLatest": True,
            "createdAt": case.created_at,
            "updatedAt": written_at,
        }

    def _steps(self, content: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            self._shared_steps[step["sharedStepId"]]
            if "sharedStepId" in step
            else {"id": number, "type": "standalone", "version": 1, "isLatest": True, **step}
            for number, step in enumerate(content.get("steps", ()), start=1)
        ]
