"""The ground a case is fought on: an embedded server behind a wire, its truth, its people."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torture.ledger import Brief, Ledger, limit_objections
from torture.problems import Problem, Wrong
from torture.readings import Seen, read_marker
from torture.wire import Wire, call_app

from runs_as_code.server import ServerOptions, create_app, ensure_database

PROJECT = "BD"


class PeopleError(Exception):
    """The server did not let a person do that."""


@dataclass(frozen=True)
class Truth:
    """What the database holds of one run."""

    seen: Seen
    description: str
    milestone: int | None
    type: str
    results: int


class Ground:
    """One server on one database; `ledger` has judged every call when a case is over."""

    def __init__(self, folder: Path, options: ServerOptions, seed: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.options = options
        self.database = folder / "ground.db"
        if seed is None:
            ensure_database(self.database)
        else:
            shutil.copy(seed, self.database)
        self.app = create_app(self.database, options=options)
        self.ledger = Ledger(options.title_scope, self.see)
        self.wire = Wire(self.app, self.ledger)
        self.people = People(self)
        self.applies = 0
        self._files = 0

    def close(self) -> None:
        """Let go of the database."""
        self.app.state.store.close()

    def name(self) -> str:
        """Return a name for the next apply, which is also its key."""
        self.applies += 1
        return f"torture.apply.{self.applies:04}"

    def write(self, manifests: Iterable[Mapping[str, Any]], server: str) -> list[Path]:
        """Write manifests into a folder of their own; JSON is YAML."""
        self._files += 1
        folder = self.folder / f"manifests-{self._files}"
        folder.mkdir()
        paths = []
        for number, manifest in enumerate(manifests, start=1):
            path = folder / f"{number}.yaml"
            path.write_text(json.dumps({**manifest, "server": server}), "utf-8")
            paths.append(path)
        return paths

    def truth(self) -> dict[int, Truth]:
        """Return every run of the project by id, straight from the database."""
        query = """
            SELECT r.id, r.title, r.description, r.milestone_id, r.type, r.closed_at, r.time_spent,
                   (SELECT count(*) FROM result WHERE result.run_id = r.id)
            FROM run r JOIN project p ON p.id = r.project_id WHERE p.code = ? ORDER BY r.id
        """
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(query, (PROJECT,)).fetchall()
        return {
            run_id: Truth(
                Seen(
                    id=run_id,
                    title=title,
                    is_open=closed_at is None,
                    recorded=results,
                    has_time=bool(time_spent),
                    **read_marker(description),
                ),
                description,
                milestone,
                kind,
                results,
            )
            for run_id, title, description, milestone, kind, closed_at, time_spent, results in rows
        }

    def see(self, run_id: int) -> Seen | None:
        """Return the truth about one run."""
        run = self.truth().get(run_id)
        return run.seen if run else None

    def open_runs(self, owner: str) -> dict[str, list[int]]:
        """Return the open runs of an owner by key, copies left out."""
        found: dict[str, list[int]] = {}
        markers: set[str] = set()
        for run_id, run in self.truth().items():
            seen = run.seen
            is_copy = seen.marker in markers
            markers.add(seen.marker)
            if seen.owner == owner and seen.is_open and not is_copy:
                found.setdefault(seen.key, []).append(run_id)
        return found

    def objections(self) -> list[Problem]:
        """Return everything that went wrong so far."""
        found = list(self.ledger.violations)
        for who, brief in self.ledger.briefs.items():
            found += limit_objections(who, brief)
        lost = self.people.recorded - sum(run.results for run in self.truth().values())
        if lost:
            found.append(Problem(Wrong.RESULT, f"{lost} results are gone"))
        return found


class People:
    """Everybody who works in the web page; what they record is counted."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.recorded = sum(run.results for run in ground.truth().values())

    async def create(self, title: str, description: str = "", folder: int = 6) -> int:
        """Make a run."""
        body = {"type": "live", "queryPlans": [{"folderIds": [folder]}]}
        made = await self._post("/run", {"title": title, "description": description, **body})
        return int(made["id"])

    async def clone(self, run_id: int, title: str) -> int:
        """Clone a run as the web page does: with its description, marker and all."""
        source = self._ground.truth().get(run_id)
        description = source.description if source else ""
        body = {"runId": run_id, "title": title, "description": description}
        return int((await self._post("/run/clone", body))["id"])

    async def close(self, run_id: int) -> None:
        """Close a run."""
        await self._post(f"/run/{run_id}/close", None)

    async def record(self, run_id: int, count: int = 1, status: str = "passed") -> int:
        """Record results for so many open cases of a run, and return for how many."""
        cases = (await self._get(f"/run/{run_id}/tcase"))["tcases"]
        waiting = [case["id"] for case in cases if case["status"] == "open"][:count]
        if waiting:
            items = [{"tcaseId": case, "status": status, "comment": ""} for case in waiting]
            await self._post(f"/run/{run_id}/result/batch", {"items": items})
        self.recorded += len(waiting)
        return len(waiting)

    async def retest(self, run_id: int, status: str) -> None:
        """Give a case that passed another status; `open` begins with it anew."""
        cases = (await self._get(f"/run/{run_id}/tcase"))["tcases"]
        case = next(case["id"] for case in cases if case["status"] == "passed")
        items = [{"tcaseId": case, "status": status, "comment": ""}]
        await self._post(f"/run/{run_id}/result/batch", {"items": items})
        self.recorded += 1

    def edit(self, run_id: int, **values: Any) -> None:
        """Change columns of a run, as its form does; the API has no such call."""
        columns = ", ".join(f"{name} = ?" for name in values)
        with closing(sqlite3.connect(self._ground.database, timeout=30)) as connection, connection:
            query = f"UPDATE run SET {columns} WHERE id = ?"  # noqa: S608 -- names of this file
            connection.execute(query, (*values.values(), run_id))

    async def _get(self, path: str) -> Any:
        answer = await call_app(self._ground.app, "GET", f"/project/{PROJECT}{path}")
        if not answer.is_success:
            raise PeopleError(answer.body.decode())
        return answer.json

    async def _post(self, path: str, body: Any) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        answer = await call_app(self._ground.app, "POST", f"/project/{PROJECT}{path}", data)
        if not answer.is_success:
            raise PeopleError(answer.body.decode())
        return answer.json


def brief_for(
    manifests: Sequence[Mapping[str, Any]],
    approvals: Mapping[str, Any],
    *,
    may_race: bool = False,
    queue: float = 0.0,
) -> Brief:
    """Build what the ledger must know of an apply."""
    return Brief(
        manifests=tuple(manifests),
        approved=frozenset(approvals.get("keys", ())),
        approved_closes=approvals.get("closes"),
        targets=tuple(approvals.get("targets", ())),
        may_race=may_race,
        queue=queue,
    )
