"""`qarun serve`: the embedded server on a port."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from cli.support import call, note_servers, start, write

from runs_as_code.errors import ExitCode
from runs_as_code.server import ServerOptions, listen

ROLES = ["owner", "admin", "test-runner", "viewer", "user"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerOptions]:
    return note_servers(monkeypatch)


def test_a_new_database_gets_a_key_for_each_user(tmp_path: Path):
    database = tmp_path / "folder" / "s.db"
    with start("serve", "--port", "0", "--database", database) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        keys = dict(line.split()[::2] for line in (process.stdout.readline() for _ in ROLES))
        try:
            with httpx.Client(base_url=f"{address}/api/public/v0", trust_env=False) as client:
                headers = {"Authorization": f"ApiKey {keys['user']}"}
                assert client.get("/project/BD/run", headers=headers).status_code == 200
                assert client.get("/project/BD/run").status_code == 401
                forbidden = {"Authorization": f"Bearer {keys['viewer']}"}
                body = {"title": "A", "type": "live", "queryPlans": [{"folderIds": [1]}]}
                answer = client.post("/project/BD/run", json=body, headers=forbidden)
                assert answer.status_code == 403
            manifest = write(tmp_path / "m.yaml")
            environ = {"QAS_URL": address, "QAS_TOKEN": keys["user"]}
            applied = call(
                "apply", "--auto-approve", "-f", manifest, "--server", address, **environ
            )
            assert applied.code == 0
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert list(keys) == ROLES


@pytest.mark.usefixtures("served")
def test_keys_are_shown_once_and_made_on_request(tmp_path: Path):
    arguments = ["serve", "--port", "0", "--database", tmp_path / "s.db"]
    assert len(call(*arguments).out.splitlines()) == 1 + len(ROLES)
    again = call(*arguments)
    assert len(again.out.splitlines()) == 1
    assert "`--new-key EMAIL` makes another key" in again.err
    more = call(*arguments, "--new-key", "ann@example.com")
    assert more.out.splitlines()[1].startswith("user         ann@example.com      qarun")
    nobody = call(*arguments, "--new-key", "nobody@example.com")
    assert nobody.code == 1
    assert "no user has the e-mail `nobody@example.com`" in nobody.err


def test_every_option_reaches_the_server(served: list[ServerOptions], tmp_path: Path):
    arguments = [
        *("--rate", "7", "--latency", "0.5", "--title-scope", "none", "--mangle-text", "escape"),
        *("--ignore-assignee", "--seed", "empty", "--database", str(tmp_path / "s.db")),
        *("--board", "open"),
    ]
    assert call("serve", "--port", "0", *arguments).code == 0
    assert served == [
        ServerOptions(
            title_scope="none",
            mangle_text="escape",
            ignore_assignee=True,
            rate=7,
            latency=0.5,
            require_key=True,
            seed="empty",
            board="open",
        )
    ]
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        assert connection.execute("SELECT count(*) FROM project").fetchone() == (0,)


def test_a_taken_port_is_an_error_that_makes_no_database(tmp_path: Path):
    with listen(port=0) as sock:
        port = str(sock.getsockname()[1])
        ended = call("serve", "--port", port, "--database", tmp_path / "s.db")
    assert ended.code == 1
    assert f"error: can't listen on `127.0.0.1:{port}`: Address already in use" in ended.err
    assert "hint: choose another `--port`" in ended.err
    assert not (tmp_path / "s.db").exists()


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path):
    (tmp_path / "s.db").write_text("hello, this is no database at all\n" * 9)
    ended = call("serve", "--port", "0", "--database", tmp_path / "s.db")
    assert ended.code == ExitCode.ERROR
    assert "s.db` can't be opened as an embedded server's database" in ended.err


@pytest.mark.parametrize(
    ("host", "arguments", "line"),
    [
        ("127.0.0.1", [], "Board: http://127.0.0.1:{port}/board"),
        ("0.0.0.0", ["--board", "open"], "Board: http://127.0.0.1:{port}/board"),  # noqa: S104 -- a closed port again at once
        ("127.0.0.1", ["--board", "off"], None),
    ],
)
def test_the_board_is_named_where_there_is_one(
    served: list[ServerOptions], host: str, arguments: list[str], line: str | None
):
    done = call("serve", "--host", host, "--port", "0", "--database", "s.db", *arguments)
    found = [text for text in done.err.splitlines() if text.startswith("Board")]
    port = done.out.splitlines()[0].rpartition(":")[2]
    assert found == ([line.format(port=port)] if line else [])
