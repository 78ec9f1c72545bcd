"""New databases: tables, statuses and seed data, built aside and put in place in one step."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from runs_as_code.server.demo import DEMO, EMPTY
from runs_as_code.server.rules.cases import (
    CaseDraft,
    add_case,
    add_tag,
    ensure_requirements,
)
from runs_as_code.server.rules.folders import ROOT, add_folder
from runs_as_code.server.rules.statuses import DEFAULTS
from runs_as_code.server.store.database import DatabaseError, Store, check_version, open_engine
from runs_as_code.server.store.ids import make_id
from runs_as_code.server.store.tables import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    folder,
    metadata,
    milestone,
    project,
    status,
    tcase,
    user,
)
from runs_as_code.server.web.keys import make_key

SEED_TIME = "2024-01-01T00:00:00.000Z"
_SEED_MILLISECONDS = 1_704_067_200_000
_SEEDS: dict[str, Mapping[str, Any]] = {"demo": DEMO, "empty": EMPTY}


def ensure_database(path: Path | str, seed: str = "demo") -> None:
    """Create a missing database with its seed, or check the schema version of a found one.

    Safe when several processes do it at once: one wins, the others use its file. Raises
    `DatabaseError` for a file that is no database of this version.
    """
    path = Path(path)
    if path.exists():
        check_version(path)
        return
    if seed not in _SEEDS:
        raise DatabaseError(f"unknown seed `{seed}`", hint="use `demo` or `empty`")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(path, _SEEDS[seed])
    except OSError as error:
        raise DatabaseError(
            f"the database `{path}` can't be created: {error.strerror or error}",
            hint="name a file in a folder that can be written to",
        ) from error
    check_version(path)


def _build(path: Path, document: Mapping[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        engine = open_engine(draft)
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        with engine.begin() as connection:
            metadata.create_all(connection)
            fill(connection, document)
        engine.dispose()  # the last close folds the write-ahead log into the file
        os.link(draft, path)
    except FileExistsError:
        return  # somebody else was faster, with the same content
    finally:
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            leftover.unlink(missing_ok=True)


def create_key(database: Path | str, email: str, *, name: str = "") -> str:
    """Make an API key for a user and return it; it can't be shown again, only its hash is kept."""
    store = Store(Path(database))
    try:
        with store.writing() as connection:
            return make_key(connection, email, name)
    except LookupError:
        raise DatabaseError(
            f"no user has the e-mail `{email}`", hint="name one of the users in the seed"
        ) from None
    finally:
        store.close()


def list_emails(database: Path | str) -> list[tuple[str, str]]:
    """Return e-mail and role of every active user, strongest role first as seeded."""
    store = Store(Path(database))
    try:
        with store.reading() as connection:
            query = select(user.c.email, user.c.role).where(user.c.is_active).order_by(user.c.id)
            return [(row.email, row.role) for row in connection.execute(query)]
    finally:
        store.close()


def fill(connection: Connection, document: Mapping[str, Any]) -> None:
    """Write a seed document into new, empty tables."""
    connection.execute(insert(status), list(DEFAULTS))
    connection.execute(
        insert(user),
        [
            {
                "id": item["id"],
                "email": item["email"],
                "name": item["name"],
                "role": item["role"],
                "is_active": item.get("active", True),
                "created_at": SEED_TIME,
            }
            for item in document["users"]
        ],
    )
    for number, item in enumerate(document.get("projects", ()), start=1):
        _Filler(connection, item, number).fill()


class _Filler:
    """Write one project of a seed document."""

    def __init__(self, connection: Connection, item: Mapping[str, Any], number: int) -> None:
        self._connection = connection
        self._item = item
        self._number = number
        self._id = str(item.get("id") or self._make_id(0))
        self._author = connection.scalar(select(user.c.id).order_by(user.c.id).limit(1)) or 0

    def _make_id(self, entropy: int) -> str:
        # Same seed, same ids: the moment is fixed and the entropy counts.
        return make_id(_SEED_MILLISECONDS + self._number, entropy)

    def fill(self) -> None:
        item = self._item
        self._connection.execute(
            insert(project).values(
                id=self._id,
                code=item["code"],
                title=item["title"],
                overview_title=item.get("overviewTitle", ""),
                overview_description=item.get("overviewDescription", ""),
                links=[],
                created_at=SEED_TIME,
                updated_at=SEED_TIME,
                last_seq=0,
            )
        )
        for entry in item.get("tags", ()):
            add_tag(self._connection, self._id, entry)
        self._add_milestones(item.get("milestones", ()))
        cases = self._add_folders(item.get("folders", ()), ROOT)
        for folder_id, case in sorted(cases, key=lambda pair: pair[1].get("seq", 0)):
            self._add_case(folder_id, case)
        self._backdate()

    def _add_milestones(self, milestones: Sequence[Mapping[str, Any]]) -> None:
        for entry in milestones:
            values = {"project_id": self._id, "title": entry["title"]}
            values |= {"created_at": SEED_TIME, "updated_at": SEED_TIME}
            if "id" in entry:
                values["id"] = entry["id"]
            if entry.get("archived"):
                values |= {"archived_at": SEED_TIME, "archived_by": self._author}
            self._connection.execute(insert(milestone).values(values))

    def _add_folders(
        self, folders: Sequence[Mapping[str, Any]], parent: int
    ) -> list[tuple[int, Mapping[str, Any]]]:
        cases = []
        for entry in folders:
            folder_id = add_folder(
                self._connection, self._id, parent, entry["title"], entry.get("id")
            )
            cases += [(folder_id, case) for case in entry.get("cases", ())]
            cases += self._add_folders(entry.get("folders", ()), folder_id)
        return cases

    def _add_case(self, folder_id: int, case: Mapping[str, Any]) -> None:
        content: dict[str, Any] = dict(self._content(case))
        last = self._connection.scalar(select(project.c.last_seq).where(project.c.id == self._id))
        seq = case.get("seq", (last or 0) + 1)
        draft = CaseDraft(
            title=case["title"],
            folder_id=folder_id,
            priority=case.get("priority", "medium"),
            type=case.get("type", "standalone"),
            is_draft=case.get("draft", False),
            is_automated=case.get("automated", False),
            legacy_id=case.get("legacyId", ""),
            case_id=case.get("id") or self._make_id(seq),
            seq=seq,
            tags=case.get("tags", ()),
            content=content,
        )
        add_case(self._connection, self._id, draft, self._author)

    def _content(self, case: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        if steps := case.get("steps"):
            yield "steps", [dict(step) for step in steps]
        if text := case.get("precondition"):
            yield "precondition", {"text": text}
        if wanted := case.get("requirements"):
            yield "requirements", ensure_requirements(self._connection, self._id, wanted)

    def _backdate(self) -> None:
        for table in (tcase, folder):
            self._connection.execute(
                update(table)
                .where(table.c.project_id == self._id)
                .values(created_at=SEED_TIME, updated_at=SEED_TIME)
            )
