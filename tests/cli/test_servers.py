"""Commands against servers on a port: keys, roles, faults, and what each does to the exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cli.support import CANARY, HEAD, ONE, TWO, Ended, call, rows, titles, write

from runs_as_code.server import listen

COMMANDS = (["plan"], ["apply", "--auto-approve"], ["list"])


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO, HEAD.replace("server: embedded\n", ""))


def test_a_hosted_server_is_planned_and_applied(manifest: Path, serve: Callable, database: Path):
    address = serve()
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 0
    assert ended.out.startswith(f"Server {address}, project BD, owner web-team\n")
    assert f"{address}/project/BD/run/1" in ended.out
    assert len(rows(database)) == 2
    assert call("plan", "--detailed-exitcode", "-f", manifest).code == 0


def test_the_flag_beats_the_file(tmp_path: Path, serve: Callable):
    address = serve()
    ended = call("plan", "-f", write(tmp_path / "m.yaml"), "--server", address)
    assert ended.out.startswith(f"Server {address}, ")


def test_a_saved_plan_knows_its_server(manifest: Path, tmp_path: Path, serve, database: Path):
    serve()
    call("plan", "-f", manifest, "--out", tmp_path / "plan.json")
    assert call("apply", tmp_path / "plan.json").code == 0
    assert len(rows(database)) == 2


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_wrong_key_ends_with_4(arguments, manifest, serve, database, monkeypatch):
    serve()
    monkeypatch.setenv("QAS_TOKEN", CANARY)
    ended = call(*arguments, "-f", manifest)
    assert ended.code == 4
    assert "does not accept the key" in ended.err
    assert "hint: check `QAS_TOKEN`" in ended.err
    assert CANARY not in ended.all
    assert rows(database) == []


def test_no_key_ends_with_4(manifest: Path):
    ended = call("plan", "-f", manifest)
    assert ended.code == 4
    assert "no server and no key found" in ended.err


def test_a_viewer_may_plan_but_not_apply(manifest: Path, serve: Callable, database: Path):
    serve("vera@example.com")
    assert call("plan", "-f", manifest).code == 0
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 4
    assert "Apply: 2 failed" in ended.out
    assert "does not allow this" in ended.out
    assert rows(database) == []


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_server_that_is_down_ends_with_9(arguments, manifest, monkeypatch, quick_retries):
    with listen(port=0) as sock:
        port = sock.getsockname()[1]
    monkeypatch.setenv("QAS_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("QAS_TOKEN", CANARY)
    ended = call(*arguments, "-f", manifest)
    assert (ended.code, ended.out) == (9, "")
    assert ended.err.startswith("error: connection refused")
    assert "hint: is the address right, and is the server running?" in ended.err


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_server_that_speaks_html_is_named_as_such(arguments, manifest, speaking, monkeypatch):
    monkeypatch.setenv("QAS_TOKEN", CANARY)
    speaking("<!doctype html><p>Welcome, KEY</p>" + "x" * 5_000, 200)
    ended = call(*arguments, "-f", manifest)
    assert (ended.code, ended.out) == (1, "")
    assert "is not JSON" in ended.err
    assert len(ended.err) < 1_000
    assert CANARY not in ended.all


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{}", 200, 1),
        ('{"runs": 7}', 200, 1),
        ('{"message": "KEY \\u001b[31m"}', 400, 1),
        ('{"message": "KEY"}', 401, 4),
        ('{"message": "KEY"}', 403, 4),
        ('{"message": "KEY"}', 404, 1),
        ('{"message": "KEY"}', 429, 9),
        ('{"message": "KEY"}', 500, 9),
        ("KEY", 502, 9),
        ("", 302, 1),
    ],
)
def test_no_answer_of_a_server_shows_the_key(body, status, code, manifest, speaking, monkeypatch):
    monkeypatch.setenv("QAS_TOKEN", CANARY)
    speaking(body, status)
    ended = call("plan", "--debug", "-f", manifest)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("error: ")
    assert CANARY not in ended.err
    assert "\x1b" not in ended.err


def test_plain_http_to_another_host_is_wrong_use(manifest: Path, monkeypatch):
    monkeypatch.setenv("QAS_TOKEN", CANARY)
    monkeypatch.setenv("QAS_URL", "http://acme.example.com")
    ended = call("plan", "-f", manifest)
    assert ended.code == 64
    assert "is not encrypted" in ended.err
    assert CANARY not in ended.all


def unknown_project(manifest: Path) -> Ended:
    return call("plan", "-f", write(manifest, ONE, HEAD.replace("project: BD", "project: BX")))


def test_an_unknown_project_names_its_place_and_the_nearest(manifest: Path, serve: Callable):
    serve()
    ended = unknown_project(manifest)
    assert (ended.code, ended.out) == (1, "")
    assert f"error: {manifest}:2:10: `embedded`" in ended.err
    assert "has no project `BX` that the key may see" in ended.err
    assert "hint: the nearest: `BD`" in ended.err


# --- what goes wrong while applying


def with_viewer(manifest: Path) -> Path:
    """Assign a run to somebody whom the server does not take."""
    return write(manifest, TWO + "    assignee: 5\n", HEAD.replace("server: embedded\n", ""))


def test_an_apply_that_fails_in_part_ends_with_7(manifest: Path, serve: Callable, database: Path):
    serve()
    ended = call("apply", "--auto-approve", "-f", with_viewer(manifest))
    assert ended.code == 7
    assert "Apply: 1 done, 1 failed" in ended.out
    assert ended.out.endswith("Exit 7: applied in part\n")
    assert titles(database) == ["Smoke of the week"]


def test_an_apply_that_fails_as_a_whole_has_the_code_of_its_reason(manifest, serve, database):
    serve()
    ended = call("apply", "--auto-approve", "-f", with_viewer(manifest), "--target", "review")
    assert ended.code == 1
    assert rows(database) == []


def test_what_reads_back_differently_ends_with_8(manifest: Path, serve: Callable, database: Path):
    serve(ignore_assignee=True)
    runs = TWO + "    assignee: 7\n"
    write(manifest, runs, HEAD.replace("server: embedded\n", ""))
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 8
    assert "assignee none instead of 7" in ended.out
    assert len(rows(database)) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"title_scope": "milestone"},
        {"title_scope": "none"},
        {"mangle_text": "trim"},
        {"mangle_text": "escape"},
    ],
)
def test_less_kind_servers_converge(options, manifest: Path, serve: Callable, database: Path):
    serve(**options)
    write(manifest, TWO.replace("of the week", "& mirrors"), HEAD.replace("server: embedded", ""))
    assert call("apply", "--auto-approve", "-f", manifest).code == 0
    assert call("plan", "--detailed-exitcode", "-f", manifest).code == 0
