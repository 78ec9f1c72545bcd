"""Users as other replies show them."""

from typing import Any

from sqlalchemy import Connection, Row, select

from runs_as_code.server.store.tables import user


def show_user(row: Row[Any]) -> dict[str, Any]:
    """Build the short form of a user, as in assignments and result authors [SEED]."""
    return {
        "id": row.id,
        "email": row.email,
        "name": row.name,
        "avatar": row.avatar,
        "role": row.role,
    }


def users_by_id(connection: Connection) -> dict[int, dict[str, Any]]:
    """Return the short form of every user."""
    return {row.id: show_user(row) for row in connection.execute(select(user))}
