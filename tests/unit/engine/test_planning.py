"""Reading both sides: each project once, and nothing pruned that may be somebody's."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.engine.support import MOMENT, FakeProvider, live, run

from runs_as_code.engine.planning import Planned, make_plan
from runs_as_code.errors import RefusedError
from runs_as_code.manifest import read_manifests
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.live import Catalog, Listing, LiveRun, NamesNeeded
from runs_as_code.model.marker import Marker
from runs_as_code.model.plan import Approvals, ProjectPlan
from runs_as_code.planning.digest import text_digest

ID = "1CEPaUhgH_Tvt2LZygwVRQa"


class Live(FakeProvider):
    """A project that knows its id, counts its runs, and notes which names it is asked for."""

    def __init__(
        self, project: str, runs: Iterable[LiveRun], *, counted: int | None = None
    ) -> None:
        super().__init__(*runs)
        self.project = project
        self.needed: list[NamesNeeded] = []
        self._counted = counted

    async def list_runs(self, *, closed: bool | None = None) -> Listing:
        listing = await super().list_runs(closed=closed)
        known = ID if listing.runs and self.project in {"BD", ID} else None
        return replace(listing, project_id=known, open_counter=self._counted)

    async def load_catalog(self, needed: NamesNeeded, listing: Listing) -> Catalog:
        self.log.append("names")
        self.needed.append(needed)
        return Catalog()


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, *keys: str, project: str = "BD", more: str = "") -> Path:
        runs = "".join(
            f"  {key}: {{title: {key} r1, type: live, queryPlans: [{{folders: [1]}}]}}\n"
            for key in keys
        )
        path = tmp_path / name
        path.write_text(
            "apiVersion: qarun/v1\nowner: team\nserver: embedded\nprune: close\n"
            f"project: {project}\n{more}runs:\n{runs or '  {}'}\n"
        )
        return path

    return write


def plan(manifests: ManifestSet, *providers: Live) -> Planned:
    by_project = {provider.project: provider for provider in providers}
    job = make_plan(
        manifests, lambda _: "fake", lambda _, project: by_project[project], Approvals(), MOMENT
    )
    planned = run(job)
    assert isinstance(planned, Planned)
    return planned


def only(planned: Planned) -> ProjectPlan:
    (project,) = planned.plan.projects
    return project


def made(run_id: int, key: str, **changes: Any) -> LiveRun:
    """Return a run as the manifests of this module would have made it."""
    title = text_digest(f"{key} r1")
    description = str(Marker("team", key, 1, "-", "-", title, title))
    return live(run_id, key, description=description, **changes)


def closing(project: ProjectPlan) -> list[int]:
    return [close.run_id for close in project.closes]


def test_a_project_is_listed_once_for_all_its_manifests(write: Write) -> None:
    provider = Live("BD", [])
    planned = plan(read_manifests([write("a.yaml", "a"), write("b.yaml", "b")]), provider)

    assert provider.log == ["list None", "names"]
    assert [change.key for change in only(planned).changes] == ["a", "b"]
    assert planned.plan.created_at == MOMENT
    assert len(planned.plan.files) == 2


def test_projects_are_planned_side_by_side(write: Write) -> None:
    files = [write("a.yaml", "a"), write("b.yaml", "b", project="QA")]
    planned = plan(read_manifests(files), Live("BD", []), Live("QA", []))

    assert [project.project for project in planned.plan.projects] == ["BD", "QA"]


def test_a_project_by_code_and_by_id_is_refused(write: Write) -> None:
    """Each file would prune what the other one declares."""
    files = [write("a.yaml", "a"), write("b.yaml", "b", project=ID)]
    runs = [live(1, "a"), live(2, "b")]

    with pytest.raises(RefusedError, match="the same project") as caught:
        plan(read_manifests(files), Live("BD", runs), Live(ID, runs))
    assert caught.value.hint


def test_an_incomplete_listing_is_refused(write: Write) -> None:
    provider = Live("BD", [live(1, "a")], counted=2)
    project = only(plan(read_manifests([write("a.yaml", "a", "b")]), provider))

    assert [block.rule for block in project.refusals] == ["incomplete-listing"]
    assert project.actions == ()


def test_an_orphan_is_pruned_when_everything_was_read(write: Write) -> None:
    provider = Live("BD", [made(1, "a"), made(2, "gone")])

    assert closing(only(plan(read_manifests([write("a.yaml", "a")]), provider))) == [2]


def test_nothing_is_pruned_while_a_given_file_has_errors(write: Write) -> None:
    broken = write("b.yaml", more="nonsense: 1\n")
    manifests = read_manifests([write("a.yaml", "a"), broken])
    provider = Live("BD", [made(1, "a"), made(2, "gone")])
    project = only(plan(manifests, provider))

    assert closing(project) == []
    assert any(b.rule == "prune-partial" for change in project.changes for b in change.blocks)
    assert "b.yaml" in str(project.changes)


@pytest.mark.parametrize("project", ["BD", "bd"])
def test_nothing_is_pruned_while_a_file_beside_was_not_given(write: Write, project: str) -> None:
    write("b.yaml", "gone", project=project)
    provider = Live("BD", [made(1, "a"), made(2, "gone")])
    planned = only(plan(read_manifests([write("a.yaml", "a")]), provider))

    assert closing(planned) == []


def test_names_are_asked_for_where_they_are_needed(write: Write) -> None:
    provider = Live("BD", [made(1, "a", closed_at=MOMENT)])
    plan(
        read_manifests([write("a.yaml", "a", more="defaults: {milestone: Sprint 24}\n")]), provider
    )

    assert provider.needed == [NamesNeeded()]


def test_projects_that_may_be_the_same_are_refused(write: Write) -> None:
    """An empty project does not tell its id, so code and id can't be told apart."""
    files = [write("a.yaml", "a"), write("b.yaml", "b", project=ID)]

    with pytest.raises(RefusedError, match="may be, the same project"):
        plan(read_manifests(files), Live("BD", []), Live(ID, []))


def test_nothing_is_pruned_beside_a_file_that_names_the_project_by_id(write: Write) -> None:
    given = write("a.yaml", "a")
    write("b.yaml", "b", project=ID)
    provider = Live("BD", [made(1, "a"), made(2, "b")])
    project = only(plan(read_manifests([given]), provider))

    assert closing(project) == []
    assert any(b.rule == "prune-partial" for change in project.changes for b in change.blocks)
