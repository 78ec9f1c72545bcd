"""New databases: built aside with their seed, then put in place in one step; keys and dumps."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from runs_as_code.server.demo import DEMO, EMPTY
from runs_as_code.server.documents import DocumentError, read_seed, write_seed
from runs_as_code.server.dumping import dump
from runs_as_code.server.filling import fill
from runs_as_code.server.store.database import DatabaseError, Store, check_version, open_engine
from runs_as_code.server.store.tables import APPLICATION_ID, SCHEMA_VERSION, metadata, user
from runs_as_code.server.web.keys import make_key
from runs_as_code.server.web.problems import ApiError

_SEEDS: Mapping[str, Mapping[str, Any]] = {"demo": DEMO, "empty": EMPTY}
_SUFFIXES = (".yaml", ".yml", ".json")


def ensure_database(path: Path | str, seed: Path | str = "demo") -> None:
    """Create a missing database with its seed, or check the schema version of a found one.

    `seed` is `demo`, `empty`, or a seed file. Safe when several processes do it at once: one wins,
    the others use its file. Raises `DatabaseError` where file or seed can't be used.
    """
    path = Path(path)
    if os.path.lexists(path):  # which never raises, and sees a link that leads nowhere
        check_version(path)
        return
    document = _load_seed(seed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _build(path, document)
    except OSError as error:
        raise DatabaseError(
            f"the database `{path}` can't be created: {error.strerror or error}",
            hint="name a file in a folder that can be written to",
        ) from error
    except (ApiError, IntegrityError) as error:
        reason = error.message if isinstance(error, ApiError) else str(error.orig)
        raise DocumentError(f"the seed `{seed}` contradicts itself: {reason}") from error
    check_version(path)


def _load_seed(seed: Path | str) -> Mapping[str, Any]:
    if isinstance(seed, str) and seed in _SEEDS:
        return _SEEDS[seed]
    if Path(seed).suffix in _SUFFIXES:
        return read_seed(Path(seed))
    raise DatabaseError(
        f"unknown seed `{seed}`", hint="use `demo`, `empty`, or a file that ends in `.yaml`"
    )


def _build(path: Path, document: Mapping[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    engine = open_engine(draft)
    try:
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
        engine.dispose()
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
    """Return e-mail and role of every active user, by id."""
    store = Store(Path(database))
    try:
        with store.reading() as connection:
            query = select(user.c.email, user.c.role).where(user.c.is_active).order_by(user.c.id)
            return [(row.email, row.role) for row in connection.execute(query)]
    finally:
        store.close()


def dump_database(database: Path | str) -> str:
    """Write everything but runs, keys and files as the text of a seed file."""
    path = Path(database)
    if not path.exists():
        raise DatabaseError(f"there is no database `{path}`", hint="name one with `--database`")
    check_version(path)
    store = Store(path)
    try:
        with store.reading() as connection:
            return write_seed(dump(connection))
    finally:
        store.close()
