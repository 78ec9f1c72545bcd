"""Test cases and their versions.

Every update makes a new version; folder and position belong to the case, not to a version [DOC].
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from runs_as_code.server import guesses
from runs_as_code.server.store.clock import now, now_after
from runs_as_code.server.store.ids import new_id
from runs_as_code.server.store.tables import (
    folder,
    project,
    requirement,
    run,
    tag,
    tcase,
    tcase_tag,
    tcase_version,
)
from runs_as_code.server.web.problems import ApiError, missing, refuse

PRIORITIES = ("low", "medium", "high")  # in the order that lists are sorted by
STANDALONE = "standalone"
TEMPLATE = "template"
FILLED = "filled"
_SEQ_DIGITS = 18


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """The fields of a test case that is about to be made; `content` is what versions keep."""

    title: str
    folder_id: int
    priority: str
    type: str = STANDALONE
    pos: int | None = None
    is_draft: bool = False
    is_automated: bool = False
    legacy_id: str = ""
    template_id: str | None = None
    case_id: str | None = None
    seq: int | None = None
    tags: Sequence[str] = ()
    content: Mapping[str, Any] = field(default_factory=dict)


def find_case(connection: Connection, project_id: str, name: str) -> Row[Any]:
    """Find a case by id, sequence number (leading zeros allowed) or legacy id [SEED, MCP]."""
    of_project = select(tcase).where(tcase.c.project_id == project_id)
    row = connection.execute(of_project.where(tcase.c.id == name)).first()
    if row is None and name.isascii() and name.isdigit() and len(name) <= _SEQ_DIGITS:
        row = connection.execute(of_project.where(tcase.c.seq == int(name))).first()
    if row is None and name:
        row = connection.execute(of_project.where(tcase.c.legacy_id == name)).first()
    if row is None:
        raise missing("Test case")
    return row


def is_empty(content: Mapping[str, Any]) -> bool:
    """Say whether a case has neither steps nor a precondition, as `isEmpty` shows it."""
    return not (content.get("steps") or content.get("precondition"))


def add_case(
    connection: Connection, project_id: str, draft: CaseDraft, author_id: int
) -> tuple[str, int]:
    """Make a test case at the end of its folder or at a free position; return id and seq."""
    check_folder(connection, project_id, draft.folder_id)
    seq = _next_seq(connection, project_id, draft.seq)
    case_id = draft.case_id or new_id()
    moment = now()
    connection.execute(
        insert(tcase).values(
            id=case_id,
            project_id=project_id,
            seq=seq,
            legacy_id=draft.legacy_id,
            type=draft.type,
            folder_id=draft.folder_id,
            pos=_free_position(connection, draft.folder_id, draft.pos),
            author_id=author_id,
            template_id=draft.template_id,
            is_draft=draft.is_draft,
            version=1,
            title=draft.title,
            priority=draft.priority,
            created_at=moment,
            updated_at=moment,
        )
    )
    content = {**draft.content, "tags": ensure_tags(connection, project_id, draft.tags)}
    version = _Version(draft.title, draft.priority, content, draft, moment)
    _add_version(connection, case_id, 1, version)
    return case_id, seq


@dataclass(frozen=True, slots=True)
class _Version:
    title: str
    priority: str
    content: Mapping[str, Any]
    automation: Any  # whatever has `is_automated`
    created_at: str


def _add_version(connection: Connection, case_id: str, number: int, version: _Version) -> None:
    connection.execute(
        insert(tcase_version).values(
            tcase_id=case_id,
            version=number,
            title=version.title,
            priority=version.priority,
            is_automated=version.automation.is_automated,
            is_empty=is_empty(version.content),
            content=dict(version.content),
            created_at=version.created_at,
        )
    )
    connection.execute(delete(tcase_tag).where(tcase_tag.c.tcase_id == case_id))
    if tag_ids := version.content.get("tags"):
        connection.execute(
            insert(tcase_tag), [{"tcase_id": case_id, "tag_id": tag_id} for tag_id in tag_ids]
        )


def update_case(
    connection: Connection,
    row: Row[Any],
    fields: Mapping[str, Any],
    content: Mapping[str, Any],
    tags: Sequence[str] | None,
) -> bool:
    """Change a case as its type allows; return whether that made a version, as all but `pos` do."""
    if fields.get("is_draft") and not row.is_draft:
        raise refuse("published test case can't be changed to draft")
    if row.type == FILLED and (content or tags is not None or set(fields) - {"priority"}):
        raise refuse("only the priority of a filled test case can be updated")
    pos = fields.get("pos")
    if pos is not None and pos != row.pos:
        pos = _free_position(connection, row.folder_id, pos)
        connection.execute(update(tcase).where(tcase.c.id == row.id).values(pos=pos))
    columns = {name: value for name, value in fields.items() if name != "pos"}
    is_new = bool(columns or content or tags is not None)
    if is_new:
        write_version(connection, row, columns, content, tags)
    return is_new


def write_version(
    connection: Connection,
    row: Row[Any],
    columns: Mapping[str, Any],
    content: Mapping[str, Any],
    tags: Sequence[str] | None,
) -> None:
    """Write the next version of a case; what is not given stays as it was."""
    latest = latest_version(connection, row)
    merged = {**latest.content, **content}
    if tags is not None:
        merged["tags"] = ensure_tags(connection, row.project_id, tags)
    title, priority = (columns.get(name, getattr(row, name)) for name in ("title", "priority"))
    # Moments tell which version was the newest when a run was closed, so none is a close's.
    closes = select(func.max(run.c.closed_at)).where(run.c.project_id == row.project_id)
    moment = now_after(connection.scalar(closes))
    version = _Version(title, priority, merged, latest, moment)
    _add_version(connection, row.id, row.version + 1, version)
    values = {**columns, "version": row.version + 1, "updated_at": moment}
    connection.execute(update(tcase).where(tcase.c.id == row.id).values(values))


def latest_version(connection: Connection, row: Row[Any]) -> Row[Any]:
    """Return the newest version of a case."""
    return connection.execute(
        select(tcase_version).where(
            tcase_version.c.tcase_id == row.id, tcase_version.c.version == row.version
        )
    ).one()


def move_case(connection: Connection, row: Row[Any], folder_id: int) -> None:
    """Move a case to the end of another folder, as people do in the web page (no API call)."""
    check_folder(connection, row.project_id, folder_id)
    pos = _free_position(connection, folder_id, None)
    connection.execute(
        update(tcase).where(tcase.c.id == row.id).values(folder_id=folder_id, pos=pos)
    )


def check_folder(connection: Connection, project_id: str, folder_id: int) -> None:
    """Refuse a folder that the project does not have [3P]."""
    found = select(folder.c.id).where(folder.c.id == folder_id, folder.c.project_id == project_id)
    if connection.scalar(found) is None:
        raise refuse("folder not found")


def _next_seq(connection: Connection, project_id: str, wanted: int | None) -> int:
    last = connection.scalar(select(project.c.last_seq).where(project.c.id == project_id)) or 0
    seq = last + 1 if wanted is None else wanted
    connection.execute(
        update(project).where(project.c.id == project_id).values(last_seq=max(seq, last))
    )
    return seq


def _free_position(connection: Connection, folder_id: int, wanted: int | None) -> int:
    if wanted is None:
        last = select(func.max(tcase.c.pos)).where(tcase.c.folder_id == folder_id)
        highest = connection.scalar(last)
        return 0 if highest is None else highest + 1
    taken = select(tcase.c.id).where(tcase.c.folder_id == folder_id, tcase.c.pos == wanted)
    if guesses.TAKEN_POSITION_IS_REFUSED and connection.scalar(taken.limit(1)) is not None:
        raise ApiError(guesses.CASE_CONFLICT_STATUS, "test case position conflict")
    return wanted


def ensure_tags(connection: Connection, project_id: str, titles: Iterable[str]) -> list[int]:
    """Return the ids of tags by title; tags come into being by being used [MCP-LIVE]."""
    ids = []
    for title in dict.fromkeys(titles):
        same = tag.c.project_id == project_id, tag.c.title == title
        tag_id = connection.scalar(select(tag.c.id).where(*same))
        ids.append(tag_id or add_tag(connection, project_id, title))
    return ids


def tag_titles(connection: Connection, tag_ids: Iterable[int]) -> list[str]:
    """Return the titles of tags by id."""
    return [
        connection.scalar(select(tag.c.title).where(tag.c.id == tag_id)) or "" for tag_id in tag_ids
    ]


def add_tag(connection: Connection, project_id: str, title: str, tag_id: int | None = None) -> int:
    """Add a tag to a project."""
    values: dict[str, Any] = {"project_id": project_id, "title": title, "created_at": now()}
    if tag_id is not None:
        values["id"] = tag_id
    made = connection.execute(insert(tag).values(values)).inserted_primary_key
    return int(made[0]) if made else 0


def ensure_requirements(
    connection: Connection,
    project_id: str,
    wanted: Iterable[Mapping[str, Any]],
    make_id: Callable[[], str] = new_id,
) -> list[str]:
    """Return the ids of requirements by text and URL; missing ones are made."""
    ids = []
    for item in wanted:
        text, url = item.get("text", ""), item.get("url", "")
        same = (
            requirement.c.project_id == project_id,
            requirement.c.text == text,
            requirement.c.url == url,
        )
        found = connection.scalar(select(requirement.c.id).where(*same))
        if found is None:
            found = item.get("id") or make_id()
            values = {"id": found, "project_id": project_id, "text": text, "url": url}
            connection.execute(insert(requirement).values(**values, created_at=now()))
        ids.append(found)
    return ids
