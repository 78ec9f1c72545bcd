"""Database files: made once, checked, shared by threads and processes."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from server.support import Api

from runs_as_code.server import (
    DatabaseError,
    DocumentError,
    create_app,
    create_key,
    dump_database,
    ensure_database,
    list_emails,
)
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
    # Nobody is told to remove a folder.
    with pytest.raises(DatabaseError, match="is a folder") as caught:
        create_app(tmp_path)
    assert "remove" not in caught.value.hint


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


def blank(path: Path, kind: str) -> Path:
    """Make a file that holds nothing, as `mktemp` does or as a process that was killed left it."""
    path.touch()
    if kind == "log":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        assert path.stat().st_size > 0
    return path


@pytest.mark.parametrize("kind", ["bytes", "log"])
def test_an_empty_file_is_a_new_database(tmp_path: Path, kind: str):
    path = blank(tmp_path / "x.db", kind)
    (tmp_path / "link.db").symlink_to(path)
    assert ensure_database(tmp_path / "link.db", "empty")
    assert not ensure_database(path)
    assert (tmp_path / "link.db").is_symlink()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM user").fetchone() == (1,)


def test_an_empty_file_stays_empty_when_its_seed_is_refused(tmp_path: Path):
    path = blank(tmp_path / "x.db", "bytes")
    seed = tmp_path / "seed.yaml"
    head = "apiVersion: qarun/seed/v1\nprojects: [{code: AB, title: x"
    seed.write_text(head + ", tags: [a, a]}]")
    with pytest.raises(DocumentError):
        ensure_database(path, seed)
    seed.write_text(head + "}]")
    assert ensure_database(path, seed)


def test_many_that_fill_an_empty_file_at_once_fill_it_once(tmp_path: Path):
    path = blank(tmp_path / "x.db", "bytes")
    program = (
        "import sys; from runs_as_code.server import create_key, ensure_database\n"
        "made = ensure_database(sys.argv[1]); create_key(sys.argv[1], 'ann@example.com')\n"
        "print(made)"
    )
    command = [sys.executable, "-c", program, str(path)]
    fillers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(filler.communicate()[0] for filler in fillers)
    assert said == ["False\n", "False\n", "True\n"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM api_key").fetchone() == (3,)


def test_a_file_that_only_looks_empty_is_left_alone(tmp_path: Path):
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(DatabaseError, match="no database of the embedded server"):
        ensure_database(path)
    path.write_bytes(b"\0" * 5000)
    with pytest.raises(DatabaseError, match="can't be opened"):
        ensure_database(path)
    assert path.read_bytes() == b"\0" * 5000


def test_a_database_that_is_damaged_inside_says_so(database: Path):
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (database.stat().st_size - 4096))
    for use in (list_emails, dump_database):
        with pytest.raises(DatabaseError, match=r"can't be (used|opened)"):
            use(database)


def test_an_inactive_user_gets_no_key(database: Path):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE user SET is_active = 0 WHERE email = 'ann@example.com'")
    with pytest.raises(DatabaseError, match="no user has the e-mail"):
        create_key(database, "ann@example.com")


def test_a_file_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory", "a b%20c#d?e.db", "é\u2028.db", "-x.db"):
        assert ensure_database(Path(name), "empty")
        assert create_key(Path(name), "owner@example.com")
        assert (tmp_path / name).is_file()
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("is_there", [True, False])
def test_a_process_that_dies_while_it_fills_is_followed_by_one_that_does(
    tmp_path: Path, *, is_there: bool
):
    path = tmp_path / "x.db"
    if is_there:
        path.touch()
    program = (
        "import os, signal, sys; from runs_as_code.server import seeding\n"
        "def fill(connection, document):\n"
        "    done(connection, document)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "done, seeding.fill = seeding.fill, fill\n"
        "seeding.ensure_database(sys.argv[1])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -9
    assert ensure_database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM user").fetchone() == (5,)
