"""What an apply of creates costs: against the rate limit's floor, in process, and without a limit.

`python bench/apply.py [--counts 100,500] [--rounds N]`
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import workload
from counted import Counted
from measure import Times, in_turns, milliseconds, ratio, table
from serving import served

from runs_as_code.engine.applying import ApplySettings, apply_jobs, jobs_of
from runs_as_code.engine.planning import make_plan
from runs_as_code.manifest.read import read_manifests
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.plan import Approvals
from runs_as_code.provider.client import RATE_LIMIT, QaSphereClient
from runs_as_code.provider.embedded import embedded_client
from runs_as_code.server import create_app

LATENCY = 0.05
JITTER = 0.05
IN_FLIGHT = 20
REFUSED = "429"
MANIFEST = """\
apiVersion: qarun/v1
project: BD
owner: bench-team
defaults: {milestone: Sprint 24, assignee: ann@example.com}
runs:
"""
RUN = """\
  suite-{number}:
    title: Bench suite {number}
    type: live
    queryPlans: [{{folders: [Checkout]}}]
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """One apply: seconds of plan, apply and verification, requests as the client counts them."""

    seconds: float
    cpu: float
    calls: int


async def apply(manifests: ManifestSet, client: QaSphereClient, count: int) -> Applied:
    """Plan, make all runs, verify; raise when not all of them are there."""
    began, worked = time.perf_counter(), time.process_time()
    async with aclosing(client):
        planned = await make_plan(
            manifests,
            lambda _: client.address.name,
            lambda _, project: client.project(project),
            Approvals(),
            "2026-01-12T09:30:00Z",
        )
        jobs = jobs_of(planned.plan, planned.sessions)
        report = await apply_jobs(planned.plan, jobs, ApplySettings())
    done = sum(result.status == "done" for result in report.results)
    if done != count or report.exit_code:
        raise ValueError(f"{done} of {count} done, exit {report.exit_code}")
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    return Applied(seconds, cpu, client.calls)


def demo_manifest(folder: Path, count: int) -> ManifestSet:
    """Return a manifest of live runs for the demo project."""
    file = folder / f"demo-{count}.yaml"
    runs = "".join(RUN.format(number=number) for number in range(count))
    file.write_text(MANIFEST + runs, encoding="utf-8")
    return read_manifests([file])


def limited(folder: Path, count: int) -> list[str]:
    """Apply over a socket at the service's limit; one row of the table."""
    arguments = (str(folder / f"limited-{count}.db"), str(RATE_LIMIT), str(LATENCY), str(JITTER))
    with served("counted.py", *arguments) as server:
        client = QaSphereClient(server.url, "bench-token")
        applied = asyncio.run(apply(demo_manifest(folder, count), client, count))
    sent = _requests(server.counts)
    floor = (sent - 1) // RATE_LIMIT
    wall = f"{applied.seconds:.2f}"
    over = f"{applied.seconds / floor:.2f}" if floor else ""
    return [f"{count} creates", wall, f"{floor}.0", over, *_counted(count, server.counts, applied)]


def in_process(folder: Path, count: int) -> list[str]:
    """Apply to the embedded server in this process; one row of the table."""
    counted = Counted(create_app(folder / f"embedded-{count}.db"))
    client = embedded_client(counted)
    applied = asyncio.run(apply(demo_manifest(folder, count), client, count))
    each = f"{applied.seconds / count * 1000:.2f}"
    wall = f"{applied.seconds:.2f}"
    return [f"{count} creates", wall, each, *_counted(count, counted.counts, applied)]


def unlimited(folder: Path, count: int, rounds: int) -> list[list[str]]:
    """Apply to a stand-in without limit and latency, against bare asyncio; rows of the table."""
    manifests = read_manifests(workload.write_manifests(folder, count))
    by_hand, ours = f"asyncio by hand, {IN_FLIGHT} in flight", "plan, apply, verify"

    bare, full = Times(), Times()
    for _ in range(rounds):
        with served("stand_in.py") as server:
            post = partial(_post_all, server.url, count)
            bare.add(in_turns({by_hand: post}, 1)[by_hand])
        with served("stand_in.py") as server:
            client = QaSphereClient(server.url, "bench-token", rate=0)
            applied = asyncio.run(apply(manifests, client, count))
            full.add(Times([applied.seconds], [applied.cpu]))
    return [
        [
            name,
            milliseconds(side.wall),
            f"{ratio(side.wall, bare.wall):.2f}",
            milliseconds(side.cpu),
            f"{ratio(side.cpu, bare.cpu):.2f}",
        ]
        for name, side in ((by_hand, bare), (ours, full))
    ]


def _post_all(url: str, count: int) -> None:
    asyncio.run(post_by_hand(url, count))


async def post_by_hand(url: str, count: int) -> None:
    """Send the creates and nothing else, as fast as asyncio can."""
    left = iter(range(count))
    host, port = urlsplit(url).netloc.split(":")

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in left:
            body = json.dumps({"title": f"Suite {number}", "description": "-" * 150}).encode()
            writer.write(b"POST /project/BD/run HTTP/1.1\r\nHost: bench\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(head.partition("Content-Length: ")[2].split("\r")[0]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def _requests(counts: Mapping[str, int]) -> int:
    return sum(number for name, number in counts.items() if not name.isdigit())


def _counted(count: int, counts: Mapping[str, int], applied: Applied) -> list[str]:
    """Say what the server counted: requests, those beside the creates, refusals."""
    sent = _requests(counts)
    if sent != applied.calls:
        raise ValueError(f"the client counts {applied.calls} requests, the server {sent}")
    return [str(sent), str(sent - count), str(counts.get(REFUSED, 0))]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="100")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        way = f"{LATENCY * 1000:.0f} ms latency, up to {JITTER * 1000:.0f} ms jitter"
        print(f"over a socket, {RATE_LIMIT} requests a second, {way}")
        heads = ["", "s", "floor s", "x floor", "requests", "beside creates", REFUSED]
        print(table(heads, [limited(folder, count) for count in counts]))
        print("\nembedded server in process, no limit")
        heads = ["", "s", "ms a run", "requests", "beside creates", REFUSED]
        print(table(heads, [in_process(folder, count) for count in counts]))
        print("\n500 creates, a stand-in without limit and latency")
        rows = unlimited(folder, 500, options.rounds)
        print(table(["", "ms", "x by hand", "client's CPU ms", "x by hand"], rows))


if __name__ == "__main__":
    main()
