"""Several pipelines at once, signals, a killed process, a server that loses replies."""

import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.support import Process, Site, finish, manifest, many, qarun, run_lines, start

Serve = Callable[..., Site]

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")


def apply(path: Path, site: Site) -> tuple[str | Path, ...]:
    return ("apply", "--auto-approve", "-f", path)


def keys_of(site: Site, *, is_open: bool | None = None) -> Counter[str]:
    """Count the runs of each key and revision by their markers."""
    runs = [r for r in site.runs() if is_open is None or (r["closedAt"] is None) is is_open]
    found = (re.search(r"\[qarun:1 \S+ (\S+ r\d+) ", run["description"]) for run in runs)
    return Counter(match[1] if match else "unmarked" for match in found)


def in_step(path: Path, site: Site) -> None:
    ended = qarun("plan", "--detailed-exitcode", "-f", path, **site.environ())
    assert ended.code == 0, ended.out + ended.err


def test_two_pipelines_apply_the_same_commit_at_once(serve: Serve, tmp_path: Path) -> None:
    site = serve("--rate", "0", "--latency", "0.02")
    path = manifest(tmp_path / "m.yaml", many(12))
    both = [start(*apply(path, site), **site.environ()) for _ in range(2)]
    ended = [finish(process) for process in both]

    assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    assert keys_of(site) == {f"k{n:02} r1": 1 for n in range(12)}
    in_step(path, site)


def test_two_pipelines_replace_at_once(serve: Serve, tmp_path: Path) -> None:
    site = serve("--rate", "0", "--latency", "0.02")
    limits = {"limits": "{percent: 100}"}
    path = manifest(tmp_path / "m.yaml", many(6), **limits)
    assert qarun(*apply(path, site), **site.environ()).code == 0
    manifest(path, many(6, milestone="Sprint 24"), **limits)
    both = [start(*apply(path, site), **site.environ()) for _ in range(2)]
    ended = [finish(process) for process in both]

    assert {e.code for e in ended} <= {0, 6}, [e.err for e in ended]
    assert keys_of(site, is_open=True) == {f"k{n:02} r2": 1 for n in range(6)}
    assert keys_of(site, is_open=False) == {f"k{n:02} r1": 1 for n in range(6)}
    in_step(path, site)


def test_two_commits_at_once_come_down_to_one_run(serve: Serve, tmp_path: Path) -> None:
    site = serve("--rate", "0", "--latency", "0.05")
    one = manifest(tmp_path / "one.yaml", run_lines("smoke", "Smoke 23"))
    other = manifest(tmp_path / "other.yaml", run_lines("smoke", "Smoke 24"))
    both = [start(*apply(path, site), **site.environ()) for path in (one, other)]
    for process in both:
        assert finish(process).code in {0, 7, 1}
    last = qarun(*apply(other, site), **site.environ())

    assert last.code == 0, last.err
    assert len(site.titles()) == 1
    in_step(other, site)


def test_two_pipelines_share_a_key_and_its_rate(serve: Serve, tmp_path: Path) -> None:
    site = serve("--rate", "20")
    paths = [
        manifest(tmp_path / f"{owner}.yaml", many(12).replace("Run", owner), owner=owner)
        for owner in ("web", "app")
    ]
    both = [start(*apply(path, site), **site.environ()) for path in paths]
    ended = [finish(process) for process in both]

    assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    assert len(site.runs()) == 24


def test_several_processes_share_an_embedded_database(tmp_path: Path) -> None:
    path = manifest(tmp_path / "m.yaml", many(8), server="embedded")
    both = [start("apply", "--auto-approve", "-f", path) for _ in range(3)]
    ended = [finish(process) for process in both]

    assert [e.code for e in ended] == [0, 0, 0], [e.err for e in ended]
    listed = qarun("list", "--format", "json", "-f", path).json
    assert sorted(run["key"] for run in listed["runs"]) == [f"k{n:02}" for n in range(8)]


def wait_for_runs(site: Site, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(site.runs()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def interrupted(site: Site, path: Path, runs: int, number: signal.Signals) -> Process:
    """Start an apply and send it a signal once so many runs are live."""
    process = start(*apply(path, site), **site.environ())
    try:
        wait_for_runs(site, runs)
    except BaseException:
        process.kill()
        finish(process)
        raise
    process.send_signal(number)
    return process


RUNS = 24
"""So many that a signal after the first few finds most of them still to be made."""


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_apply_that_is_ended_goes_on_next_time(
    serve: Serve, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Neither a second run of a key, nor an old run closed before its successor was there."""
    site = serve("--rate", "0", "--latency", "0.15")
    limits = {"limits": "{percent: 100}"}
    path = manifest(tmp_path / "m.yaml", many(RUNS), **limits)
    assert finish(interrupted(site, path, 4, number)).code == code
    assert qarun(*apply(path, site), **site.environ()).code == 0
    assert keys_of(site) == {f"k{n:02} r1": 1 for n in range(RUNS)}

    manifest(path, many(RUNS, milestone="Sprint 24"), **limits)
    assert finish(interrupted(site, path, RUNS + 3, number)).code == code
    opened = keys_of(site, is_open=True)
    assert {key.split()[0] for key in opened} == {f"k{n:02}" for n in range(RUNS)}
    ended = qarun(*apply(path, site), **site.environ())
    assert ended.code == 0, ended.err
    assert keys_of(site, is_open=True) == {f"k{n:02} r2": 1 for n in range(RUNS)}
    assert keys_of(site, is_open=False) == {f"k{n:02} r1": 1 for n in range(RUNS)}
    in_step(path, site)


FAULTS = """\
apiVersion: qarun/faults/v1
seed: 7
faults:
  - {kind: lost-after, endpoint: "POST /project/*/run*", probability: 0.4}
  - {kind: status, endpoint: "POST /project/*/run/*/close", status: 503, times: 2}
  - {kind: status, endpoint: "*", status: 429, probability: 0.1}
"""


def test_a_server_that_loses_replies(serve: Serve, tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text(FAULTS)
    site = serve("--rate", "0", "--faults", str(faults))
    limits = {"limits": "{percent: 100}"}
    path = manifest(tmp_path / "m.yaml", many(6), **limits)
    first = qarun(*apply(path, site), **site.environ())
    assert first.code == 0, first.err
    manifest(path, many(6, milestone="Sprint 24"), **limits)
    second = qarun(*apply(path, site), **site.environ())

    assert second.code == 0, second.err
    assert keys_of_patiently(site, is_open=True) == {f"k{n:02} r2": 1 for n in range(6)}
    assert keys_of_patiently(site, is_open=False) == {f"k{n:02} r1": 1 for n in range(6)}


def keys_of_patiently(site: Site, *, is_open: bool) -> Counter[str]:
    """Count as above, on a server that answers 429 now and then."""
    import httpx  # noqa: PLC0415 -- only here

    while True:
        try:
            return keys_of(site, is_open=is_open)
        except httpx.HTTPStatusError:
            time.sleep(0.01)
