"""The test cases of one run with their versions, statuses and places.

| run | members | version shown | folder and position |
|---|---|---|---|
| static | fixed at creation | of the creation | of now |
| static_struct | fixed at creation | newest while open, else of the status | of now |
| live | what the plans select now | newest while open, else of the status | of now |
| any, closed | of the close | of the close | of the close |
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, func, insert, select, type_coerce, update

from runs_as_code.server.rules.membership import CaseIndex
from runs_as_code.server.rules.statuses import OPEN
from runs_as_code.server.store.tables import run, run_case, tcase, tcase_version

LIVE = "live"
STATIC = "static"
STATIC_STRUCT = "static_struct"
TYPES = (STATIC, STATIC_STRUCT, LIVE)


def is_computed(run_row: Row[Any]) -> bool:
    """Say whether the members of a run are computed at each read."""
    return bool(run_row.type == LIVE and run_row.closed_at is None)


def list_members(
    connection: Connection, run_row: Row[Any], case_id: str | None = None
) -> Sequence[Row[Any]]:
    """Return the members of a run, or the one asked for, in the order of folder and position."""
    query = _members_query(run_row.id).where(tcase.c.project_id == run_row.project_id)
    if case_id is not None:
        query = query.where(tcase.c.id == case_id)
    if not is_computed(run_row):
        return connection.execute(query.where(run_case.c.is_member)).all()
    index = CaseIndex(connection, run_row.project_id)
    members = index.select(run_row.query_plans)
    return [row for row in connection.execute(query) if index.holds(members, row.id)]


def content_of(member: Row[Any]) -> dict[str, Any]:
    """Return what the shown version of a member holds; it is parsed only where it is needed."""
    content: dict[str, Any] = json.loads(member.content_text)
    return content


def is_newest(connection: Connection, run_row: Row[Any], member: Row[Any]) -> bool:
    """Say whether a run shows the newest version of a member; a closed one goes by its close."""
    if run_row.closed_at is None:
        return bool(member.version == member.latest_version)
    newer = select(tcase_version.c.version).where(
        tcase_version.c.tcase_id == member.id,
        tcase_version.c.version > member.version,
        tcase_version.c.created_at <= run_row.closed_at,
    )
    return connection.scalar(newer.limit(1)) is None


def _members_query(run_id: int) -> Any:
    folder_id = func.coalesce(run_case.c.folder_id, tcase.c.folder_id)
    pos = func.coalesce(run_case.c.pos, tcase.c.pos)
    state = tcase.outerjoin(
        run_case, (run_case.c.run_id == run_id) & (run_case.c.tcase_id == tcase.c.id)
    )
    shown = tcase_version.c.version == func.coalesce(run_case.c.version, tcase.c.version)
    return (
        select(
            tcase.c.id,
            tcase.c.seq,
            tcase.c.legacy_id,
            tcase.c.type,
            tcase.c.author_id,
            tcase.c.template_id,
            tcase.c.created_at,
            tcase.c.version.label("latest_version"),
            tcase_version.c.version,
            tcase_version.c.created_at.label("written_at"),
            tcase_version.c.title,
            tcase_version.c.priority,
            tcase_version.c.is_automated,
            tcase_version.c.is_empty,
            type_coerce(tcase_version.c.content, Text).label("content_text"),
            folder_id.label("folder_id"),
            pos.label("pos"),
            func.coalesce(run_case.c.status, OPEN).label("status"),
        )
        .select_from(state.join(tcase_version, (tcase_version.c.tcase_id == tcase.c.id) & shown))
        .order_by(folder_id, pos, tcase.c.seq)
    )


def fix_members(
    connection: Connection, run_id: int, run_type: str, case_ids: Sequence[str]
) -> None:
    """Write down the members of a new static or static_struct run."""
    if not case_ids:
        return
    versions: dict[str, int] = {}
    if run_type == STATIC:
        wanted = set(case_ids)
        rows = connection.execute(
            select(tcase.c.id, tcase.c.version)
            .join(run, run.c.project_id == tcase.c.project_id)
            .where(run.c.id == run_id)
        )
        versions = {row.id: row.version for row in rows if row.id in wanted}
    connection.execute(
        insert(run_case),
        [
            {
                "run_id": run_id,
                "tcase_id": case_id,
                "is_member": True,
                "status": OPEN,
                "version": versions.get(case_id),
            }
            for case_id in case_ids
        ],
    )


def freeze(connection: Connection, run_row: Row[Any]) -> dict[str, int]:
    """Write down everything a run shows, so that it never changes again; return its counts."""
    members = list_members(connection, run_row)
    connection.execute(
        update(run_case).where(run_case.c.run_id == run_row.id).values(is_member=False)
    )
    counts: dict[str, int] = {}
    for member in members:
        counts[member.status] = counts.get(member.status, 0) + 1
    if members:
        connection.execute(
            insert(run_case).prefix_with("OR REPLACE"),
            [
                {
                    "run_id": run_row.id,
                    "tcase_id": member.id,
                    "is_member": True,
                    "status": member.status,
                    "version": member.version,
                    "folder_id": member.folder_id,
                    "pos": member.pos,
                }
                for member in members
            ],
        )
    return counts
