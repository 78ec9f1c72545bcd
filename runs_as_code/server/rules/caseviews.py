"""Test cases as replies show them: the base object and what `include` adds [CLI, MCP, S]."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from runs_as_code.server.store.tables import folder, requirement, tag

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


class CaseViews:
    """Show the cases of one project; names are loaded once, when first needed."""

    def __init__(self, connection: Connection, project_row: Row[Any]) -> None:
        self._connection = connection
        self._project = project_row
        self._folders: dict[int, dict[str, Any]] | None = None
        self._tags: dict[int, str] | None = None
        self._requirements: dict[str, dict[str, Any]] | None = None

    def folder(self, folder_id: int) -> dict[str, Any]:
        """Return a folder's short form."""
        if self._folders is None:
            rows = self._connection.execute(
                select(folder).where(folder.c.project_id == self._project.id)
            )
            self._folders = {
                row.id: {
                    "id": row.id,
                    "parentId": row.parent_id,
                    "title": row.title,
                    "pos": row.pos,
                    "projectId": row.project_id,
                }
                for row in rows
            }
        return self._folders[folder_id]

    def path(self, folder_id: int) -> list[dict[str, Any]]:
        """Return the folders from the root down to a folder."""
        found: list[dict[str, Any]] = []
        while folder_id:
            found.append(self.folder(folder_id))
            folder_id = found[-1]["parentId"]
        return found[::-1]

    def tags(self, tag_ids: Iterable[int]) -> list[dict[str, Any]]:
        """Return tags by id."""
        if self._tags is None:
            rows = self._connection.execute(
                select(tag.c.id, tag.c.title).where(tag.c.project_id == self._project.id)
            )
            self._tags = {row.id: row.title for row in rows}
        return [{"id": tag_id, "title": self._tags[tag_id]} for tag_id in tag_ids]

    def requirements(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return requirements by id."""
        if self._requirements is None:
            rows = self._connection.execute(
                select(requirement).where(requirement.c.project_id == self._project.id)
            )
            self._requirements = {
                row.id: {"id": row.id, "text": row.text, "url": row.url} for row in rows
            }
        return [self._requirements[found] for found in ids]

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
            "files": content.get("files") or None,
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
        return shown

    def details(
        self, case: Row[Any], content: Mapping[str, Any], include: Collection[str]
    ) -> dict[str, Any]:
        """Build the parts that `include` asks for."""
        makers: dict[str, Callable[[], Any]] = {
            "precondition": lambda: self._precondition(case, content),
            "steps": lambda: self._steps(content),
            "tags": lambda: self.tags(content.get("tags", ())),
            "project": self._show_project,
            "folder": lambda: self.folder(case.folder_id),
            "path": lambda: self.path(case.folder_id),
            "requirements": lambda: self.requirements(content.get("requirements", ())),
            "customFields": lambda: content.get("customFields", {}),
            "parameterValues": lambda: content.get("parameterValues", []),
        }
        return {name: makers[name]() for name in INCLUDES if name in include}

    def _show_project(self) -> dict[str, Any]:
        row = self._project
        return {"id": row.id, "code": row.code, "title": row.title}

    def _precondition(self, case: Row[Any], content: Mapping[str, Any]) -> dict[str, Any] | None:
        found = content.get("precondition")
        if not found:
            return None
        return {
            "projectId": self._project.id,
            "id": 0,
            "version": 1,
            "type": "standalone",
            "text": found["text"],
            "isLatest": True,
            "createdAt": case.created_at,
            "updatedAt": case.updated_at,
        }

    def _steps(self, content: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"id": number, "type": "standalone", "version": 1, "isLatest": True, **step}
            for number, step in enumerate(content.get("steps", ()), start=1)
        ]
