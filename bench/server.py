"""Requests a second of the embedded server, in process and over a socket, for 1 and 8 clients.

    .venv/bin/python bench/server.py [--seconds 3] [--durability]

Prints a table, and checks that the list of 10,000 runs takes as many queries as that of 100.
`--durability` compares SQLite's `synchronous` settings instead.
"""

import argparse
import asyncio
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event, insert, select

from runs_as_code.server import ServerOptions, create_app, ensure_database
from runs_as_code.server.guesses import BASE_PATH
from runs_as_code.server.rules.cases import CaseDraft, add_case
from runs_as_code.server.rules.folders import ROOT, add_folder
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.database import Store
from runs_as_code.server.store.tables import project, run

CLIENTS = (1, 8)
CASES = 1000
SERVE = """
import sys
from runs_as_code.server import ServerOptions, listen, serve
sock = listen(port=0)
sock.listen(128)
print(sock.getsockname()[1], flush=True)
serve(sys.argv[1], options=ServerOptions(), sock=sock)
"""
titles = count()


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure: a request, on a database with so many runs."""

    name: str
    runs: int
    method: str
    path: str
    body: Callable[[], dict[str, Any]] | None = None

    def content(self) -> bytes:
        """The next body to send."""
        return json.dumps(self.body()).encode() if self.body else b""


def new_run() -> dict[str, Any]:
    """A run of the twelve cases of a folder."""
    plans = [{"folderIds": [2]}]
    return {"title": f"Measured {next(titles)}", "type": "static", "queryPlans": plans}


RESULT = "/project/BD/run/5/tcase/21/result"
BENCHES = (
    Case("list of 100 runs", 100, "GET", "/project/BD/run"),
    Case("list of 10,000 runs", 10_000, "GET", "/project/BD/run"),
    Case("create a static run of 12 cases", 100, "POST", "/project/BD/run", new_run),
    Case("record a result", 100, "POST", RESULT, lambda: {"status": "passed"}),
    Case("test cases of a live run, 1,000", 100, "GET", "/project/BIG/run/1000000/tcase"),
)


def fill(database: Path, runs: int) -> None:
    """Add runs of both kinds to the demo project, and a project of 1,000 cases with a live run."""
    store = Store(database)
    with store.writing() as connection:
        demo = connection.scalar(select(project.c.id).where(project.c.code == "BD"))
        common = {"description": "", "links": [], "created_by": 1, "created_at": now()}
        rows = [
            common
            | {
                "project_id": demo,
                "type": "live" if number % 2 == 0 else "static",
                "title": f"Run {number}",
                "milestone_id": 5 + number % 3,
                "assignment_id": 7,
                "query_plans": [{"folderIds": [1 + number % 3], "tagIds": [1 + number % 2]}],
                "counts": {"open": 12},
            }
            for number in range(runs)
        ]
        connection.execute(insert(run), rows)
        values = {"id": "big", "code": "BIG", "title": "Big", "last_seq": 0, "links": []}
        values |= {"overview_title": "", "overview_description": ""}
        values |= {"created_at": now(), "updated_at": now()}
        connection.execute(insert(project).values(values))
        folder = add_folder(connection, "big", ROOT, "All")
        for number in range(CASES):
            add_case(connection, "big", CaseDraft(f"Case {number}", folder, "high"), 1)
        live = {"id": 1_000_000, "project_id": "big", "type": "live", "title": "All"}
        live |= {"query_plans": [{"folderIds": [folder]}], "counts": {}}
        connection.execute(insert(run), [common | live])
    store.close()


async def in_process(app: Any, case: Case, clients: int, seconds: float) -> float:
    """Return requests a second through httpx's transport for apps."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:

        async def ask() -> None:
            response = await client.request(
                case.method, BASE_PATH + case.path, content=case.content()
            )
            response.raise_for_status()

        return await rate_of(ask, clients, seconds)


async def rate_of(ask: Callable[[], Awaitable[None]], clients: int, seconds: float) -> float:
    """Ask with so many clients for so long; return how often a second."""
    await ask()
    done = 0
    began = time.perf_counter()
    end = began + seconds

    async def work() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await ask()
            done += 1

    await asyncio.gather(*(work() for _ in range(clients)))
    return done / (time.perf_counter() - began)


def over_socket(port: int, case: Case, clients: int, seconds: float) -> float:
    """Return requests a second over loopback, from threads with plain connections."""
    done: list[int] = []
    began = time.perf_counter()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        number = 0
        while time.perf_counter() < began + seconds or not number:
            connection.request(case.method, BASE_PATH + case.path, body=case.content())
            response = connection.getresponse()
            response.read()
            if response.status >= 400:  # noqa: PLR2004 - the class of statuses itself
                raise RuntimeError(f"{case.name}: {response.status}")
            number += 1
        connection.close()
        done.append(number)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def count_queries(database: Path) -> int:
    """Return how many statements the run list takes."""
    app = create_app(database)
    statements: list[str] = []
    engine = app.state.store.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    asyncio.run(in_process(app, BENCHES[0], 1, 0.0))
    found = len(statements)
    app.state.store.close()
    return found


def measure(folder: Path, seconds: float) -> None:
    """Print the table."""
    databases = {}
    for runs in (100, 10_000):
        databases[runs] = folder / f"{runs}.db"
        ensure_database(databases[runs])
        fill(databases[runs], runs)
    queries = {runs: count_queries(path) for runs, path in databases.items()}
    print(f"statements for the list: {queries[100]} at 100 runs, {queries[10_000]} at 10,000")
    if queries[100] != queries[10_000]:
        raise SystemExit("the list of runs does a query per run")
    heads = [f"{where} {number}" for where in ("in process", "socket") for number in CLIENTS]
    print(f"| {'requests a second':<32} | " + " | ".join(f"{head:>12}" for head in heads) + " |")
    print(f"|{'-' * 34}|" + f"{'-' * 13}:|" * len(heads))
    for case in BENCHES:
        rates = [inside(databases[case.runs], case, number, seconds) for number in CLIENTS]
        rates += outside(databases[case.runs], case, seconds)
        print(f"| {case.name:<32} | " + " | ".join(f"{rate:12.1f}" for rate in rates) + " |")


def inside(database: Path, case: Case, clients: int, seconds: float) -> float:
    """Measure in process, on an app of its own."""
    app = create_app(database)
    rate = asyncio.run(in_process(app, case, clients, seconds))
    app.state.store.close()
    return rate


def outside(database: Path, case: Case, seconds: float) -> list[float]:
    """Measure over a socket, on a process of its own."""
    command = [sys.executable, "-c", SERVE, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            return [over_socket(int(line), case, number, seconds) for number in CLIENTS]
        finally:
            server.terminate()


def measure_durability(folder: Path, seconds: float) -> None:
    """Print creates a second for each `synchronous` setting, in turns."""
    rates: dict[str, list[float]] = {}
    for turn in range(3):
        for level in ("OFF", "NORMAL", "FULL", "EXTRA"):
            database = folder / f"{level}{turn}.db"
            app = create_app(database, options=ServerOptions())
            event.listen(
                app.state.store.engine,
                "connect",
                lambda connection, _, level=level: connection.execute(
                    f"PRAGMA synchronous = {level}"
                ),
            )
            rate = asyncio.run(in_process(app, BENCHES[2], 1, seconds))
            rates.setdefault(level, []).append(rate)
            app.state.store.close()
    for level, found in rates.items():
        print(f"synchronous = {level:<7} {sorted(found)[1]:8.1f} creates a second")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--durability", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (measure_durability if given.durability else measure)(Path(name), given.seconds)


if __name__ == "__main__":
    main()
