"""Notifications of `qarun reconcile`, to a receiver on a port."""

import json
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli.support import call, read_until, start, write
from jsonschema import Draft202012Validator

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "notification.v1.schema.json").read_text("utf-8")
)
PATH = "/services/T0001/a-secret-of-its-own"

Receive = Callable[..., tuple[str, list[Any]]]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Start a receiver that gives one answer; return its address and what it got."""
    with ExitStack() as stack:

        def begin(status: int = 200) -> tuple[str, list[Any]]:
            got: list[Any] = []

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    length = int(self.headers["Content-Length"])
                    got.append(json.loads(self.rfile.read(length)))
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                def log_message(self, *_: object) -> None:
                    """Stay silent."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}{PATH}", got

        yield begin


def close(database: Path, title: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE run SET closed_at = created_at WHERE title = ?", (title,))


def test_drift_is_told_and_its_address_is_not(tmp_path: Path, database: Path, receive: Receive):
    path = write(tmp_path / "m.yaml")
    url, got = receive()
    ended = call("reconcile", "-f", path, "--once", QARUN_NOTIFY_URL=url)
    assert (ended.code, got) == (0, [])
    close(database, "Smoke of the week")
    ended = call("reconcile", "-f", path, "--once", "--debug-http", QARUN_NOTIFY_URL=url)
    assert ended.code == 0
    (body,) = got
    Draft202012Validator(SCHEMA).validate(body)
    assert (body["event"], body["previous"]) == ("drift", None)
    assert body["drift"] == {"closed-by-hand": 1}
    assert "notification `drift` sent" in ended.err
    assert PATH not in ended.all


def test_a_template_shapes_it(tmp_path: Path, database: Path, receive: Receive):
    path = write(tmp_path / "m.yaml", "runs:\n  a: {title: A, cloneFrom: {title: Nonexistent}}\n")
    url, got = receive()
    template = tmp_path / "chat.json.j2"
    template.write_text('{"text": {{ summary | tojson }}}', "utf-8")
    flags = ("--notify-url", url, "--notify-template", template)
    assert call("reconcile", "-f", path, "--once", *flags).code == 5
    assert got == [
        {"text": "web-team in BD on embedded: something waits for a decision: 1 source-blocked"}
    ]


def test_a_broken_receiver_changes_no_exit_code(
    tmp_path: Path, database: Path, receive: Receive, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runs_as_code.provider.webhook.FIRST_PAUSE", 0.01)
    path = write(tmp_path / "m.yaml")
    assert call("reconcile", "-f", path, "--once").code == 0
    close(database, "Smoke of the week")
    url, got = receive(500)
    ended = call("reconcile", "-f", path, "--once", QARUN_NOTIFY_URL=url)
    assert (ended.code, len(got)) == (0, 4)
    assert "notification `drift` failed: it answered 500" in ended.err
    gone = call("reconcile", "-f", path, "--once", QARUN_NOTIFY_URL="http://127.0.0.1:1/secret")
    assert gone.code == 0
    assert "it can't be reached (ConnectError)" in gone.err
    assert "secret" not in gone.all


@pytest.mark.parametrize(
    "flags",
    [
        ("--notify-template", "t.j2"),
        ("--notify-url", "http://chat.example.com/x"),
        ("--notify-url", "nonsense"),
        ("--notify-url", "https://chat.example.com/x", "--notify-template", "missing.j2"),
        ("--notify-url", "https://chat.example.com/x", "--notify-template", "bad.j2"),
    ],
)
def test_what_can_not_work_is_refused_at_once(flags, tmp_path, database, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.j2").write_text("{}", "utf-8")
    Path("bad.j2").write_text("{{ nothing }}", "utf-8")
    ended = call("reconcile", "-f", write(tmp_path / "m.yaml"), "--once", *flags)
    assert ended.code == 64
    assert "chat.example.com" not in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_a_loop_tells_transitions_only(tmp_path: Path, database: Path, receive: Receive):
    path = write(tmp_path / "m.yaml")
    url, got = receive()
    good = path.read_text("utf-8")
    with start("reconcile", "-f", path, "--interval", "0.1s", QARUN_NOTIFY_URL=url) as process:
        read_until(process, "in-sync")
        close(database, "Smoke of the week")
        read_until(process, "`drift` sent")
        time.sleep(0.4)
        path.write_text("runs: {", "utf-8")
        read_until(process, "`failing` sent")
        path.write_text(good + "    onClosed: recreate\n", "utf-8")
        read_until(process, "`in-sync` sent")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1]
    assert process.returncode == 143
    of_project = [(body["previous"], body["event"]) for body in got if body["project"]]
    assert of_project == [
        ("in-sync", "drift"),
        ("drift", "failing"),
        ("failing", "drift"),
        ("drift", "in-sync"),
    ]
    assert {body["event"] for body in got if not body["project"]} == {"failing", "healed"}
    assert len({body["dedupKey"] for body in got}) == len(got) - 1


def test_a_memory_makes_single_rounds_tell_changes_only(
    tmp_path: Path, database: Path, receive: Receive
):
    path = write(tmp_path / "m.yaml")
    good = path.read_text("utf-8")
    url, got = receive()
    memory, metrics = tmp_path / "memory.json", tmp_path / "qarun.prom"
    flags = ("--once", "--memory", memory, "--metrics-file", metrics, "--notify-url", url)

    def told() -> list[tuple[str | None, str]]:
        call("reconcile", "-f", path, *flags)
        news = [(body["previous"], body["event"]) for body in got if body["project"]]
        got.clear()
        return news

    assert told() == []
    close(database, "Smoke of the week")
    assert told() == [("in-sync", "drift")]
    assert told() == []
    path.write_text("runs: {", "utf-8")
    assert told() == []
    success = [line for line in metrics.read_text("utf-8").splitlines() if "last_success" in line]
    assert len([line for line in success if "BD" in line and not line.endswith(" 0.0")]) == 1
    assert told() == [("drift", "failing")]
    path.write_text(good + "    onClosed: recreate\n", "utf-8")
    assert told() == [("failing", "drift")]
    assert told() == [("drift", "in-sync")]
    assert "Smoke" not in memory.read_text("utf-8")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"formatVersion": "1.0", "kind": "qarun.memory", "scopes": [{}]}',
        (
            '{"formatVersion": "1.0", "kind": "qarun.memory", "scopes": [{"server": "",'
            ' "project": "", "owner": "", "condition": "fine", "told": null,'
            ' "failures": 0, "lastRound": 0,'
            ' "lastSuccess": 0}]}'
        ),
        (
            '{"formatVersion": "1.0", "kind": "qarun.memory", "scopes": [{"server": "",'
            ' "project": "", "owner": "", "condition": null, "told": null,'
            ' "failures": NaN, "lastRound": 0,'
            ' "lastSuccess": 0}]}'
        ),
        "[" * 100_000,
    ],
)
def test_a_broken_memory_is_begun_anew(content: str, tmp_path: Path, database: Path):
    memory = tmp_path / "memory.json"
    memory.write_text(content, "utf-8")
    ended = call("reconcile", "-f", write(tmp_path / "m.yaml"), "--once", "--memory", memory)
    assert ended.code == 0
    assert "is of no use and is begun anew" in ended.err
    (scope,) = json.loads(memory.read_text("utf-8"))["scopes"]
    assert (scope["owner"], scope["condition"], scope["failures"]) == ("web-team", "in-sync", 0)


def test_a_memory_that_can_not_be_written_is_refused_at_once(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    assert call("reconcile", "-f", path, "--once", "--memory", tmp_path).code == 64


def test_no_file_of_something_else_is_taken_for_a_memory(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    for content in ("apiVersion: qarun/v1\n", '{"kind": "qarun.plan"}', '{"name": "x"}', "[1]"):
        other = tmp_path / "other.txt"
        other.write_text(content, "utf-8")
        ended = call("reconcile", "-f", path, "--once", "--memory", other)
        assert ended.code == 64
        assert "is there and is no memory of `qarun`" in ended.err
        assert other.read_text("utf-8") == content


@pytest.mark.parametrize("flag", ["--memory", "--metrics-file"])
def test_no_manifest_is_overwritten(flag: str, tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    good = path.read_text("utf-8")
    for source, target in ((path, path), (tmp_path, path), (tmp_path, tmp_path / "new.yml")):
        ended = call("reconcile", "-f", source, "--once", flag, target)
        assert ended.code == 64
        assert "is where this call reads from, and would be lost" in ended.err
    assert path.read_text("utf-8") == good
    assert not (tmp_path / "new.yml").exists()


def test_a_template_that_does_not_end_is_given_up(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runs_as_code.cli.notifications.LONGEST_RENDERING", 0.05)
    endless = "".join("{% for _ in range(99999) %}" for _ in range(4)) + "{% endfor %}" * 4
    (tmp_path / "t.j2").write_text(endless, "utf-8")
    flags = ("--notify-url", "https://chat.example.com/x", "--notify-template", tmp_path / "t.j2")
    ended = call("reconcile", "-f", write(tmp_path / "m.yaml"), "--once", *flags)
    assert ended.code == 64
    assert ended.err.startswith("error: the template of notifications takes more than 0.05 s\n")
