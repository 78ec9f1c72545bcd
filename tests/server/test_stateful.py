"""Random histories: the server and a slow model agree on members, versions, statuses, counts."""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from server.slow_model import Case, count, read_catalog
from server.support import Api
from sqlalchemy import select

from runs_as_code.server import create_app, ensure_database
from runs_as_code.server.rules.cases import move_case
from runs_as_code.server.store.tables import tcase

IS_HEAVY = os.environ.get("SERVER_TESTS") == "heavy"

FOLDERS = (1, 2, 3)
TAGS = {"smoke": 1, "regression": 2, "payments": 3}
PRIORITIES = ("low", "medium", "high")
TYPES = ("static", "static_struct", "live")
STATUSES = ("passed", "failed", "blocked", "skipped", "open")

some = st.sampled_from
index = st.integers(0, 10_000)
tag_sets = st.sets(some(sorted(TAGS)), max_size=2)
plans = st.fixed_dictionaries(
    {"folderIds": st.lists(some(FOLDERS), min_size=1, max_size=2, unique=True)},
    optional={
        "tagIds": st.lists(some(sorted(TAGS.values())), min_size=1, max_size=2, unique=True),
        "priorities": st.lists(some(PRIORITIES), min_size=1, max_size=2, unique=True),
    },
)


@dataclass
class Run:
    id: int
    type: str
    plans: list[dict[str, Any]]
    fixed: dict[str, int]  # members of static types, with their version at creation
    status: dict[str, str] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)  # fixed by a status that is not open
    frozen: tuple[list[dict[str, Any]], dict[str, Any]] | None = None
    detail: tuple[str, dict[str, Any]] | None = None  # one case of a closed run, with its path


class Machine(RuleBasedStateMachine):
    """A server and what a slow model knows of it."""

    template: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history"))
        if Machine.template is None:
            Machine.template = Path(tempfile.mkdtemp(prefix="seed")) / "demo.db"
            ensure_database(Machine.template)
        database = Path(shutil.copy(Machine.template, self.folder / "server.db"))
        self.app = create_app(database)
        self.api = Api(self.app)
        self.catalog = read_catalog(self.api)
        self.runs: list[Run] = []

    def teardown(self) -> None:
        self.api.__exit__(None, None, None)
        self.app.state.store.close()
        shutil.rmtree(self.folder)

    def _case(self, number: int) -> Case:
        """Pick out of a dozen cases, so that edits meet cases that runs and results are about."""
        cases = sorted(self.catalog.cases.values(), key=lambda case: case.number)
        pool = [*cases[:4], *cases[20:24], *cases[59:][-4:]]
        return pool[number % len(pool)]

    def _run(self, number: int) -> Run:
        return self.runs[number % len(self.runs)]

    def _open_runs(self) -> list[Run]:
        return [run for run in self.runs if run.frozen is None]

    def _members(self, run: Run) -> set[str]:
        return self.catalog.members(run.plans) if run.type == "live" else set(run.fixed)

    def _version(self, run: Run, case_id: str) -> int:
        if run.type == "static":
            return run.fixed[case_id]
        return run.version.get(case_id, len(self.catalog.cases[case_id].versions))


class CaseRules(Machine):
    """What people do with test cases."""

    @rule(
        folder=some(FOLDERS),
        tags=tag_sets,
        priority=some(PRIORITIES),
        kind=some(("standalone", "template")),
        draft=st.booleans(),
    )
    def add_case(
        self, folder: int, tags: set[str], priority: str, kind: str, *, draft: bool
    ) -> None:
        title = f"Case {len(self.catalog.cases)}"
        made = self.api.make_case(
            title, folder, tags=sorted(tags), priority=priority, type=kind, isDraft=draft
        )
        shown = self.api.get(f"/project/BD/tcase/{made['id']}")
        version = {"title": title, "priority": priority, "tags": {TAGS[tag] for tag in tags}}
        case = Case(made["seq"], made["id"], folder, shown["pos"], [version])
        case.is_template, case.is_draft = kind == "template", draft
        self.catalog.cases[case.id] = case

    @rule(number=index, tags=st.none() | tag_sets, priority=st.none() | some(PRIORITIES))
    def edit_case(self, number: int, tags: set[str] | None, priority: str | None) -> None:
        self._edit(self._case(number), tags, priority)

    def _edit(self, case: Case, tags: set[str] | None, priority: str | None) -> None:
        title = f"Title {len(case.versions) + 1} of {case.number}"
        body: dict[str, Any] = {"title": title}
        version = case.newest | {"title": title}
        if tags is not None:
            body["tags"] = sorted(tags)
            version["tags"] = {TAGS[tag] for tag in tags}
        if priority is not None:
            body["priority"] = priority
            version["priority"] = priority
        self.api.patch(f"/project/BD/tcase/{case.id}", body)
        case.versions.append(version)

    @rule(number=index)
    def publish(self, number: int) -> None:
        case = self._case(number)
        self.api.patch(f"/project/BD/tcase/{case.id}", {"isDraft": False})
        case.is_draft = False
        case.versions.append(case.newest)

    @rule(number=index, folder=some(FOLDERS))
    def move(self, number: int, folder: int) -> None:
        case = self._case(number)
        with self.app.state.store.writing() as connection:
            row = connection.execute(select(tcase).where(tcase.c.id == case.id)).one()
            move_case(connection, row, folder)
        shown = self.api.get(f"/project/BD/tcase/{case.id}")
        case.folder, case.pos = folder, shown["pos"]


class History(CaseRules):
    """What people and `qarun` do with runs, and what must hold after each step."""

    @initialize(kind=some(TYPES), plan=plans)
    def first_run(self, kind: str, plan: dict[str, Any]) -> None:
        self.create(kind, [plan])

    @rule(kind=some(TYPES), chosen=st.lists(plans, min_size=1, max_size=2))
    def create(self, kind: str, chosen: list[dict[str, Any]]) -> None:
        if kind != "live":
            chosen = chosen[:1]
        run_id = self.api.make_run(f"Run {len(self.runs)}", kind, plans=chosen)
        self._add_run(run_id, kind, chosen, self.catalog.members(chosen))

    def _add_run(self, run_id: int, kind: str, chosen: list[Any], members: set[str]) -> None:
        cases = self.catalog.cases
        fixed = {} if kind == "live" else {name: len(cases[name].versions) for name in members}
        self.runs.append(Run(run_id, kind, chosen, fixed))

    @rule(number=index)
    def clone(self, number: int) -> None:
        source = self._run(number)
        body = {"runId": source.id, "title": f"Run {len(self.runs)}"}
        made = self.api.post("/project/BD/run/clone", body)["id"]
        self._add_run(made, source.type, source.plans, set(source.fixed))

    @rule(number=index, which=index, tags=st.none() | tag_sets)
    def edit_member(self, number: int, which: int, tags: set[str] | None) -> None:
        members = sorted(self._members(self._run(number)))
        if members:
            self._edit(self.catalog.cases[members[which % len(members)]], tags, None)

    @precondition(lambda self: self._open_runs())
    @rule(number=index, which=index, status=some(STATUSES))
    def record(self, number: int, which: int, status: str) -> None:
        run = self._open_runs()[number % len(self._open_runs())]
        members = sorted(self._members(run))
        if not members:
            return
        pool = {self._case(number).id for number in range(12)}
        members = [case for case in members if case in pool] or members
        case_id = members[which % len(members)]
        self.api.result(run.id, case_id, status)
        self._apply(run, case_id, status)

    @precondition(lambda self: self._open_runs())
    @rule(
        number=index,
        picks=st.lists(st.tuples(st.integers(0, 3), some(STATUSES)), min_size=1, max_size=5),
    )
    def record_batch(self, number: int, picks: list[tuple[int, str]]) -> None:
        run = self._open_runs()[number % len(self._open_runs())]
        members = sorted(self._members(run))
        if not members:
            return
        # Out of four cases, so that a batch has some of them twice.
        chosen = [(members[which % len(members)], status) for which, status in picks]
        items = [{"tcaseId": case_id, "status": status} for case_id, status in chosen]
        self.api.post(f"/project/BD/run/{run.id}/result/batch", {"items": items})
        for case_id, status in chosen:
            self._apply(run, case_id, status)

    def _apply(self, run: Run, case_id: str, status: str) -> None:
        version = self._version(run, case_id)
        run.status[case_id] = status
        if status == "open":
            run.version.pop(case_id, None)
        else:
            run.version[case_id] = version

    @precondition(lambda self: self._open_runs())
    @rule(number=index)
    def close(self, number: int) -> None:
        run = self._open_runs()[number % len(self._open_runs())]
        shown = self.api.get(f"/project/BD/run/{run.id}/tcase")["tcases"]
        if shown:
            case_id = shown[number % len(shown)]["id"]
            path = f"/project/BD/run/{run.id}/tcase/{case_id}"
            run.detail = path, self.api.get(path)
        self.api.close_run(run.id)
        run.frozen = shown, self.api.run(run.id)["statusCounts"]

    @rule(number=index)
    def recording_in_a_closed_run_is_refused(self, number: int) -> None:
        run = self._run(number)
        if run.frozen and run.frozen[0]:
            case_id = run.frozen[0][0]["id"]
            path = f"/project/BD/run/{run.id}/tcase/{case_id}/result"
            self.api.post(path, {"status": "passed"}, status=400)

    @invariant()
    def counts_agree(self) -> None:
        listed = {item["id"]: item for item in self.api.get("/project/BD/run")["runs"]}
        assert listed.keys() == {run.id for run in self.runs}
        for run in self.runs:
            shown = listed[run.id]["statusCounts"]
            if run.frozen is not None:
                assert shown == run.frozen[1]
            else:
                statuses = [run.status.get(case, "open") for case in self._members(run)]
                assert shown == count(statuses)

    @invariant()
    def members_agree(self) -> None:
        for run in self.runs[-4:]:
            shown = self.api.get(f"/project/BD/run/{run.id}/tcase")["tcases"]
            if run.frozen is not None:
                assert shown == run.frozen[0]
                assert run.detail is None or self.api.get(run.detail[0]) == run.detail[1]
                continue
            expected = {}
            for case_id in self._members(run):
                case = self.catalog.cases[case_id]
                version = self._version(run, case_id)
                content = case.versions[version - 1]
                expected[case_id] = (
                    version,
                    content["title"],
                    content["priority"],
                    run.status.get(case_id, "open"),
                    case.folder,
                    case.pos,
                )
            names = ("version", "title", "priority", "status", "folderId", "pos")
            found = {item["id"]: tuple(item[name] for name in names) for item in shown}
            assert found == expected


TestHistory = pytest.mark.timeout(3600 if IS_HEAVY else 120)(History.TestCase)
TestHistory.settings = settings(
    max_examples=200 if IS_HEAVY else 20,
    stateful_step_count=60 if IS_HEAVY else 20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # explaining takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
