"""New databases: built aside with their seed, then put in place in one step; keys and dumps."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from runs_as_code.server.demo import DEMO, EMPTY
from runs_as_code.server.documents import DocumentError, read_seed, write_seed
from runs_as_code.server.dumping import dump
from runs_as_code.server.filling import fill
from runs_as_code.server.store.database import (
    DatabaseError,
    Store,
    check_version,
    is_blank,
    open_engine,
    read_marks,
    start_log,
)
from runs_as_code.server.store.identity import ensure_id
from runs_as_code.server.store.tables import APPLICATION_ID, SCHEMA_VERSION, metadata, user
from runs_as_code.server.web.keys import make_key
from runs_as_code.server.web.problems import ApiError

_SEEDS: Mapping[str, Mapping[str, Any]] = {"demo": DEMO, "empty": EMPTY}
_SUFFIXES = (".yaml", ".yml", ".json")


def ensure_database(path: Path | str, seed: Path | str = "demo") -> bool:
    """Create a missing database with its seed, or check the schema version of a found one.

    An empty file, as `mktemp` makes it, counts as missing and is filled where it is. `seed` is
    `demo`, `empty`, or a seed file. Returns whether this call created it. Safe when several
    processes do it at once: one wins, the others use its file. Raises `DatabaseError` where file or
    seed can't be used.
    """
    path = Path(path)
    is_there = os.path.lexists(path)  # which never raises, and sees a link that leads nowhere
    if is_there and not is_blank(path):
        check_version(path)
        return False
    document = _load_seed(seed)
    try:
        if is_there:
            is_made = _build_in_place(path, document)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_made = _build(path, document)
    except (ApiError, IntegrityError) as error:
        why = error.message if isinstance(error, ApiError) else _explain(error)
        raise DocumentError(f"the seed `{seed}` contradicts itself: {why}") from error
    except (OSError, sqlite3.Error, DBAPIError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "orig", None) or error
        raise DatabaseError(
            f"the database `{path}` can't be created: {reason}",
            hint="name a file in a folder that can be written to",
        ) from error
    check_version(path)
    return is_made


def _explain(error: IntegrityError) -> str:
    """Say in plain words that something stands twice, e.g. `UNIQUE constraint failed: tag.id`."""
    columns = str(error.orig).partition("UNIQUE constraint failed: ")[2].split(", ")
    table, _, name = columns[-1].partition(".")
    if not name:
        return str(error.orig)
    what = table.replace("_", " ")
    return f"two of its {what}s have the same {name.replace('_', ' ')}"


def _load_seed(seed: Path | str) -> Mapping[str, Any]:
    if isinstance(seed, str) and seed in _SEEDS:
        return _SEEDS[seed]
    if Path(seed).suffix in _SUFFIXES:
        return read_seed(Path(seed))
    raise DatabaseError(
        f"unknown seed `{seed}`", hint="use `demo`, `empty`, or a file that ends in `.yaml`"
    )


def _build(path: Path, document: Mapping[str, Any]) -> bool:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    engine = open_engine(draft)
    try:
        start_log(engine)
        with engine.begin() as connection:
            _write(connection, document)
        engine.dispose()  # the last close folds the write-ahead log into the file
        os.link(draft, path)
    except FileExistsError:
        return False  # somebody else was faster, with the same content
    else:
        return True
    finally:
        engine.dispose()
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            leftover.unlink(missing_ok=True)


def _build_in_place(path: Path, document: Mapping[str, Any]) -> bool:
    """Fill a blank file in one transaction: it is blank or whole, whenever the process ends."""
    engine = open_engine(path)
    try:
        start_log(engine)
        with engine.execution_options(is_write=True).begin() as connection:
            if any(read_marks(connection.exec_driver_sql)):
                return False  # somebody else was faster
            _write(connection, document)
        return True
    finally:
        engine.dispose()


def _write(connection: Connection, document: Mapping[str, Any]) -> None:
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    metadata.create_all(connection)
    ensure_id(connection)
    fill(connection, document)


def create_key(database: Path | str, email: str, *, name: str = "") -> str:
    """Make an API key for a user and return it; it can't be shown again, only its hash is kept."""
    with _opened(database) as store:
        try:
            with store.writing() as connection:
                return make_key(connection, email, name)
        except LookupError:
            raise DatabaseError(
                f"no user has the e-mail `{email}`",
                hint="name one of the active users in the seed",
            ) from None


def list_emails(database: Path | str) -> list[tuple[str, str]]:
    """Return e-mail and role of every active user, by id."""
    with _opened(database) as store, store.reading() as connection:
        query = select(user.c.email, user.c.role).where(user.c.is_active).order_by(user.c.id)
        return [(row.email, row.role) for row in connection.execute(query)]


def dump_database(database: Path | str) -> str:
    """Write everything but runs, keys and files as the text of a seed file."""
    path = Path(database)
    if not os.path.lexists(path):
        raise DatabaseError(f"there is no database `{path}`", hint="name one with `--database`")
    check_version(path)
    with _opened(path) as store, store.reading() as connection:
        try:
            return write_seed(dump(connection))
        except RecursionError:
            raise DatabaseError(f"the folders of `{path}` are nested too deeply for YAML") from None


@contextmanager
def _opened(database: Path | str) -> Iterator[Store]:
    store = Store(Path(database))
    try:
        yield store
    except DBAPIError as error:
        raise DatabaseError(
            f"the database `{database}` can't be used: {error.orig}",
            hint="name another file, or remove this one to start afresh",
        ) from error
    finally:
        store.close()
