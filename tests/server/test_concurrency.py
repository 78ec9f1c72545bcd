"""Eight clients write at once; afterwards everything acknowledged is there and every rule holds."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from server.slow_model import count, fixed_version, read_catalog, status_of, time_spent
from server.support import Api

from runs_as_code.server import create_app

IS_HEAVY = os.environ.get("SERVER_TESTS") == "heavy"
CLIENTS = 8
WRITES = 1000 if IS_HEAVY else 250  # by each client
TAGS = ("smoke", "regression", "payments")


@dataclass
class Log:
    """What one client was told."""

    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    members: dict[int, set[str]] = field(default_factory=dict)
    results: list[tuple[int, int, str]] = field(default_factory=list)  # run, result, test case
    cases: list[str] = field(default_factory=list)
    closed: dict[int, Any] = field(default_factory=dict)
    conflicts: int = 0


class Client:
    """Writes at random, mostly in runs that the others write in too."""

    def __init__(self, app: Any, name: int) -> None:
        self.app = app
        self.name = name
        self.random = random.Random(name)  # noqa: S311 - repeatable
        self.log = Log()
        self.seen: dict[int, list[str]] = {}

    def work(self) -> Log:
        with Api(self.app) as api:
            for number in range(WRITES):
                step = self.random.choices(
                    [self.create, self.record, self.edit, self.add, self.close], [2, 16, 4, 1, 1]
                )[0]
                step(api, number)
        return self.log

    def create(self, api: Api, number: int) -> None:
        kind = self.random.choice(["static", "static_struct", "live"])
        plan = {"folderIds": [self.random.choice([1, 2, 3])]}
        if self.random.random() < 0.5:
            plan["tagIds"] = [self.random.choice([1, 2, 3])]
        # Every third title is one that the other clients try as well.
        title = f"shared {number}" if number % 3 == 0 else f"{self.name} {number}"
        body = {"title": title, "type": kind, "queryPlans": [plan]}
        response = api.send("POST", "/project/BD/run", json=body)
        if response.status_code == 403:
            assert "conflicting run id: " in response.text
            self.log.conflicts += 1
            return
        assert response.status_code == 201, response.text
        run = response.json()["id"]
        self.log.runs[run] = body
        self.log.members[run] = set(api.members(run))

    def record(self, api: Api, number: int) -> None:
        runs = api.get("/project/BD/run?closed=false&limit=6")["runs"]
        if not runs:
            return
        run = self.random.choice(runs)["id"]
        if run not in self.seen:  # what leaves a live run later is refused
            self.seen[run] = sorted(api.members(run))
        if not self.seen[run]:
            return
        case = self.random.choice(self.seen[run])
        status = self.random.choice(["passed", "failed", "blocked", "open"])
        path = f"/project/BD/run/{run}/tcase/{case}/result"
        response = api.send("POST", path, json={"status": status, "timeTaken": number})
        if response.status_code == 201:
            self.log.results.append((run, response.json()["id"], case))
        else:  # closed, or out of the live run, in between
            assert response.status_code in {400, 404}, response.text

    def edit(self, api: Api, number: int) -> None:
        body = {
            "title": f"by {self.name} {number}",
            "tags": self.random.sample(TAGS, self.random.randint(0, 2)),
        }
        api.patch(f"/project/BD/tcase/{self.random.randint(1, 32)}", body)

    def add(self, api: Api, number: int) -> None:
        made = api.make_case(f"new {self.name} {number}", self.random.choice([1, 2, 3]))
        self.log.cases.append(made["id"])

    def close(self, api: Api, _number: int) -> None:
        own = [run for run in self.log.runs if run not in self.log.closed]
        if own:
            run = self.random.choice(own)
            api.close_run(run)
            self.log.closed[run] = (api.members(run), api.run(run))


@pytest.mark.timeout(900 if IS_HEAVY else 300)
def test_many_clients_at_once_break_no_rule(database: Path):
    app = create_app(database)
    with ThreadPoolExecutor(CLIENTS) as pool:
        logs = list(pool.map(lambda name: Client(app, name).work(), range(CLIENTS)))
    with Api(app) as api:
        check(api, logs)
    app.state.store.close()


def check(api: Api, logs: list[Log]) -> None:
    catalog = read_catalog(api)
    listed = {run["id"]: run for run in api.get("/project/BD/run")["runs"]}
    made: dict[int, Any] = {}
    members: dict[int, set[str]] = {}
    closed: dict[int, Any] = {}
    recorded: dict[int, dict[int, str]] = {}
    for log in logs:
        made |= log.runs
        members |= log.members
        closed |= log.closed
        for run, result, case in log.results:
            recorded.setdefault(run, {})[result] = case
        assert set(log.cases) <= catalog.cases.keys()

    # Nothing acknowledged is lost, nothing appeared by itself, no title stands twice.
    assert listed.keys() == made.keys()
    assert len({run["title"] for run in listed.values()}) == len(listed)
    assert sum(log.conflicts for log in logs) > 0
    assert {run["id"] for run in listed.values() if run["closedAt"]} == closed.keys()
    seqs = sorted(case.number for case in catalog.cases.values())
    assert seqs == list(range(1, len(seqs) + 1))

    for run, body in made.items():
        found = api.members(run)
        if run in closed:
            assert (found, listed[run]) == closed[run]
        elif body["type"] == "live":
            assert found.keys() == catalog.members(body["queryPlans"])
        else:
            assert found.keys() == members[run]
        check_run(api, (run, body["type"]), found, (listed[run], recorded.get(run, {})))


def check_run(
    api: Api,
    run: tuple[int, str],
    found: dict[str, dict[str, Any]],
    known: tuple[dict[str, Any], dict[int, str]],
) -> None:
    """Check each member against its own results."""
    shown, recorded = known
    everything: list[dict[str, Any]] = []
    for case_id, member in found.items():
        if member["status"] == "open" and case_id not in recorded.values():
            continue
        case = api.get(f"/project/BD/run/{run[0]}/tcase/{case_id}")
        results = case["results"]
        everything += results
        assert member["status"] == status_of(results)
        fixed = fixed_version(results)
        if run[1] != "static" and fixed is not None:
            assert member["version"] == fixed
        if run[1] == "static":
            assert {item["tcaseVersion"] for item in results} <= {member["version"]}
    assert shown["statusCounts"] == count([member["status"] for member in found.values()])
    ids = {item["id"] for item in everything}
    if run[1] == "live":
        return  # results of cases that have left are not shown
    assert ids == recorded.keys()
    assert shown["timeSpent"] == time_spent(everything)
