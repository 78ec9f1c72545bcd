"""`kill -9` in the middle of writing: what was acknowledged is there, and the database is sound."""

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from server.support import BASE, Api

from runs_as_code.server import create_app, create_key, ensure_database

IS_HEAVY = os.environ.get("SERVER_TESTS") == "heavy"
ROUNDS = 25 if IS_HEAVY else 2
WRITERS = 4
SERVE = """
import sys
from runs_as_code.server import ServerOptions, listen, serve
sock = listen(port=0)
print(sock.getsockname()[1], flush=True)
serve(sys.argv[1], options=ServerOptions(require_key=True), sock=sock)
"""


class Writer(threading.Thread):
    """Creates runs, records results and closes, and notes what was acknowledged."""

    def __init__(self, base: str, key: str, name: str) -> None:
        super().__init__()
        self.base = base
        self.key = key
        self.prefix = name
        self.titles: list[str] = []
        self.results: list[tuple[int, int]] = []
        self.closed: list[int] = []

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.base, headers=headers, trust_env=False) as client:
            try:
                for number in range(100_000):
                    self.write(client, number)
            except httpx.TransportError:
                return  # the server is gone

    def write(self, client: httpx.Client, number: int) -> None:
        title = f"{self.prefix} {number}"
        body = {"title": title, "type": "static", "queryPlans": [{"folderIds": [2]}]}
        run = client.post("/project/BD/run", json=body).json()["id"]
        self.titles.append(title)
        path = f"/project/BD/run/{run}/tcase/21/result"
        made = client.post(path, json={"status": "passed"}).json()["id"]
        self.results.append((run, made))
        if number % 3 == 0:
            client.post(f"/project/BD/run/{run}/close")
            self.closed.append(run)


def kill_during_writes(database: Path, name: str, wait: float) -> list[Writer]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(database)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}{BASE}"
        key = create_key(database, "owner@example.com")
        writers = [Writer(base, key, f"{name}-{number}") for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + 30
        while not all(writer.closed for writer in writers) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(wait)
        server.kill()
        server.wait()
    for writer in writers:
        writer.join()
    return writers


def check(database: Path, writers: list[Writer]) -> None:
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    app = create_app(database)
    with Api(app) as api:
        listed: dict[int, dict[str, Any]] = {
            run["id"]: run for run in api.get("/project/BD/run")["runs"]
        }
        titles = {run["title"] for run in listed.values()}
        for writer in writers:
            assert set(writer.titles) <= titles
            assert all(listed[run]["closedAt"] for run in writer.closed)
            for run, made in writer.results:
                assert listed[run]["statusCounts"]["passed"] == 1
                assert made
        pairs = [pair for writer in writers for pair in writer.results]
        chance = random.Random(0)  # noqa: S311 - repeatable
        checked = chance.sample(pairs, min(20, len(pairs)))
        for run, made in checked:
            case = api.get(f"/project/BD/run/{run}/tcase/21")
            assert made in [item["id"] for item in case["results"]]
        # A write that was not acknowledged is there as a whole or not at all.
        assert all(run["statusCounts"]["all"] == 12 for run in listed.values())
    app.state.store.close()


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_a_killed_server_has_kept_every_acknowledged_write(tmp_path: Path):
    database = tmp_path / "server.db"
    ensure_database(database)
    chance = random.Random(1)  # noqa: S311 - repeatable
    writers: list[Writer] = []
    for number in range(ROUNDS):
        writers += kill_during_writes(database, str(number), 0.3 + chance.random() / 2)
        check(database, writers)
    assert sum(len(writer.results) for writer in writers) > 20
