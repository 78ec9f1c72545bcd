"""An hour of two reconcile loops on virtual time: faults, restarts, people, Git, a freeze window.

It must end converged, each run made once, nothing written in the window, with metrics that say so.
"""

import asyncio
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from torture.faults import dice
from torture.virtual import VirtualRunner, real_work

from runs_as_code.engine.context import Clock
from runs_as_code.engine.reconcile.loop import Pace, ReconcileLoop
from runs_as_code.engine.reconcile.metrics import Metrics
from runs_as_code.engine.reconcile.notifying import Audiences, Notifier
from runs_as_code.engine.reconcile.rounds import Reconciler
from runs_as_code.engine.reconcile.settings import ReconcileSettings
from runs_as_code.errors import ExitCode
from runs_as_code.manifest import read_manifests
from runs_as_code.model.reconciling import LogEvent, Scope, Transition
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.timing import Timing
from runs_as_code.server import Fault, ServerOptions, create_app

BASE = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
ADDRESS = "http://127.0.0.1:9"
MINUTE = 60.0
FROZEN = (30 * MINUTE, 40 * MINUTE)
FAULTS = (
    Fault("lost-after", "POST /project/*/run", probability=0.25),
    Fault("status-after", "POST /project/*/run/*/close", probability=0.25, status=502),
    Fault("lost-before", "POST *", probability=0.15),
    Fault("reset", "GET *", probability=0.1),
    Fault("status", "GET *", probability=0.15, status=503),
    Fault("status", "*", probability=0.1, status=429, retry_after=3),
    Fault("stale-list", "GET /project/*/run", probability=0.1),
)
MARKER = re.compile(r"\[qarun:1 web-team (\S+) r(\d+) ")


def manifest(folders: dict[str, int]) -> dict[str, Any]:
    """The hour's manifest: a run of each key on a folder."""
    window = {
        "from": datetime.fromtimestamp(BASE + FROZEN[0], UTC).isoformat(),
        "to": datetime.fromtimestamp(BASE + FROZEN[1], UTC).isoformat(),
    }
    return {
        "apiVersion": "qarun/v1",
        "project": "BD",
        "owner": "web-team",
        "server": ADDRESS,
        "prune": "close",
        "limits": {"percent": 100},
        "freeze": [window],
        "defaults": {"onClosed": "recreate", "milestone": None, "assignee": None},
        "runs": {
            key: {
                "title": f"Weekly run of {key}",
                "type": "live",
                "queryPlans": [{"folders": [folder]}],
            }
            for key, folder in folders.items()
        },
    }


@dataclass
class World:
    """A server that misbehaves, a file, and everything that was written when."""

    folder: Path
    app: Any
    database: Path
    writes: list[tuple[float, str]] = field(default_factory=list)
    said: list[LogEvent] = field(default_factory=list)
    told: list[tuple[str, Transition]] = field(default_factory=list)
    lives: Counter[str] = field(default_factory=Counter)
    metrics: dict[str, Metrics] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "qarun.yaml"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST" and "/tcase" not in scope["path"]:
            self.writes.append((_now(), scope["path"]))
        with real_work():
            await self.app(scope, receive, send)

    def push(self, folders: dict[str, int]) -> None:
        """Merge a change of the file."""
        self.file.write_text(json.dumps(manifest(folders)), "utf-8")

    def runs(self) -> list[tuple[str, int, bool]]:
        """Key, revision and openness of every run of ours."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT description, closed_at IS NULL FROM run").fetchall()
        found = [(MARKER.search(description or ""), bool(is_open)) for description, is_open in rows]
        return [(match[1], int(match[2]), is_open) for match, is_open in found if match]

    def close_by_hand(self, key: str) -> None:
        """Close the open run of a key as a person does."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(
                "UPDATE run SET closed_at = created_at"
                " WHERE closed_at IS NULL AND description LIKE ?",
                (f"%[qarun:1 web-team {key} r%",),
            )


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Servers:
    """One client for a round, with a way to know how long it was throttled."""

    def __init__(self, world: World, metrics: Metrics, name: str) -> None:
        loop = asyncio.get_running_loop()
        self.client = QaSphereClient(
            ADDRESS,
            name,
            transport=httpx.ASGITransport(app=world),
            rate=0,
            timing=Timing(clock=loop.time, now=loop.time, random=dice(name).random),
        )
        self.client.tell(metrics.heard)

    @property
    def throttled_seconds(self) -> float:
        return self.client.throttled_seconds

    def server_of(self, _manifest: Any) -> str:
        return ADDRESS

    def open(self, _server: str, project: str) -> Any:
        return self.client.project(project)


def build(world: World, name: str) -> tuple[ReconcileLoop, Notifier]:
    """Start an instance anew, as a restarted pod does: it remembers nothing."""
    world.lives[name] += 1
    life = f"{name}{world.lives[name]}"
    metrics = world.metrics[name] = Metrics("test")
    loop = asyncio.get_running_loop()

    @asynccontextmanager
    async def connect(_manifests: Any) -> AsyncIterator[_Servers]:
        servers = _Servers(world, metrics, f"hour.{name}.{life}")
        try:
            yield servers
        finally:
            await servers.client.aclose()

    async def send(_body: str) -> str:
        await asyncio.sleep(2)
        return ""

    def shape(transition: Transition) -> str:
        world.told.append((life, transition))
        return ""

    pace = Pace(5 * MINUTE, 0.1, dice(life).random)
    notifier = Notifier(shape, send, world.said.append)
    settings = ReconcileSettings(
        load=lambda: read_manifests([world.file]),
        connect=connect,
        log=world.said.append,
        now=lambda: BASE + loop.time(),
        audience=Audiences([metrics, notifier]),
        clock=Clock(now=loop.time),
        longest_rest=pace.longest_rest,
    )
    return ReconcileLoop(Reconciler(settings), pace, world.said.append, lambda: None), notifier


async def pod(world: World, name: str, deaths: list[float], end: float) -> None:
    """Run an instance that is killed at some moments, and stopped in peace at the end."""
    for moment in deaths:
        loop, _ = build(world, name)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.run(), moment - _now())
    loop, notifier = build(world, name)
    task = asyncio.ensure_future(loop.run())
    await asyncio.sleep(end - _now())
    loop.stop(ExitCode.SIGTERM)
    await task
    await notifier.finish(10)


async def people_and_git(world: World) -> None:
    """What happens around the loops."""
    folders = {"login": 1, "cart": 1, "menu": 1, "search": 1, "pay": 1, "ship": 1}
    await asyncio.sleep(11 * MINUTE - _now())
    world.push(folders := {**folders, "login": 2, "cart": 2, "gift": 2})
    await asyncio.sleep(21 * MINUTE - _now())
    world.close_by_hand("menu")
    await asyncio.sleep(26 * MINUTE - _now())
    world.file.write_text("runs: {", "utf-8")  # somebody merges nonsense
    await asyncio.sleep(29 * MINUTE - _now())
    world.push(folders)
    await asyncio.sleep(33 * MINUTE - _now())
    world.push({key: folder for key, folder in folders.items() if key != "ship"} | {"late": 6})
    await asyncio.sleep(45 * MINUTE - _now())
    world.app.state.faults.clear()


async def hour(world: World, seed: int) -> None:
    chance = dice(str(seed))
    deaths = [sorted(chance.uniform(1, 44) * MINUTE for _ in range(3)) for _ in "ab"]
    end = 60 * MINUTE
    await asyncio.gather(
        pod(world, "a", deaths[0], end), pod(world, "b", deaths[1], end), people_and_git(world)
    )


@pytest.fixture
def world(demo_database: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    database = Path(shutil.copy(demo_database, tmp_path / "server.db"))
    app = create_app(database, options=ServerOptions(faults=FAULTS, fault_seed=request.param))
    world = World(tmp_path, app, database)
    world.push({"login": 1, "cart": 1, "menu": 1, "search": 1, "pay": 1, "ship": 1})
    yield world
    app.state.store.close()


@pytest.mark.parametrize("world", [3, 8], indirect=True)
def test_an_hour_ends_converged(world: World, request: pytest.FixtureRequest):
    runner = VirtualRunner()
    try:
        runner.run(hour(world, request.node.callspec.params["world"]))
    finally:
        runner.close()

    runs = world.runs()
    made = Counter((key, revision) for key, revision, _ in runs)
    assert set(made.values()) == {1}, made
    opened = Counter(key for key, _, is_open in runs if is_open)
    expected = {"login", "cart", "gift", "menu", "search", "pay", "late"}
    assert opened == dict.fromkeys(expected, 1)
    revisions = {key: revision for key, revision, is_open in runs if is_open}
    assert revisions == {**dict.fromkeys(expected, 1), "login": 2, "cart": 2, "menu": 2}

    needed = 14  # writes in an hour without faults
    assert len(world.writes) > needed
    assert [e for e in world.said if e.event == "project.failed"]
    in_window = [at for at, _ in world.writes if FROZEN[0] < at < FROZEN[1]]
    assert in_window == []
    assert any(at > FROZEN[1] for at, _ in world.writes)
    assert not [e for e in world.said if "internal error" in e.message]
    assert world.lives == {"a": 4, "b": 4}

    for metrics in world.metrics.values():
        check_metrics(metrics)
    for life in {name for name, _ in world.told}:
        happenings = [t.happening for name, t in world.told if name == life]
        assert all(one != other for one, other in pairwise(happenings))


def check_metrics(metrics: Metrics) -> None:
    """Hold what an instance says at the end against what is so."""
    scope = {"server": ADDRESS, "project": "BD", "owner": "web-team"}
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render())
        for sample in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    assert value("qarun_converged", **scope) == 1
    assert value("qarun_consecutive_failures", **scope) == 0
    assert value("qarun_last_success_timestamp_seconds", **scope) > BASE + 54 * MINUTE
    place = {"server": ADDRESS, "project": "BD"}
    states = {s: value("qarun_runs", **place, state=s) for s in ("managed", "orphan", "foreign")}
    assert states == {"managed": 7, "orphan": 0, "foreign": 0}
    assert value("qarun_noop_total", **scope) >= 2
    assert not [name for name, _ in samples if name == "qarun_blocked_actions"]
    drift = [number for (name, _), number in samples.items() if name == "qarun_drift_runs"]
    assert drift == []
    requests = [n for (name, _), n in samples.items() if name == "qarun_api_requests_total"]
    assert sum(requests) > 2
    assert Scope(**scope) in metrics._standings
