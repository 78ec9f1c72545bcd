"""Runs: their titles, creation, clones and closing; there is no update, reopen or delete."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Text, func, insert, select, type_coerce, update

from runs_as_code.server import guesses
from runs_as_code.server.options import ServerOptions, TextMangling
from runs_as_code.server.rules.members import LIVE, fix_members, freeze, is_computed
from runs_as_code.server.rules.membership import CaseIndex, Plan
from runs_as_code.server.rules.milestones import check_milestone
from runs_as_code.server.rules.statuses import OPEN
from runs_as_code.server.store.clock import now, now_after
from runs_as_code.server.store.tables import run, run_case, tcase, user
from runs_as_code.server.web.keys import ROLES
from runs_as_code.server.web.problems import ApiError, missing, refuse

_INT_LIMIT_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a run that is about to be made."""

    title: str
    type: str
    query_plans: Sequence[Plan]
    description: str = ""
    milestone_id: int | None = None
    assignment_id: int | None = None
    configuration_id: str | None = None
    links: Sequence[str] = ()
    integration_link: str | None = None
    test_plan_id: int | None = None


def get_run(connection: Connection, project_id: str, name: str | int) -> Row[Any]:
    """Return a run of a project by the id in a path; raise 404 where there is none."""
    text = str(name)
    is_id = text.isascii() and text.isdigit() and len(text) <= _INT_LIMIT_DIGITS
    row = (
        is_id
        and connection.execute(
            select(run).where(run.c.id == int(text), run.c.project_id == project_id)
        ).first()
    )
    if not row:
        raise missing("Run")
    return row


def add_run(
    connection: Connection,
    project_id: str,
    draft: Draft,
    author_id: int,
    options: ServerOptions,
) -> int:
    """Make a run whose members its query plans select."""
    index = CaseIndex(connection, project_id)
    members = index.select(draft.query_plans)
    return _insert_run(connection, project_id, draft, author_id, index.list_ids(members), options)


def clone_run(
    connection: Connection,
    source: Row[Any],
    draft: Draft,
    author_id: int,
    options: ServerOptions,
) -> int:
    """Make a run with the plans of another; a static clone has the source's members [SEED]."""
    if draft.type == LIVE:
        return add_run(connection, source.project_id, draft, author_id, options)
    rows = connection.scalars(
        select(run_case.c.tcase_id).where(run_case.c.run_id == source.id, run_case.c.is_member)
    )
    return _insert_run(connection, source.project_id, draft, author_id, list(rows), options)


def _insert_run(
    connection: Connection,
    project_id: str,
    draft: Draft,
    author_id: int,
    members: Sequence[str],
    options: ServerOptions,
) -> int:
    title = mangle(draft.title, options.mangle_text)
    if not title:
        raise refuse("title is required")
    _check_references(connection, project_id, draft)
    _check_title(connection, project_id, title, draft.milestone_id, options)
    made = connection.execute(
        insert(run).values(
            project_id=project_id,
            type=draft.type,
            title=title,
            description=mangle(draft.description, options.mangle_text),
            milestone_id=draft.milestone_id,
            assignment_id=None if options.ignore_assignee else draft.assignment_id,
            configuration_id=draft.configuration_id,
            links=list(draft.links),
            integration_link=draft.integration_link,
            test_plan_id=draft.test_plan_id,
            query_plans=[dict(plan) for plan in draft.query_plans],
            counts={OPEN: len(members)},
            created_by=author_id,
            created_at=now(),
        )
    ).inserted_primary_key
    run_id = int(made[0]) if made else 0
    if draft.type != LIVE:
        fix_members(connection, run_id, draft.type, members)
    return run_id


def mangle(text: str, how: TextMangling) -> str:
    """Change a text the way the server's option says, before it is stored."""
    if how == "trim":
        return text.strip()
    return html.escape(text) if how == "escape" else text


def _check_references(connection: Connection, project_id: str, draft: Draft) -> None:
    check_milestone(connection, project_id, draft.milestone_id)
    if draft.assignment_id is None:
        return
    row = connection.execute(
        select(user.c.role, user.c.is_active).where(user.c.id == draft.assignment_id)
    ).first()
    if row is None or not row.is_active or row.role == ROLES[0]:
        raise refuse(guesses.MESSAGE_BAD_ASSIGNEE)


def _check_title(
    connection: Connection,
    project_id: str,
    title: str,
    milestone_id: int | None,
    options: ServerOptions,
) -> None:
    if options.title_scope == "none":
        return
    same = [run.c.project_id == project_id, run.c.title == title]
    if options.title_scope == "milestone":
        same.append(run.c.milestone_id.is_not_distinct_from(milestone_id))
    if not guesses.CLOSED_RUNS_HOLD_TITLES:
        same.append(run.c.closed_at.is_(None))
    holder = connection.scalar(select(run.c.id).where(*same).order_by(run.c.id).limit(1))
    if holder is not None:
        raise ApiError(
            guesses.TITLE_CONFLICT_STATUS,
            f"run title must be unique within the {options.title_scope}, "
            f"conflicting run id: {holder}",
        )


def close_run(connection: Connection, run_row: Row[Any], closed_by: int) -> None:
    """Close a run for good and freeze everything it shows."""
    if run_row.closed_at is not None:
        raise ApiError(guesses.CLOSE_TWICE_STATUS, guesses.MESSAGE_ALREADY_CLOSED)
    counts = freeze(connection, run_row)
    updates = select(func.max(tcase.c.updated_at)).where(tcase.c.project_id == run_row.project_id)
    closed_at = now_after(connection.scalar(updates))
    connection.execute(
        update(run)
        .where(run.c.id == run_row.id)
        .values(counts=counts, closed_at=closed_at, closed_by=closed_by)
    )


# Plans and counts stay text here: in ten thousand runs most are equal, and parsed once.
LISTED = select(
    run.c.id,
    run.c.type,
    run.c.project_id,
    run.c.title,
    run.c.description,
    run.c.milestone_id,
    run.c.assignment_id,
    type_coerce(run.c.query_plans, Text).label("query_plans"),
    type_coerce(run.c.counts, Text).label("counts"),
    run.c.time_spent,
    run.c.created_at,
    run.c.closed_at,
    run.c.closed_by,
)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Any:
    return json.loads(text)


def count_statuses(
    connection: Connection, project_id: str, rows: Sequence[Row[Any]]
) -> dict[int, Mapping[str, int]]:
    """Count the cases of many `LISTED` runs by status with a fixed number of queries."""
    counts: dict[int, Mapping[str, int]] = {
        row.id: _parse(row.counts) for row in rows if not is_computed(row)
    }
    live = [row for row in rows if is_computed(row)]
    if live:
        index = CaseIndex(connection, project_id)
        states = _live_states(connection, project_id, live)
        for row in live:
            members = index.select(_parse(row.query_plans))
            counts[row.id] = _count_live(index, members, states.get(row.id))
    return counts


def _live_states(
    connection: Connection, project_id: str, live: Sequence[Row[Any]]
) -> dict[int, list[tuple[str, str]]]:
    query = (
        select(run_case.c.run_id, run_case.c.tcase_id, run_case.c.status)
        .join(run, run.c.id == run_case.c.run_id)
        .where(
            run.c.project_id == project_id,
            run.c.type == LIVE,
            run.c.closed_at.is_(None),
            run.c.id.between(min(row.id for row in live), max(row.id for row in live)),
        )
    )
    states: dict[int, list[tuple[str, str]]] = {}
    for run_id, case_id, status in connection.execute(query):
        states.setdefault(run_id, []).append((case_id, status))
    return states


def _count_live(
    index: CaseIndex, members: int, states: Sequence[tuple[str, str]] | None
) -> dict[str, int]:
    counts = {OPEN: members.bit_count()}
    for case_id, status in states or ():
        if index.holds(members, case_id):
            counts[OPEN] -= 1
            counts[status] = counts.get(status, 0) + 1
    return counts
