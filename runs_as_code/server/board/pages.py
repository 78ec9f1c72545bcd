"""What the pages of the board show: projects, the runs of one, one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from runs_as_code.server.board import reading
from runs_as_code.server.board.bars import Bar, Label, add_counts, make_bar
from runs_as_code.server.board.filters import NOBODY, Cut, Filters, cut
from runs_as_code.server.board.reading import RunLine
from runs_as_code.server.rules.milestones import list_milestones
from runs_as_code.server.rules.runs import LISTED, count_statuses
from runs_as_code.server.store.tables import project, run

PAGE_SIZE = 50
EVENTS = 12
BARS_LIMIT = 500
"""So many open runs at most are counted for the bar of a whole project."""


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """A project in the list of all."""

    code: str
    title: str
    open: int
    closed: int
    is_archived: bool
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Projects:
    """The list of projects."""

    cards: tuple[ProjectCard, ...]
    cut: Cut


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run in a list; `before` and `after` are its neighbours in the history of its key."""

    line: RunLine
    type: str
    bar: Bar
    milestone: str
    assignee: str
    author: str
    closer: str
    before: RunLine | None
    after: RunLine | None
    source: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run; `kind` is made, cloned or closed."""

    at: str
    kind: str
    line: RunLine
    person: str
    source: int | None = None


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """The runs of a project."""

    code: str
    title: str
    open: int
    closed: int
    bar: Bar | None
    owners: tuple[tuple[str, int], ...]
    nobodys: int
    filters: Filters
    cards: tuple[RunCard, ...]
    cut: Cut
    events: tuple[Event, ...]


def projects_page(connection: Connection, page: int) -> Projects:
    """Return the list of projects."""
    rows, shown = cut(
        connection.execute(select(project).order_by(project.c.code)).all(), page, PAGE_SIZE
    )
    totals = {
        row.project_id: (row.total - row.closed, row.closed)
        for row in connection.execute(
            select(
                run.c.project_id,
                func.count().label("total"),
                func.count(run.c.closed_at).label("closed"),
            ).group_by(run.c.project_id)
        )
    }
    labels = reading.load_labels(connection)
    left = BARS_LIMIT
    cards = []
    for row in rows:
        still_open, closed = totals.get(row.id, (0, 0))
        bar = None
        if 0 < still_open <= left:
            left -= still_open
            bar = _bar_of_all(connection, row.id, labels)
        cards.append(
            ProjectCard(row.code, row.title, still_open, closed, row.archived_at is not None, bar)
        )
    return Projects(tuple(cards), shown)


def _bar_of_all(connection: Connection, project_id: str, labels: Mapping[str, Label]) -> Bar | None:
    """Return the bar of all open runs of a project together."""
    query = LISTED.where(run.c.project_id == project_id, run.c.closed_at.is_(None))
    rows = connection.execute(query.limit(BARS_LIMIT + 1)).all()
    if not 0 < len(rows) <= BARS_LIMIT:
        return None
    counts = count_statuses(connection, project_id, rows)
    return make_bar(add_counts(counts.values()), labels)


def project_page(connection: Connection, row: Row[Any], filters: Filters) -> ProjectPage:
    """Return the runs of a project that fit the filters."""
    lines = reading.load_lines(connection, row.id)
    still_open = [line for line in lines if line.is_open]
    owners: dict[str, int] = {}
    for line in lines:
        owner = line.name[0] if line.name else NOBODY
        owners[owner] = owners.get(owner, 0) + line.is_open
    wanted, shown = cut([line for line in lines if _fits(line, filters)], filters.page, PAGE_SIZE)
    return ProjectPage(
        code=row.code,
        title=row.title,
        open=len(still_open),
        closed=len(lines) - len(still_open),
        bar=_bar_of_all(connection, row.id, reading.load_labels(connection)),
        owners=tuple(sorted(item for item in owners.items() if item[0] != NOBODY)),
        nobodys=owners.get(NOBODY, 0),
        filters=filters,
        cards=run_cards(connection, row.id, wanted, lines),
        cut=shown,
        events=_events(connection, lines),
    )


def _fits(line: RunLine, filters: Filters) -> bool:
    if filters.state != "all" and line.is_open != (filters.state == "open"):
        return False
    owner, key = line.name or (NOBODY, "")
    if filters.owner not in ("", owner):
        return False
    text = filters.text.casefold()
    return text in line.title.casefold() or text in key.casefold()


def run_cards(
    connection: Connection, project_id: str, wanted: Sequence[RunLine], lines: Sequence[RunLine]
) -> tuple[RunCard, ...]:
    """Return what a list shows of the wanted runs, in their order."""
    ids = [line.id for line in wanted]
    rows = reading.load_rows(connection, project_id, ids)
    bars = reading.load_bars(connection, project_id, rows, reading.load_labels(connection))
    people = reading.load_people(connection)
    milestones = {item["id"]: item["title"] for item in list_milestones(connection, project_id)}
    sources = reading.find_sources(connection, ids)
    histories = reading.histories(lines)
    by_id = {row.id: row for row in rows}
    return tuple(
        RunCard(
            line=line,
            type=by_id[line.id].type,
            bar=bars[line.id],
            milestone=milestones.get(by_id[line.id].milestone_id, ""),
            assignee=people.get(by_id[line.id].assignment_id, ""),
            author=people.get(line.created_by, ""),
            closer=people.get(line.closed_by or 0, ""),
            before=line.name and reading.predecessor(line, histories[line.name]),
            after=line.name and reading.successor(line, histories[line.name]),
            source=sources.get(line.id),
        )
        for line in wanted
    )


def _events(connection: Connection, lines: Sequence[RunLine]) -> tuple[Event, ...]:
    """Return what happened last, the newest first."""
    moments = [(line.created_at, line.id, False, line) for line in lines]
    moments += [(line.closed_at, line.id, True, line) for line in lines if line.closed_at]
    latest = sorted(moments, key=lambda moment: moment[:3], reverse=True)[:EVENTS]
    people = reading.load_people(connection)
    sources = reading.find_sources(connection, [number for _, number, _, _ in latest])
    events = []
    for at, number, is_close, line in latest:
        if is_close:
            events.append(Event(at, "closed", line, people.get(line.closed_by or 0, "")))
        else:
            kind = "cloned" if number in sources else "made"
            person = people.get(line.created_by, "")
            events.append(Event(at, kind, line, person, sources.get(number)))
    return tuple(events)
