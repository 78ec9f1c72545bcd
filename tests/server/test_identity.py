"""What tells one database from another."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from runs_as_code.server import DatabaseError, dump_database, ensure_database
from runs_as_code.server.store import identity
from runs_as_code.server.store.database import Store
from runs_as_code.server.store.identity import database_id


def id_of(path: Path) -> str:
    store = Store(path)
    try:
        return database_id(store)
    finally:
        store.close()


def without_id(path: Path) -> Path:
    """Make a database as it was made before there were ids."""
    ensure_database(path, "empty")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE identity")
    return path


def test_each_database_has_its_own_and_keeps_it(tmp_path: Path):
    one, other, blank = (tmp_path / name for name in ("one.db", "other.db", "blank.db"))
    blank.touch()
    for path in (one, other, blank):
        ensure_database(path, "empty")
    ids = [id_of(path) for path in (one, other, blank)]

    assert len(set(ids)) == 3
    assert [id_of(path) for path in (one, other, blank)] == ids
    assert dump_database(one) == dump_database(other)


def test_a_copy_shares_it(tmp_path: Path):
    ensure_database(tmp_path / "one.db", "empty")

    assert id_of(Path(shutil.copy(tmp_path / "one.db", tmp_path / "x.db"))) == id_of(
        tmp_path / "one.db"
    )


def test_a_database_from_before_gets_one_once(tmp_path: Path):
    path = without_id(tmp_path / "one.db")

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(id_of, [path] * 4))

    assert ids == {id_of(path)}


def test_a_database_that_takes_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = without_id(tmp_path / "one.db")
    monkeypatch.setattr(identity, "new_id", lambda: b"\0".join)

    with pytest.raises(DatabaseError, match="can't be told from others"):
        id_of(path)
