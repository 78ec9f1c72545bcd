"""What the page of one run shows: its facts, its key's history, its log, its test cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from runs_as_code.server.board import reading
from runs_as_code.server.board.bars import Label
from runs_as_code.server.board.filters import Cut, cut
from runs_as_code.server.board.pages import RunCard, run_cards
from runs_as_code.server.board.plain import plain_text
from runs_as_code.server.board.reading import RunLine
from runs_as_code.server.rules.members import list_members
from runs_as_code.server.rules.runs import get_run
from runs_as_code.server.store.tables import folder, run_log, tag

MEMBERS = 200
"""So many test cases are on one page of a run."""

HISTORY = 50
"""So many runs of one key, clones and log entries are shown; the newest of them."""

DEPTH = 50
"""So many folders of a path are shown at most."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A query plan in names."""

    folders: tuple[str, ...]
    tags: tuple[str, ...]
    priorities: tuple[str, ...]
    named: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A comment in the log of a run, without the tags that it is written in."""

    at: str
    person: str
    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """A test case of a run."""

    name: str
    title: str
    folder: str
    priority: str
    status: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run; `history` are the runs of its key, `hidden` says how many more of them there are."""

    code: str
    project: str
    card: RunCard
    time_spent: int | None
    selections: tuple[Selection, ...]
    history: tuple[RunCard, ...]
    hidden: int
    clones: tuple[RunLine, ...]
    log: tuple[LogEntry, ...]
    members: tuple[Member, ...]
    labels: Mapping[str, Label]
    status: str
    cut: Cut


def run_page(
    connection: Connection, row: Row[Any], name: str, *, status: str = "", page: int = 1
) -> RunPage:
    """Return the page of a run; raise ApiError 404 where the project has none of this id."""
    found = get_run(connection, row.id, name)
    lines = reading.load_lines(connection, row.id)
    by_id = {line.id: line for line in lines}
    line = by_id[found.id]
    history = reading.histories(lines)[line.name] if line.name else []
    cards = run_cards(
        connection, row.id, [line, *(each for each in history[:HISTORY] if each != line)], lines
    )
    chain = sorted(cards, key=lambda card: (card.line.revision, card.line.id), reverse=True)
    folders = folder_paths(connection, row.id)
    members = [
        member
        for member in list_members(connection, found)
        if not status or member.status == status
    ]
    shown, where = cut(members, page, MEMBERS)
    clones = reading.find_clones(connection, found.id)
    return RunPage(
        code=row.code,
        project=row.title,
        card=cards[0],
        time_spent=found.time_spent,
        selections=_selections(connection, row.id, found.query_plans, folders),
        history=tuple(chain) if history else (),
        hidden=max(0, len(history) - len(chain)),
        clones=tuple(by_id[number] for number in clones[-HISTORY:] if number in by_id),
        log=_log(connection, found.id),
        members=tuple(
            Member(
                f"{row.code}-{member.seq:03d}",
                member.title,
                folders.get(member.folder_id, ""),
                member.priority,
                member.status,
            )
            for member in shown
        ),
        labels=reading.load_labels(connection),
        status=status,
        cut=where,
    )


def folder_paths(connection: Connection, project_id: str) -> dict[int, str]:
    """Return the path of titles of each folder of a project."""
    rows = connection.execute(
        select(folder.c.id, folder.c.parent_id, folder.c.title).where(
            folder.c.project_id == project_id
        )
    )
    parents = {row.id: (row.parent_id, row.title) for row in rows}
    return {number: _path(number, parents) for number in parents}


def _path(number: int, parents: Mapping[int, tuple[int, str]]) -> str:
    titles: list[str] = []
    while number in parents and len(titles) < DEPTH:
        number, title = parents[number]
        titles.append(title)
    return "/".join(reversed(titles))


def _selections(
    connection: Connection,
    project_id: str,
    plans: Sequence[Mapping[str, Any]],
    folders: Mapping[int, str],
) -> tuple[Selection, ...]:
    rows = connection.execute(select(tag.c.id, tag.c.title).where(tag.c.project_id == project_id))
    tags = {row.id: row.title for row in rows}
    return tuple(
        Selection(
            tuple(folders.get(number, str(number)) for number in plan.get("folderIds") or ()),
            tuple(tags.get(number, str(number)) for number in plan.get("tagIds") or ()),
            tuple(plan.get("priorities") or ()),
            len(plan.get("tcaseIds") or ()),
        )
        for plan in plans
    )


def _log(connection: Connection, run_id: int) -> tuple[LogEntry, ...]:
    people = reading.load_people(connection)
    rows = connection.execute(
        select(run_log)
        .where(run_log.c.run_id == run_id)
        .order_by(run_log.c.created_at.desc(), run_log.c.id)
        .limit(HISTORY)
    )
    return tuple(
        LogEntry(row.created_at, people.get(row.user_id, ""), plain_text(row.comment))
        for row in rows
    )
