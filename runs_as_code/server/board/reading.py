"""What the board knows of a project: all its runs in few words, and more of the few it shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from runs_as_code.model.marker import Marker
from runs_as_code.server.board.bars import Bar, Label, make_bar
from runs_as_code.server.board.marks import Description, read_description
from runs_as_code.server.rules.runs import LISTED, count_statuses
from runs_as_code.server.rules.statuses import OPEN
from runs_as_code.server.store.conditions import is_one_of
from runs_as_code.server.store.tables import audit_event, run, status, user


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in few words; `copy_of` is the older run whose very marker it carries."""

    id: int
    title: str
    description: Description
    copy_of: int | None
    created_at: str
    created_by: int
    closed_at: str | None
    closed_by: int | None

    @property
    def is_open(self) -> bool:
        """Whether the run is open."""
        return self.closed_at is None

    @property
    def mark(self) -> Marker | None:
        """The marker; None for runs that nobody manages."""
        return self.description.mark

    @property
    def name(self) -> tuple[str, str] | None:
        """Owner and key; None for runs that nobody manages, and for copies."""
        return (self.mark.owner, self.mark.key) if self.mark and self.copy_of is None else None

    @property
    def revision(self) -> int:
        """The revision; 0 for runs that nobody manages."""
        return self.mark.revision if self.mark else 0


def load_lines(connection: Connection, project_id: str) -> list[RunLine]:
    """Return all runs of a project in few words, the newest first."""
    rows = connection.execute(
        select(
            run.c.id,
            run.c.title,
            run.c.description,
            run.c.created_at,
            run.c.created_by,
            run.c.closed_at,
            run.c.closed_by,
        )
        .where(run.c.project_id == project_id)
        .order_by(run.c.id)
    )
    first: dict[Marker, int] = {}
    lines = []
    for row in rows:
        description = read_description(row.description)
        mark = description.mark
        holder = row.id if mark is None else first.setdefault(mark, row.id)
        lines.append(
            RunLine(
                row.id,
                row.title,
                description,
                None if holder == row.id else holder,
                row.created_at,
                row.created_by,
                row.closed_at,
                row.closed_by,
            )
        )
    return lines[::-1]


def histories(lines: Iterable[RunLine]) -> dict[tuple[str, str], list[RunLine]]:
    """Return the runs of each owner and key, the newest revision first."""
    found: dict[tuple[str, str], list[RunLine]] = {}
    for line in lines:
        if line.name:
            found.setdefault(line.name, []).append(line)
    for each in found.values():
        each.sort(key=lambda line: (line.revision, line.id), reverse=True)
    return found


def predecessor(line: RunLine, history: Sequence[RunLine]) -> RunLine | None:
    """Return the newest run of an older revision of the same key."""
    return next((older for older in history if older.revision < line.revision), None)


def successor(line: RunLine, history: Sequence[RunLine]) -> RunLine | None:
    """Return the newest run of the revision after this one."""
    newer = [each for each in history if each.revision > line.revision]
    return min(newer, key=lambda each: (each.revision, -each.id), default=None)


def find_sources(connection: Connection, runs: Iterable[int]) -> dict[int, int]:
    """Return of which run each of these is a clone; the audit log knows."""
    made = func.json_extract(audit_event.c.meta, "$.run")
    rows = connection.execute(
        select(made, func.json_extract(audit_event.c.meta, "$.clonedFrom")).where(
            audit_event.c.action == "clone", is_one_of(made, runs)
        )
    )
    return {row[0]: row[1] for row in rows}


def find_clones(connection: Connection, run_id: int) -> list[int]:
    """Return the clones of a run, the oldest first."""
    source = func.json_extract(audit_event.c.meta, "$.clonedFrom")
    made = func.json_extract(audit_event.c.meta, "$.run")
    rows = connection.scalars(
        select(made).where(audit_event.c.action == "clone", source == run_id).order_by(made)
    )
    return list(rows)


def load_rows(connection: Connection, project_id: str, runs: Iterable[int]) -> list[Row[Any]]:
    """Return what the run list reads of these runs, the newest first."""
    query = LISTED.where(run.c.project_id == project_id, is_one_of(run.c.id, runs))
    return list(connection.execute(query.order_by(run.c.id.desc())))


def load_bars(
    connection: Connection,
    project_id: str,
    rows: Sequence[Row[Any]],
    labels: Mapping[str, Label],
) -> dict[int, Bar]:
    """Return the bar of each of these runs."""
    counts = count_statuses(connection, project_id, rows)
    return {row.id: make_bar(counts[row.id], labels) for row in rows}


def load_labels(connection: Connection) -> dict[str, Label]:
    """Return how each status is called; the five fixed ones have colours of their own."""
    rows = connection.execute(select(status)).all()
    return {
        row.id: Label(row.name.lower(), row.id) if row.is_default else Label(row.name, row.color)
        for row in rows
    } | {OPEN: Label("open", OPEN)}


def load_people(connection: Connection) -> dict[int, str]:
    """Return the names of all users."""
    return {row.id: row.name or row.email for row in connection.execute(select(user))}
