"""SIGINT and SIGTERM, against a server that takes its time, as processes of their own."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.support import HEAD, Process, call, read_until, rows, start, write

from runs_as_code.engine.context import PARALLEL_ACTIONS
from runs_as_code.server.web.faults import Fault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

Serve = Callable[..., str]

KINDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
MANY = "runs:\n" + "".join(
    f"  k{n:02}:\n    title: Run {n}\n    type: live\n    queryPlans: [{{folders: [1]}}]\n"
    for n in range(30)
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write(tmp_path / "m.yaml", MANY, HEAD.replace("server: embedded\n", ""))


@pytest.fixture
def slow(serve: Serve) -> str:
    return serve(latency=0.5, rate=0)


@pytest.mark.parametrize(("number", "code"), KINDS)
def test_a_signal_while_reading_ends_at_once(number, code, manifest, slow, database):
    with start("apply", "--auto-approve", "-f", manifest) as process:
        wait_for_connection(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.endswith("error: interrupted; nothing was written\n")
    assert rows(database) == []


def wait_for_connection(process: Process) -> None:
    """Wait until the process has a socket, which is when it watches for signals."""
    folder = Path(f"/proc/{process.pid}/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        links = [str(path.readlink()) for path in folder.iterdir() if path.is_symlink()]
        # The event loop itself has a pair of sockets.
        if sum(link.startswith("socket:") for link in links) > 2:
            return
        time.sleep(0.01)
    pytest.fail("it never connected")


@pytest.mark.parametrize(("number", "code"), KINDS)
def test_the_first_signal_lets_finish_what_is_under_way(number, code, manifest, slow, database):
    with start("apply", "--auto-approve", "-f", manifest) as process:
        read_until(process, "create revision")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Interrupted: finishing what is under way; " in err
    made = len(rows(database))
    assert 0 < made < 30
    assert f"Apply: {made} done, {30 - made} skipped" in out
    assert "run it again to go on" in out


def stop_while_throttled(process: Process) -> tuple[str, str]:
    """Send SIGTERM while as many writes wait as may be under way; return what was said then."""
    for _ in range(PARALLEL_ACTIONS):
        read_until(process, ": 429, ")
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    said = process.communicate(timeout=60)
    took = time.monotonic() - started
    assert process.returncode == 143
    assert took < 5
    return said


@pytest.mark.parametrize("is_made", [True, False], ids=["creates", "closes"])
def test_writes_that_wait_are_not_sent_after_a_signal(is_made, manifest, serve, database):
    """The server asks for a minute's patience; nothing was written yet, and nothing is."""
    if not is_made:
        assert call("apply", "--auto-approve", "-f", manifest, "--server", "embedded").code == 0
        ended = "runs:\n" + "".join(f"  k{n:02}: {{state: closed}}\n" for n in range(30))
        write(manifest, ended, HEAD.replace("server: embedded\n", ""))
    before = rows(database)
    serve(faults=(Fault("status", "POST *", status=429, retry_after=60),))
    with start("apply", "--auto-approve", "--debug-http", "-f", manifest) as process:
        out, err = stop_while_throttled(process)
    assert "Apply: 30 skipped" in out
    assert "skipped       " + ("create" if is_made else "close run 1") in out
    assert out.count("interrupted before it was started") == 30
    assert "Interrupted: 30 actions not done; run it again to go on" in out
    assert "debug: " not in err.partition("Interrupted: ")[2]
    assert rows(database) == before


def test_a_round_whose_writes_wait_ends_with_a_signal(manifest, serve, database):
    serve(faults=(Fault("status", "POST *", status=429, retry_after=60),))
    flags = ("--interval", "5m", "--log-format", "json", "--debug-http")
    with start("reconcile", *flags, "-f", manifest) as process:
        _, err = stop_while_throttled(process)
    told = [json.loads(line) for line in err.splitlines()]
    assert [line["result"] for line in told if line["event"] == "action.finished"] == [
        "skipped"
    ] * 30
    assert rows(database) == []


def test_running_again_goes_on(manifest, slow, database):
    with start("apply", "--auto-approve", "-f", manifest) as process:
        read_until(process, "create revision")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert call("apply", "--auto-approve", "-f", manifest).code == 0
    assert len({title for _, title, _ in rows(database)}) == len(rows(database)) == 30


def test_the_second_signal_ends_at_once(manifest, serve, database):
    serve(latency=3, rate=0)
    with start("apply", "--auto-approve", "-f", manifest) as process:
        read_until(process, "create revision")
        process.send_signal(signal.SIGINT)
        read_until(process, "Interrupted: ")
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - started
    assert process.returncode == 130
    assert "error: interrupted again; what was under way may or may not have run" in err
    assert "Apply:" not in out
    assert took < 2.5


def test_each_end_of_a_round_is_told_as_the_log_is(manifest, serve, database):
    serve(latency=0.3, rate=0)
    once = ("reconcile", "--once", "--log-format", "json", "-f", manifest)
    with start(*once) as process:
        read_until(process, "action.finished")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "stopped on the way; the next round does the rest" in err
    assert "somebody else" not in err
    with start(*once) as process:
        read_until(process, "action.finished")
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)  # two at once would count as one
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    last = json.loads(err.splitlines()[-1])
    assert (last["event"], last["level"]) == ("loop.interrupted", "error")


@pytest.mark.parametrize(("number", "code"), KINDS)
def test_serve_stops_cleanly(number, code, tmp_path: Path):
    with start("serve", "--port", "0", "--database", tmp_path / "s.db") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        read_until(process, "Board: ")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err == "Stopped\n"


@pytest.mark.parametrize(("number", "code"), KINDS)
def test_a_signal_in_the_middle_of_the_loop_s_work_is_not_lost(
    number, code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Server:
        should_exit = False

        def run(self, sockets):
            asyncio.run(self.wait())

        async def wait(self):
            # An exception out of a callback goes to the loop's log, and nobody else hears of it.
            asyncio.get_running_loop().call_soon(signal.raise_signal, number)
            async with asyncio.timeout(10):
                while not self.should_exit:  # noqa: ASYNC110 -- as uvicorn waits
                    await asyncio.sleep(0.01)

    before = {each: signal.getsignal(each) for each, _ in KINDS}
    monkeypatch.setattr("runs_as_code.cli.serve.make_server", lambda *_: Server())
    try:
        ended = call("serve", "--port", "0", "--database", tmp_path / "s.db")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert (ended.code, ended.err.splitlines()[-1]) == (code, "Stopped")
