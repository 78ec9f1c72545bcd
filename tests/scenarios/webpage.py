"""What people do in the web page and the API does not offer: edits straight in the database."""

from typing import Any

from sqlalchemy import update
from starlette.applications import Starlette

from runs_as_code.server.store.tables import milestone, run

# The word of a step, and the column it writes.
FIELDS = {
    "title": run.c.title,
    "description": run.c.description,
    "milestone": run.c.milestone_id,
    "assignee": run.c.assignment_id,
    "type": run.c.type,
    "timeSpent": run.c.time_spent,
}


def edit_run(app: Starlette, run_id: int, changes: dict[str, Any]) -> None:
    """Change fields of a run, as somebody would in its form."""
    values = {FIELDS[name]: value for name, value in changes.items()}
    with app.state.store.writing() as connection:
        connection.execute(update(run).where(run.c.id == run_id).values(values))


def archive_milestone(app: Starlette, milestone_id: int) -> None:
    """Archive a milestone."""
    moment = "2024-02-01T00:00:00.000Z"
    with app.state.store.writing() as connection:
        connection.execute(
            update(milestone).where(milestone.c.id == milestone_id).values(archived_at=moment)
        )
