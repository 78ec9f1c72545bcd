"""One SQLite file, opened by many threads and processes at once.

Write-ahead logging lets readers work beside the one writer; every write transaction starts with
`BEGIN IMMEDIATE`, so it waits for its turn instead of failing when it wants to become a writer.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from runs_as_code.errors import QarunError
from runs_as_code.server.store.tables import APPLICATION_ID, SCHEMA_VERSION

BUSY_TIMEOUT = 60.0  # seconds
_LOCKED = ("database is locked", "locking protocol", "database schema is locked")


class DatabaseError(QarunError):
    """A database file that can't be used; `hint` says what to do."""


class Store:
    """Give out read and write transactions on one database file."""

    def __init__(self, path: Path) -> None:
        self.engine = open_engine(path)
        self._writer = self.engine.execution_options(is_write=True)
        # Threads of one process queue here in order; SQLite's own waiting is not fair.
        self._turn = threading.Lock()
        self.close = weakref.finalize(self, self.engine.dispose)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one unchanging picture of the database."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the write transaction; commits when the block ends, rolls back when it raises."""
        with self._turn, self._writer.begin() as connection:
            yield connection


def open_engine(path: Path) -> Engine:
    """Connect a SQLAlchemy engine to a file, with explicit transactions."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=-1,
        connect_args={
            "timeout": BUSY_TIMEOUT,
            "check_same_thread": False,
            "isolation_level": None,
        },
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    _patiently(lambda: connection.execute("PRAGMA synchronous = NORMAL"))
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")
    # SQLite's own `lower` knows ASCII only.
    connection.create_function("fold_case", 1, str.casefold, deterministic=True)


def _begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("is_write", False)
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed before its transaction began")
    _patiently(lambda: driver.execute("BEGIN IMMEDIATE" if is_write else "BEGIN"))


def _patiently(action: Callable[[], object]) -> None:
    # SQLite does not consult the busy time-out while another process recovers or removes the log.
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            action()
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or not str(error).startswith(_LOCKED):
                raise
            time.sleep(0.01)
        else:
            return


def check_version(path: Path) -> None:
    """Refuse a file that is no database of this server's schema version."""
    try:
        application, version = _patient_read(path)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(
            f"`{path}` can't be opened as an embedded server's database: {error}",
            hint="name another file, or remove this one to start afresh",
        ) from error
    if application != APPLICATION_ID:
        raise DatabaseError(
            f"`{path}` is no database of the embedded server",
            hint="name another file; this one belongs to something else",
        )
    if version != SCHEMA_VERSION:
        raise DatabaseError(
            f"`{path}` has schema version {version}, this program needs version {SCHEMA_VERSION}",
            hint="write it out with the version that made it (`qarun serve --dump`), then start "
            "a new one from that file (`qarun serve --seed FILE.yaml`)",
        )


def _patient_read(path: Path) -> tuple[int, int]:
    # Not created: what is missing by now is behind a link.
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=BUSY_TIMEOUT, uri=True)
    found: list[int] = []

    def read() -> None:
        found.clear()
        found.extend(
            int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
            for pragma in ("application_id", "user_version")
        )

    try:
        _patiently(read)
    finally:
        connection.close()
    return found[0], found[1]
