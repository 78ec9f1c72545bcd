"""Makes what the benches work on: manifests, and the live runs that agree with them.

The same count gives the same bytes. The live side is what applying the manifest would lead to.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from runs_as_code.manifest.read import read_manifests
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.desired import Manifest
from runs_as_code.model.live import Catalog, Entry, Listing, NamesNeeded
from runs_as_code.model.plan import Approvals
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner
from runs_as_code.provider.wire import parse_listing

PROJECT = "BD"
PROJECT_ID = "1CEPaUhgH_Tvt2LZygwVRQa"
SERVER = "https://example.eu1.qasphere.com"
FILE_LIMIT = 50_000
"""Runs in one file; more go into several, because a file may have 32 MiB."""

MILESTONES = tuple(f"Sprint {number}" for number in range(20, 30))
USERS = tuple(f"tester{number}@example.com" for number in range(1, 21))
FOLDERS = tuple(
    f"{area}/{part}"
    for area in ("Checkout", "Cart", "Search", "Account", "Delivery", "Payments")
    for part in ("Web", "Mobile", "API", "Admin")
)
TAGS = ("smoke", "slow", "payment", "legal", "release", "accessibility")
PRIORITIES = ("low", "medium", "high")
CASES = tuple(f"{PROJECT}-{number:03d}" for number in range(1, 501))
TYPES = ("live", "live", "static")


def catalog() -> Catalog:
    """Return the names of the project."""
    return Catalog(
        milestones=_entries(MILESTONES),
        folders=_entries(FOLDERS),
        tags=_entries(TAGS),
        users=_entries(USERS),
        tcases={marker: f"case-{number}" for number, marker in enumerate(CASES, 1)},
    )


def write_manifests(folder: Path, count: int) -> list[Path]:
    """Write `count` runs into as few files as may be, and return the files."""
    files = []
    for number, start in enumerate(range(0, count, FILE_LIMIT)):
        file = folder / f"runs-{count}-{number}.yaml"
        lines = _head()
        for index in range(start, min(start + FILE_LIMIT, count)):
            lines += _run(index)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files.append(file)
    return files


def agreeing_reply(files: Iterable[Path]) -> bytes:
    """Return the reply to the run list of a project in which nothing is left to do."""
    manifests = read_manifests(list(files))
    if manifests.diagnostics:
        raise ValueError(manifests.diagnostics[0])
    given = ProjectInput(SERVER, PROJECT, manifests.manifests, Listing(()))
    (plan,) = ProjectPlanner(given, Approvals()).plan(catalog())
    rows = [_row(make, 1000 + index) for index, make in enumerate(plan.makes)]
    reply = {"runs": rows[::-1], "open": len(rows), "closed": 0}
    return json.dumps(reply, separators=(",", ":")).encode()


class StoredReply:
    """A live side that is one stored reply: what planning costs without a server."""

    server = SERVER
    project = PROJECT
    rate = 0
    calls = 0

    def __init__(self, reply: bytes) -> None:
        self._reply = reply

    async def list_runs(self, *, closed: bool | None = None) -> Listing:
        """Decode the reply as the client does."""
        return parse_listing("GET /run", self._reply, is_filtered=closed is not None)

    async def load_catalog(self, _needed: NamesNeeded, _listing: Listing) -> Catalog:
        """Return all names."""
        return catalog()

    def run_url(self, run_id: int) -> str:
        """Return the address of a run's page."""
        return f"{SERVER}/project/{PROJECT}/run/{run_id}"

    def __getattr__(self, name: str) -> Any:
        message = f"a plan must not call `{name}`"
        raise AssertionError(message)


def server_of(_manifest: Manifest) -> str:
    """Return the server of every manifest."""
    return SERVER


def _entries(names: Iterable[str]) -> tuple[Entry, ...]:
    return tuple(Entry(number, name) for number, name in enumerate(names, 1))


def _head() -> list[str]:
    return [
        "apiVersion: qarun/v1",
        f"project: {PROJECT}",
        "owner: bench-team",
        f"server: {SERVER}",
        "prune: close",
        "defaults:",
        f"  milestone: {MILESTONES[0]}",
        "runs:",
    ]


def _run(index: int) -> list[str]:
    run_type = TYPES[index % len(TYPES)]
    lines = [
        f"  suite-{index:06d}:",
        f"    title: {_pick(MILESTONES, index)} regression, suite {index}",
        f"    description: Everything in suite {index} that the release of the week touches.",
        f"    type: {run_type}",
        f"    milestone: {_pick(MILESTONES, index)}",
        f"    assignee: {_pick(USERS, index)}",
        "    queryPlans:",
    ]
    if run_type == "live":
        return [
            *lines,
            f"      - folders: [{_pick(FOLDERS, index)}, {_pick(FOLDERS, index + 7)}]",
            f"        tags: [{_pick(TAGS, index)}]",
            f"        priorities: [{_pick(PRIORITIES, index)}]",
        ]
    return [*lines, "      - tcases:", *(f"          - {case}" for case in _cases(index))]


def _cases(index: int) -> Iterator[str]:
    return (_pick(CASES, index + 37 * step) for step in range(4))


def _pick(values: tuple[str, ...], index: int) -> str:
    return values[index % len(values)]


def _row(make: MakeRun, run_id: int) -> dict[str, Any]:
    """Return a run as the list shows it [SEED]."""
    milestone, assignee = make.milestone_id or 0, make.assignee_id or 0
    passed = run_id % 7
    return {
        "id": run_id,
        "type": make.type,
        "projectId": PROJECT_ID,
        "project": {"id": PROJECT_ID, "code": PROJECT, "title": "Bistro Delivery"},
        "milestoneId": milestone,
        "milestone": {"id": milestone, "title": MILESTONES[milestone - 1], "archivedAt": None},
        "assignmentId": assignee,
        "assignment": {
            "id": assignee,
            "email": USERS[assignee - 1],
            "name": f"Tester {assignee}",
            "avatar": "",
            "role": "user",
        },
        "title": make.title,
        "description": make.description,
        "statusCounts": {
            "all": 12,
            "blocked": 0,
            "failed": 1,
            "open": 11 - passed,
            "passed": passed,
            "skipped": 0,
        },
        "timeSpent": None,
        "createdAt": "2026-01-12T09:30:00.000Z",
        "closedAt": None,
        "closedByUserId": None,
    }
