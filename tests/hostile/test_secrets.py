"""A canary for a key: it is in no output, no file, no process list, whatever command runs how."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from cli.support import HEAD, ONE, TWO, Ended, call, start, write
from hostile.conftest import changing
from hostile.servers import listening, refusing_writes, reply, saying
from hostile.texts import KEY, harm

from runs_as_code.cli.program import COMMANDS
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.redacting import Redactor
from runs_as_code.server import ServerOptions, create_key, listen, make_server

HOSTED = HEAD.replace("server: embedded\n", "")


@pytest.fixture
def hosted(database: Path) -> Iterator[dict[str, str]]:
    """Serve the database on a port; return the environment of a user."""
    with ExitStack() as stack:
        sock = stack.enter_context(listen(port=0))
        server = make_server(database, ServerOptions(require_key=True, rate=0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)  # noqa: FBT003 -- not ours
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        yield {"QAS_URL": address, "QAS_TOKEN": create_key(database, "ann@example.com")}


def parts(key: str) -> list[str]:
    """Return the key and what of it nobody may see either."""
    return [key, key.rpartition(".")[2]]


def check(ended: Ended, key: str, *codes: int) -> Ended:
    assert ended.code in codes, ended.all
    for part in parts(key):
        assert part not in ended.all
    return ended


def check_files(folder: Path, key: str, *allowed: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in allowed:
            content = path.read_bytes()
            assert not [part for part in parts(key) if part.encode() in content], path


@pytest.mark.parametrize("source", ["environment", ".env", ".qaspherecli"])
def test_every_command_with_a_good_key(source: str, hosted: dict[str, str], tmp_path: Path):
    key = hosted["QAS_TOKEN"]
    environ = hosted
    if source != "environment":
        lines = "".join(f"{name}={value}\n" for name, value in hosted.items())
        (tmp_path / source).write_text(lines, "utf-8")
        environ = {}
    manifest = write(tmp_path / "m.yaml", TWO, HOSTED)
    more = ("--debug", "--debug-http")
    saved = tmp_path / "plan.json"

    used = {"serve", "exit-codes"}  # which show keys by intention, or nothing that varies

    def qarun(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Ended:
        used.add(str(arguments[0]))
        return check(call(*arguments, **environ), key, *codes)

    qarun("validate", "-f", manifest, "--debug")
    planned = qarun("plan", "-f", manifest, "--out", saved, *more)
    assert f"debug: GET {hosted['QAS_URL']}/api/public/v0/project/BD/run: 200, " in planned.err
    qarun("plan", "-f", manifest, "--format", "json", *more)
    qarun("show", saved, "--debug")
    applied = qarun("apply", saved, *more)
    assert f"debug: POST {hosted['QAS_URL']}/api/public/v0/project/BD/run: " in applied.err
    qarun("apply", "-f", write(manifest, ONE, HOSTED), "--auto-approve", "--format", "json", *more)
    qarun("list", "-f", manifest, *more)
    qarun("list", "-f", manifest, "--format", "json", *more)
    qarun("plan", "-f", manifest, "--server", "https://elsewhere.example", *more, codes=(4,))
    outputs = [f"--output={name}={tmp_path / name}" for name in ("json", "markdown", "sarif")]
    qarun("plan", "-f", manifest, *outputs)
    qarun("drift", "-f", manifest, *more)
    for form in ("text", "json"):
        metrics = ("--metrics-file", tmp_path / f"{form}.prom")
        qarun("reconcile", "-f", manifest, "--once", "-v", f"--log-format={form}", *metrics, *more)
    assert used == set(COMMANDS)
    check_files(tmp_path, key, source)


FAULTS = {
    "refused": None,
    "401": reply(json.dumps({"message": f"bad key {KEY}"}), "401 Bearer " + KEY),
    "403": reply(json.dumps({"message": f"not for {KEY}"}), "403 No"),
    "500": reply(f"<html>Authorization: Bearer {KEY}</html>", "500 " + KEY),
    "shape": reply(json.dumps({"runs": [{"id": KEY, "statusCounts": {}, "title": KEY}]})),
    "redirect": reply("", "302 Found", f"Location: https://{KEY}.evil.example/{KEY}\r\n"),
    "no JSON": reply(f"{KEY}"),
    "spelled": reply('{"message": "\\u0074' + KEY[1:] + '"}', "418 Tea"),
    "titles": reply(
        json.dumps(
            {
                "runs": [
                    {"id": 1, "title": KEY, "type": "live", "statusCounts": {"all": 0}}
                    | {"description": KEY, "createdAt": KEY, "milestone": {"title": KEY}}
                ],
                "open": 1,
                "closed": 0,
            }
        )
    ),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.usefixtures("quick_retries", "quick_looks")
def test_every_command_with_a_server_that_repeats_the_key(name: str, tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    answer = FAULTS[name]
    codes = (0, 1, 4, 5, 6, 7, 8, 9)
    with listening(saying(answer or b"")) as server:
        address = server.address if answer else "http://127.0.0.1:9"
        environ = {"QAS_URL": address, "QAS_TOKEN": KEY}
        for arguments in (
            ["plan", "--out", tmp_path / "plan.json", "--show-unmanaged"],
            ["plan", "--format", "json"],
            ["list"],
            ["drift"],
            ["apply", "--auto-approve"],
            ["apply", "--auto-approve", "--format", "json"],
            ["reconcile", "--once", "-v", "--log-format", "json"],
        ):
            more = ["-f", manifest, "--debug", "--debug-http"]
            check(call(*arguments, *more, **environ), KEY, *codes)
    check_files(tmp_path, KEY)


@pytest.mark.parametrize(
    "bad",
    [f"{KEY} x", f'"{KEY}"x y', KEY + "\u00e9", f"{KEY}\x7f", " " + KEY + "\t "],
)
def test_a_key_that_can_not_be_sent_is_not_shown(bad: str, tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    environ = {"QAS_URL": "http://127.0.0.1:9", "QAS_TOKEN": bad}
    check(call("plan", "-f", manifest, "--debug", "--debug-http", **environ), KEY, 4, 9)


@pytest.mark.parametrize("url", [f"https://{KEY}@x.example", f"https://x.example/?k={KEY}"])
def test_a_key_in_an_address_is_not_shown(url: str, tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    check(call("plan", "-f", manifest, "--server", url, "--debug"), KEY, 64)
    check(call("plan", "-f", manifest, QAS_URL=url, QAS_TOKEN="x" * 20), KEY, 64)
    inside = write(tmp_path / "n.yaml", ONE, HOSTED + f"server: {url}\n")
    check(call("plan", "-f", inside, QAS_TOKEN="x" * 20), KEY, 3)


PLACES = {
    "a value": f"token: {KEY}\n",
    "a title": f"runs:\n  k:\n    title: 'see {KEY}'\n",
    "a key": f"runs:\n  {KEY}: {{}}\n",
    "a long key": f"runs:\n  {'x' * 200}-{KEY}: {{}}\n",
    "a comment": f"runs: {{}} # {KEY}\n",
    "a tag": f"runs: !{KEY} x\n",
    "an anchor": f"runs: &a [{KEY}]\nx: *a\n",
    "no YAML": f"runs: [{KEY}\n",
    "no YAML at all": f"{KEY}: : :\n\t- {KEY}",
    "a user": f"users: {{{KEY}: 1}}\nruns: {{}}\n",
    "an owner": f"ownerAliases: [{KEY}]\nruns: {{}}\n",
    "a source": f"runs:\n  k: {{title: x, cloneFrom: {KEY}}}\n",
    "a password": "password: hunter2hunter2\nruns: {}\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_key_in_a_manifest_is_refused_and_not_shown(place: str, tmp_path: Path):
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + PLACES[place], "utf-8")
    for arguments in (
        ["validate"],
        ["validate", "--format", "json"],
        ["plan", "--debug"],
        ["list"],
    ):
        ended = check(call(*arguments, "-f", path), KEY, 3)
        assert "hunter2" not in ended.all
    if place != "a password":
        assert "secret-in-manifest" in call("validate", "-f", path).out


@pytest.mark.usefixtures("quick_looks")
def test_a_write_whose_answer_repeats_the_key(tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    environ = {"QAS_URL": "http://127.0.0.1:9", "QAS_TOKEN": KEY}
    with listening(refusing_writes(reply(KEY, "500 No"))) as server:
        environ["QAS_URL"] = server.address
        ended = call("apply", "-f", manifest, "--auto-approve", "--debug", **environ)
    check(ended, KEY, 7, 8, 9)


CRASH = """\
import os, sys
from runs_as_code.provider.client import QaSphereClient
def crash(self, *_, **__):
    key = os.environ["QAS_TOKEN"]
    try:
        raise RuntimeError(f"first {key} \\x1b[31m\\n::error::{key}")
    except RuntimeError as error:
        raise KeyError(f"Bearer {key}\\n##[error]x", self) from error
QaSphereClient.send = crash
sys.argv = ["qarun", *sys.argv[1:]]
from runs_as_code.cli import main
main()
"""


@pytest.mark.parametrize("debug", [[], ["--debug"], ["--debug", "--debug-http"]])
def test_a_traceback_of_an_internal_error(debug: list[str], tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    environ = {"QAS_URL": "http://127.0.0.1:9", "QAS_TOKEN": KEY}
    command = [sys.executable, "-c", CRASH, "plan", "-f", str(manifest), *debug]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ}
    # What a developer may have switched on shows no key either.
    environment |= {"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    ended = check(Ended(done.returncode, done.stdout, done.stderr), KEY, 1)
    assert "internal error" in ended.err
    assert ("Traceback" in ended.err) == bool(debug)
    assert harm(ended.err) == []


def test_a_key_that_looks_like_none_is_kept_back_too(tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    secret = "swordfish/with+odd=signs"
    answer = reply(json.dumps({"message": f"no {secret}"}).replace("/", "\\/"), "400 " + secret)
    with listening(saying(answer)) as server:
        environ = {"QAS_URL": server.address, "QAS_TOKEN": secret}
        ended = call("plan", "-f", manifest, "--debug", "--debug-http", **environ)
    check(ended, secret, 1)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_process_list_shows_it(tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    seen = threading.Event()
    shown: list[bytes] = []

    def hold(line, _head):
        folder = Path(f"/proc/{process.pid}")
        shown.extend((folder / name).read_bytes() for name in ("cmdline", "comm", "status"))
        seen.set()
        line.sendall(reply("{}", "400 No"))

    with listening(hold) as server:
        environ = {"QAS_URL": server.address, "QAS_TOKEN": KEY}
        with start("plan", "-f", manifest, **environ) as process:
            out, err = process.communicate(timeout=60)
    assert seen.is_set()
    assert b"qarun" in shown[0] or b"runs_as_code" in shown[0]
    assert not [part for part in parts(KEY) for text in shown if part.encode() in text]
    assert KEY not in out + err


def test_serve_keeps_keys_only_as_digests(tmp_path: Path, demo_database: Path):
    database = tmp_path / "served.db"
    database.write_bytes(demo_database.read_bytes())
    key = create_key(database, "ann@example.com")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    check_files(tmp_path, key)


def test_no_option_takes_a_key():
    helps = [call(command, "--help").out for command in ("plan", "apply", "list", "serve")]
    assert not [text for text in helps if "--token" in text or "--key " in text]


def test_the_log_of_requests_holds_what_it_should_and_no_more(
    hosted: dict[str, str], tmp_path: Path, database: Path
):
    with changing(database) as connection:
        connection.execute("UPDATE milestone SET title = 'body-canary'")
    manifest = write(tmp_path / "m.yaml", ONE + "    description: sent-canary\n", HOSTED)
    ended = call("apply", "-f", manifest, "--auto-approve", "--debug-http", **hosted)
    logged = [line for line in ended.err.splitlines() if line.startswith("debug: ")]
    assert ended.code == 0
    assert len(logged) >= 3
    for line in logged:
        assert line.split()[1] in {"GET", "POST"}
        assert line.split()[2].startswith(f"{hosted['QAS_URL']}/api/public/v0/")
        assert " B, " in line
        assert "canary" not in line
        assert "earer" not in line
    silent = call("plan", "-f", manifest, **hosted)
    assert "debug: " not in silent.err


def test_the_log_of_requests_names_faults_and_each_try(quick_retries, tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HOSTED)
    environ = {"QAS_URL": "http://127.0.0.1:9", "QAS_TOKEN": KEY}
    ended = call("plan", "-f", manifest, "--debug-http", **environ)
    assert ended.code == 9
    assert ended.err.count(": connection refused, 0 B, ") == 4


def test_the_embedded_server_is_logged_too(tmp_path: Path, database: Path):
    manifest = write(tmp_path / "m.yaml")
    ended = call("plan", "-f", manifest, "--debug-http")
    assert "debug: GET http://embedded/api/public/v0/project/BD/run: 200, " in ended.err


def test_reprs_hold_no_key():
    client = QaSphereClient("https://x.example", KEY)
    shown = [repr(client), repr(client.project("BD")), repr(Redactor(KEY)), str(client)]
    assert not [text for text in shown if KEY in text]
    asyncio.run(client.aclose())


@pytest.mark.parametrize(
    ("received", "left"),
    [
        (b'"\\u0073ecretsecret"', b'"[redacted]"'),
        (b'"\\\\u0073ecretsecret"', b'"\\\\u0073ecretsecret"'),
        (b'"\\u0022 \\u005c \\u003c \\u00e9 \\n \\/ secretsecret"', None),
        (b'"\\u0073\\u0065cretsecre\\u0074 \\u005c"', b'"[redacted] \\u005c"'),
        (b"secretsecret", b"[redacted]"),
    ],
)
def test_a_key_spelled_as_json_may_spell_it(received: bytes, left: bytes | None):
    found = Redactor("secretsecret").body(received)
    if left is not None:
        assert found == left
    else:
        assert json.loads(found) == '" \\ < é \n / [redacted]'
