"""The folder tree of a project: paths that are made where missing, and subtrees."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, insert, select, update

from runs_as_code.server.store.clock import now
from runs_as_code.server.store.tables import folder

ROOT = 0


def ensure_path(
    connection: Connection, project_id: str, path: Sequence[str], comment: str | None = None
) -> list[int]:
    """Return the ids along a path, root first; make what is missing, set the leaf's comment."""
    ids: list[int] = []
    for title in path:
        parent = ids[-1] if ids else ROOT
        ids.append(
            _find(connection, project_id, parent, title)
            or add_folder(connection, project_id, parent, title)
        )
    if comment is not None:
        connection.execute(
            update(folder).where(folder.c.id == ids[-1]).values(comment=comment, updated_at=now())
        )
    return ids


def _find(connection: Connection, project_id: str, parent: int, title: str) -> int | None:
    return connection.scalar(
        select(folder.c.id).where(
            folder.c.project_id == project_id,
            folder.c.parent_id == parent,
            folder.c.title == title,
        )
    )


def add_folder(
    connection: Connection, project_id: str, parent: int, title: str, folder_id: int | None = None
) -> int:
    """Add a folder as the last child of its parent (0 is the root)."""
    siblings = select(func.count()).where(
        folder.c.project_id == project_id, folder.c.parent_id == parent
    )
    moment = now()
    values = {
        "project_id": project_id,
        "parent_id": parent,
        "title": title,
        "comment": "",
        "pos": connection.scalar(siblings),
        "created_at": moment,
        "updated_at": moment,
    }
    if folder_id is not None:
        values["id"] = folder_id
    made = connection.execute(insert(folder).values(values)).inserted_primary_key
    return int(made[0]) if made else 0


def children_of(connection: Connection, project_id: str) -> dict[int, list[int]]:
    """Return the child folders of each folder of a project."""
    children: dict[int, list[int]] = {}
    rows = connection.execute(
        select(folder.c.id, folder.c.parent_id).where(folder.c.project_id == project_id)
    )
    for folder_id, parent in rows:
        children.setdefault(parent, []).append(folder_id)
    return children


def with_descendants(children: dict[int, list[int]], roots: Iterable[int]) -> set[int]:
    """Return folders together with everything below them."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        folder_id = waiting.pop()
        if folder_id not in found:
            found.add(folder_id)
            waiting.extend(children.get(folder_id, ()))
    return found


def unknown_ids(connection: Connection, project_id: str, ids: Iterable[int]) -> set[int]:
    """Return those ids that are no folder of the project."""
    rows = connection.scalars(select(folder.c.id).where(folder.c.project_id == project_id))
    return set(ids) - set(rows)
