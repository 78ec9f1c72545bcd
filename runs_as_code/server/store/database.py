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
# SQLite's file format: what it begins with, and where the application's mark is.
_MAGIC = b"SQLite format 3\0"
_HEAD = 100
_MARK = slice(68, 72)
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
        # Absolute, since `:memory:` would not be the file of that name.
        URL.create("sqlite", database=str(path.absolute())),
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


def start_log(engine: Engine) -> None:
    """Switch a new file to write-ahead logging, outside any transaction."""
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        _patiently(lambda: driver.execute("PRAGMA journal_mode = WAL"))
    finally:
        connection.close()


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
    if path.is_dir():
        raise DatabaseError(f"`{path}` is a folder", hint="name the file of a database in it")
    try:
        application, version, _ = _patient_read(path)
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


def is_blank(path: Path) -> bool:
    """Say whether a file is there and holds nothing: no bytes, or a SQLite database without tables.

    Never raises; what can't be read holds something.
    """
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
        # A mark in the file itself spares the look inside; a missing one may be in the log yet.
        if head[_MARK].strip(b"\0") or (head and not head.startswith(_MAGIC)):
            return False
        return not any(_patient_read(path))
    except (OSError, sqlite3.Error):
        return False


def read_marks(execute: Callable[[str], Any]) -> tuple[int, ...]:
    """Return a database's application, its schema version, and how many tables it has."""
    statements = (
        "PRAGMA application_id",
        "PRAGMA user_version",
        "SELECT count(*) FROM sqlite_master",
    )
    return tuple(int(execute(statement).fetchone()[0]) for statement in statements)


def _patient_read(path: Path) -> tuple[int, ...]:
    # Not created: what is missing by now is behind a link.
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=BUSY_TIMEOUT, uri=True)
    found: list[int] = []

    def read() -> None:
        found[:] = read_marks(connection.execute)

    try:
        _patiently(read)
    finally:
        connection.close()
    return tuple(found)
