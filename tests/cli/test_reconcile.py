"""`qarun reconcile`: rounds, exit codes, logs, metrics on a port and in a file, signals."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.support import CANARY, HEAD, ONE, TWO, call, read_until, rows, run, start, titles, write
from prometheus_client.openmetrics.parser import text_string_to_metric_families

Serve = Callable[..., str]

OTHER = HEAD.replace("owner: web-team", "owner: mobile")
REVIEW = TWO.removeprefix(ONE)
HOSTED = HEAD.replace("server: embedded", "server: https://127.0.0.1:1")


def logged(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def events(text: str, name: str) -> list[dict[str, Any]]:
    return [event for event in logged(text) if event["event"] == name]


def metrics_of(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples by name, then by the values of their labels in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[key] = sample.value
    return found


def test_one_round_does_what_is_wanted(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", TWO)
    ended = call("reconcile", "-f", path, "--once")
    assert (ended.code, ended.out) == (0, "")
    assert sorted(titles(database)) == ["Menu review", "Smoke of the week"]
    assert "create `smoke`: done" in ended.err
    assert "embedded BD web-team: in-sync, 2 done" in ended.err
    before = rows(database)
    ended = call("reconcile", "-f", path, "--once")
    assert ended.code == 0
    assert rows(database) == before


def test_what_is_blocked_waits_and_the_rest_goes_on(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", TWO + "    milestone: Nonexistent\n")
    ended = call("reconcile", "-f", path, "--once", "--log-format", "json")
    assert ended.code == 5
    assert titles(database) == ["Smoke of the week"]
    (event,) = events(ended.err, "project.reconciled")
    assert (event["condition"], event["actions"]) == ("blocked", 1)
    assert (event["blocked_unresolved-name"], event["converged"]) == (1, False)


def test_a_policy_tightens_and_never_loosens(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", head=HEAD + "policy: create-only\n")
    ended = call("reconcile", "-f", path, "--once", "--policy", "observe")
    assert (ended.code, rows(database)) == (5, [])
    assert "waiting" in ended.err
    ended = call("reconcile", "-f", path, "--once", "--policy", "sync")
    assert (ended.code, rows(database)) == (5, [])
    assert "would loosen" in ended.err


def test_a_project_that_fails_stops_no_other(tmp_path: Path, database: Path, quick_retries):
    good = write(tmp_path / "a.yaml")
    bad = write(tmp_path / "b.yaml", REVIEW.join(("runs:\n", "")), HOSTED)
    environ = {"QAS_TOKEN": CANARY}
    ended = call("reconcile", "-f", good, "-f", bad, "--once", "--log-format", "json", **environ)
    assert ended.code == 9
    assert titles(database) == ["Smoke of the week"]
    (failed,) = events(ended.err, "project.failed")
    assert (failed["server"], failed["exit_code"]) == ("https://127.0.0.1:1", 9)
    assert CANARY not in ended.all


def test_a_broken_file_fails_its_project_and_no_other(tmp_path: Path, database: Path):
    folder = tmp_path / "runs"
    write(folder / "a.yaml")
    write(folder / "b.yaml", "runs:\n" + REVIEW + "    titel: x\n", OTHER.replace("BD", "QA"))
    ended = call(
        "reconcile", "-f", folder, "--once", "--log-format", "json", "--database", database
    )
    assert ended.code == 3
    assert titles(database) == ["Smoke of the week"]
    (invalid,) = events(ended.err, "manifest.invalid")
    assert (invalid["rule"], invalid["line"]) == ("unknown-key", 11)
    write(folder / "b.yaml", "runs:\n" + REVIEW + "    titel: x\n", OTHER)
    again = call("reconcile", "-f", folder, "--once", "--database", database)
    assert again.code == 3
    assert "web-team: " in again.err.replace("embedded BD ", "")
    assert titles(database) == ["Smoke of the week"]


def test_metrics_are_valid_and_say_what_was_done(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", TWO + "    milestone: Nonexistent\n")
    file = tmp_path / "qarun.prom"
    assert call("reconcile", "-f", path, "--once", "--metrics-file", file).code == 5
    found = metrics_of(file.read_text("utf-8"))
    scope = ("web-team", "BD", "embedded")
    assert found["qarun_actions_total"] == {("create", *scope[:2], "done", "embedded"): 1}
    assert found["qarun_blocked_actions"] == {(*scope[:2], "unresolved-name", "embedded"): 1}
    assert found["qarun_converged"] == {scope: 0}
    assert found["qarun_noop_total"] == {scope: 0}
    assert found["qarun_consecutive_failures"] == {scope: 0}
    assert found["qarun_last_success_timestamp_seconds"][scope] == pytest.approx(
        time.time(), abs=60
    )
    requests = found["qarun_api_requests_total"]
    assert requests["201", "/project/{project}/run", "POST"] == 1
    assert all("BD" not in "".join(labels) for labels in requests)
    assert call("reconcile", "-f", path, "--once", "--metrics-file", tmp_path).code == 64


def test_hostile_titles_break_no_line(tmp_path: Path, database: Path):
    title = r'"a\u2028b \"}, {\"level\": \"##vso[task.complete]\" \U0001F600"'
    path = write(tmp_path / "m.yaml", ONE.replace("Smoke of the week", title))
    ended = call("reconcile", "-f", path, "--once", "--log-format", "json")
    if ended.code:
        assert "control-character" in ended.err  # the manifest does not let it in
        path = write(
            tmp_path / "m.yaml", ONE.replace("Smoke of the week", title.replace(r"\u2028", ""))
        )
        ended = call("reconcile", "-f", path, "--once", "--log-format", "json")
    assert ended.code == 0
    assert ended.err.isascii()
    assert "##vso" not in ended.err
    (event,) = events(ended.err, "action.finished")
    assert "##vso[task.complete]" in event["title"]
    assert {"ts", "level", "event", "message", "project", "owner", "key", "run_id"} <= set(event)


def test_the_revision_is_told(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    sha = "0123456789abcdef0123456789abcdef01234567"
    ended = call("reconcile", "-f", path, "--once", "--log-format", "json", GITHUB_SHA=sha)
    assert {event["revision"] for event in logged(ended.err)} == {sha}
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    ended = call("reconcile", "-f", path, "--once", "--log-format", "json", "-v", GITHUB_SHA=sha)
    assert {event["revision"] for event in logged(ended.err)} == {done.stdout.strip()}


@pytest.mark.parametrize(
    "flags",
    [
        ("--once", "--interval", "5m"),
        ("--interval", "0s"),
        ("--interval", "5"),
        ("--interval", "25h"),
        ("--jitter", "100%"),
        ("--metrics-address", "9090"),
        ("--metrics-address", "host:99999"),
        ("--once", "--log-format", "xml"),
    ],
)
def test_wrong_flags_are_refused(flags, tmp_path: Path, database: Path):
    assert call("reconcile", "-f", write(tmp_path / "m.yaml"), *flags).code == 64
    assert rows(database) == []


@pytest.mark.parametrize("path", ["pipe", "/dev/stdin", "/dev/fd/0"])
def test_what_can_be_read_only_once_is_refused(path, tmp_path: Path, monkeypatch, database: Path):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    ended = call("reconcile", "--once", "-f", write(tmp_path / "m.yaml"), "-f", path)
    assert ended.code == 64
    assert f"error: `{path}` can be read only once" in ended.err
    assert rows(database) == []


def fetch(port: int, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_a_loop_follows_its_files_and_stops_cleanly(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    flags = ("--interval", "0.1s", "--log-format", "json", "--metrics-address", ":0")
    with start("reconcile", "-f", path, *flags) as process:
        seen = read_until(process, "project.reconciled")
        port = events(seen, "status.listening")[0]["port"]
        path.write_text(HEAD + "runs: {", "utf-8")
        read_until(process, "project.failed")
        write(path, TWO)
        read_until(process, "Menu review")
        read_until(process, "project.reconciled")
        time.sleep(0.3)
        assert fetch(port, "/healthz")[::2] == (200, "ok\n")
        assert fetch(port, "/readyz")[::2] == (200, "ok\n")
        assert fetch(port, "/nothing")[0] == 404
        status, kind, text = fetch(port, "/metrics")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, "")
    assert logged(err)[-1]["event"] == "loop.stopped"
    assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
    assert (
        metrics_of(text)["qarun_actions_total"]["create", "web-team", "BD", "done", "embedded"] == 2
    )
    assert sorted(titles(database)) == ["Menu review", "Smoke of the week"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_two_instances_make_each_run_once(tmp_path: Path, database: Path):
    many = "runs:\n" + "".join(
        f"  k{n:02}:\n    title: Run {n}\n    type: live\n    queryPlans: [{{folders: [1]}}]\n"
        for n in range(6)
    )
    head = HEAD + "limits: {percent: 100}\n"
    path = write(tmp_path / "m.yaml", many, head)
    flags = ("--interval", "0.1s", "--log-format", "json", "-v")
    with (
        start("reconcile", "-f", path, *flags) as one,
        start("reconcile", "-f", path, *flags) as two,
    ):
        heard = ["", ""]
        for place, process in enumerate((one, two)):
            heard[place] = read_until(process, '"condition": "in-sync"')
        # Both go on with a file that asks for new revisions of all.
        write(path, many.replace("folders: [1]", "folders: [6]"), head)
        for place, process in enumerate((one, two)):
            heard[place] += read_until(process, '"round": 5,')
        one.send_signal(signal.SIGTERM)
        two.send_signal(signal.SIGINT)
        for place, process in enumerate((one, two)):
            heard[place] += process.communicate(timeout=30)[1]
        assert (one.returncode, two.returncode) == (143, 130)
    ended = run("reconcile", "-f", path, "--once", "--log-format", "json", "-v")
    assert ended.code == 0, ended.err
    (last,) = events(ended.err, "project.reconciled")
    assert (last["converged"], last["actions"]) == (True, 0)
    opened = [title for _, title, is_open in rows(database) if is_open]
    assert len(opened) == 6
    assert len(rows(database)) == 12
    assert all("internal error" not in text for text in heard)


def test_it_says_when_the_address_is_taken(tmp_path: Path, database: Path):
    ended = call(
        "reconcile", "-f", write(tmp_path / "m.yaml"), "--once", "--metrics-address", "192.0.2.1:1"
    )
    assert ended.code == 64
    assert "`192.0.2.1:1` can't be listened on" in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_what_is_under_way_finishes(tmp_path: Path, database: Path, serve: Serve):
    serve(latency=0.3, rate=0)
    many = "runs:\n" + "".join(
        f"  k{n:02}:\n    title: Run {n}\n    type: live\n    queryPlans: [{{folders: [1]}}]\n"
        for n in range(20)
    )
    path = write(tmp_path / "m.yaml", many, HEAD.replace("server: embedded\n", ""))
    flags = ("--interval", "0.1s", "--log-format", "json", "--rate", "0")
    with start("reconcile", "-f", path, *flags) as process:
        seen = read_until(process, "action.finished")
        process.send_signal(signal.SIGTERM)
        seen += process.communicate(timeout=30)[1]
    assert process.returncode == 143
    results = [event["result"] for event in events(seen, "action.finished")]
    assert len(results) == 20
    assert 0 < results.count("skipped") < 20
    assert len(rows(database)) == results.count("done")
    assert not events(seen, "project.failed")
    assert call("reconcile", "-f", path, "--once", "--rate", "0").code == 0
    assert len(titles(database)) == len(rows(database)) == 20
