"""Milestones: made, shown, and checked before a run refers to one."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from runs_as_code.server import guesses
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.tables import milestone
from runs_as_code.server.web.problems import refuse


def show_milestone(row: Row[Any]) -> dict[str, Any]:
    """Build a milestone as the list and the run list show it [DOC, S]."""
    return {
        "id": row.id,
        "title": row.title,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "archivedAt": row.archived_at,
        "archivedBy": row.archived_by,
    }


def list_milestones(
    connection: Connection, project_id: str, *, is_archived: bool | None = None
) -> list[dict[str, Any]]:
    """List all milestones of a project, or only the archived or the active ones."""
    query = select(milestone).where(milestone.c.project_id == project_id)
    if is_archived is not None:
        archived = milestone.c.archived_at
        query = query.where(archived.is_not(None) if is_archived else archived.is_(None))
    return [show_milestone(row) for row in connection.execute(query.order_by(milestone.c.id))]


def add_milestone(connection: Connection, project_id: str, title: str) -> int:
    """Add a milestone; titles may repeat (a guess)."""
    if guesses.MILESTONE_TITLES_ARE_UNIQUE:
        same = milestone.c.project_id == project_id, milestone.c.title == title
        if connection.scalar(select(milestone.c.id).where(*same)):
            raise refuse("milestone title must be unique within the project")
    moment = now()
    made = connection.execute(
        insert(milestone).values(
            project_id=project_id, title=title, created_at=moment, updated_at=moment
        )
    ).inserted_primary_key
    return int(made[0]) if made else 0


def check_milestone(connection: Connection, project_id: str, milestone_id: int | None) -> None:
    """Refuse a milestone that is unknown in the project or archived [HELP, DOC plan]."""
    if milestone_id is None:
        return
    row = connection.execute(
        select(milestone.c.archived_at).where(
            milestone.c.id == milestone_id, milestone.c.project_id == project_id
        )
    ).first()
    if row is None:
        raise refuse("milestone not found")
    if row.archived_at is not None:
        raise refuse(guesses.MESSAGE_ARCHIVED_MILESTONE)
