"""Database files: made once, checked, shared by threads and processes."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from server.support import Api

from runs_as_code.server import DatabaseError, create_app, create_key, ensure_database
from runs_as_code.server.store.database import Store

WRITER = """
import sys
from runs_as_code.server import create_app
sys.path.insert(0, sys.argv[3])
from server.support import Api
app = create_app(sys.argv[1])
with Api(app) as api:
    for number in range(25):
        run = api.make_run(f"{sys.argv[2]}-{number}", "static")
        api.result(run, 21)
        api.run(run)
"""


def test_a_missing_database_is_made_with_its_folder(tmp_path: Path):
    path = tmp_path / "deep" / "er" / "x.db"
    ensure_database(path)
    assert sorted(item.name for item in path.parent.iterdir()) == ["x.db"]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_an_empty_seed_has_an_owner_and_nothing_else(tmp_path: Path):
    ensure_database(tmp_path / "x.db", "empty")
    app = create_app(tmp_path / "x.db")
    with Api(app) as api:
        assert api.get("/project") == {"projects": []}
        assert len(api.get("/users")["users"]) == 1
    app.state.store.close()


def test_many_that_create_at_once_share_one_database(tmp_path: Path):
    path = tmp_path / "x.db"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_database(path), range(8)))
    assert sorted(item.name for item in tmp_path.iterdir()) == ["x.db"]


def test_files_that_are_no_database_are_refused(tmp_path: Path):
    (tmp_path / "text").write_text("hello " * 1000)
    with pytest.raises(DatabaseError, match="can't be opened") as caught:
        create_app(tmp_path / "text")
    assert caught.value.hint
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(DatabaseError, match="is no database of the embedded server"):
        create_app(tmp_path / "other.db")
    with pytest.raises(DatabaseError, match="can't be"):
        create_app(tmp_path)


def test_another_schema_version_is_refused_with_the_way_on(database: Path):
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="schema version 99") as caught:
        create_app(database)
    assert "--dump" in caught.value.hint
    assert "--seed" in caught.value.hint


def test_a_database_that_cant_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="can't be created"):
        ensure_database(tmp_path / "file" / "x.db")


def test_an_unknown_email_gets_no_key(database: Path):
    with pytest.raises(DatabaseError, match="no user has the e-mail"):
        create_key(database, "nobody@example.com")


def test_a_failed_write_leaves_nothing_behind(database: Path):
    store = Store(database)

    def write() -> None:
        with store.writing() as connection:
            connection.exec_driver_sql("UPDATE user SET name = 'x'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT * FROM user WHERE name = 'x'").first() is None
    store.close()


def test_processes_share_one_database(database: Path):
    tests = str(Path(__file__).parents[1])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(database), name, tests])
        for name in ("a", "b", "c")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    app = create_app(database)
    with Api(app) as api:
        runs = api.get("/project/BD/run")["runs"]
    app.state.store.close()
    assert len({run["id"] for run in runs}) == 75
    assert all(run["statusCounts"]["passed"] == 1 for run in runs)
