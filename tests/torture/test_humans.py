"""Somebody works in the web page during an apply: each row has one outcome, in docs/safety.md too.

The commit retitles a run (its successor is made, then the old one closed), drops another (pruned)
and declares a new one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from torture.acts import CLONES, CREATES, At
from torture.applier import Applier, lies
from torture.estate import OWNER, QUIET, build_estate, live, manifest
from torture.faults import Fault, Kind
from torture.ground import Ground
from torture.settling import outcomes, settle

from runs_as_code.errors import ExitCode

DONE, ERROR, STALE, PARTIAL, UNVERIFIED = (
    ExitCode.DONE,
    ExitCode.ERROR,
    ExitCode.STALE,
    ExitCode.PARTIAL,
    ExitCode.UNVERIFIED,
)
PAGE = Path(__file__).parents[2] / "docs" / "safety.md"


def commit():
    runs = {**QUIET["runs"]}
    runs["retitled"] = live("Menu, second title", "Menu", milestone="Sprint 24")
    runs["fresh"] = live("Quite new", "Account", milestone="Sprint 24")
    del runs["gone-1"]
    return manifest(runs)


COMMIT = commit()
MADE = {"retitled": "Menu, second title", "fresh": "Quite new"}


@dataclass
class Scene:
    """The runs that a row is about: `old` is to be replaced, `orphan` pruned.

    The others are people's: `elder` and `over` are older than all of ours, and `over` is closed.
    """

    ground: Ground
    old: int
    orphan: int
    elder: int
    over: int
    bystander: int
    was_closed: frozenset[int]

    @property
    def people(self):
        return self.ground.people

    def description(self, run_id: int) -> str:
        return self.ground.truth()[run_id].description

    def newest(self, title: str) -> int:
        return next(i for i, run in self.ground.truth().items() if run.seen.title == title)

    async def write(self, run_id: int, description: str) -> None:
        self.people.edit(run_id, description=description)

    async def rename(self, run_id: int, title: str) -> None:
        self.people.edit(run_id, title=title)


Deed = Callable[[Scene], Awaitable[object]]


@dataclass(frozen=True)
class Row:
    """A deed, and what comes of it before the first write and between two writes.

    `early` and `late` are exit codes; `stays` and `stops` say what of the commit is not done when
    it happens late: runs that stay open, titles that are not made. `is_at_prune` is for what must
    come before the close of the orphan, which waits for no make. `given` was done before the plan.
    """

    name: str
    deed: Deed
    early: ExitCode
    late: ExitCode
    stays: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    reviewed: ExitCode | None = None
    is_at_prune: bool = False
    given: Deed | None = None

    def __str__(self) -> str:
        return self.name


async def complete_the_orphan(scene: Scene) -> None:
    await scene.people.record(scene.orphan, 100)


ROWS = [
    Row("closes the run to be replaced", lambda s: s.people.close(s.old), DONE, DONE),
    Row(
        "closes the run to be pruned",
        lambda s: s.people.close(s.orphan),
        DONE,
        DONE,
        is_at_prune=True,
    ),
    Row(
        "records a result in the run to be replaced",
        lambda s: s.people.record(s.old, 1),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "records a result in the run to be pruned",
        lambda s: s.people.record(s.orphan, 1),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
    ),
    Row(
        "clones the run to be replaced",
        lambda s: s.people.clone(s.old, "Cloned by hand"),
        DONE,
        DONE,
    ),
    Row(
        "creates a run with the title of the new run",
        lambda s: s.people.create("Quite new"),
        PARTIAL,
        PARTIAL,
        stops=("fresh",),
        reviewed=STALE,
    ),
    Row(
        "creates a run with the title of the successor",
        lambda s: s.people.create("Menu, second title"),
        PARTIAL,
        PARTIAL,
        stays=("old",),
        stops=("retitled",),
        reviewed=STALE,
    ),
    Row(
        "wipes the marker of the run to be replaced",
        lambda s: s.write(s.old, "Written anew"),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "damages the marker of the run to be replaced",
        lambda s: s.write(s.old, s.description(s.old).replace(" s", " ")),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "copies the marker of the run to be replaced into a newer run",
        lambda s: s.write(s.bystander, s.description(s.old)),
        DONE,
        DONE,
    ),
    Row(
        "copies the marker of the run to be pruned into an older run",
        lambda s: s.write(s.elder, s.description(s.orphan)),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
    ),
    Row(
        "copies the marker of the run to be pruned into an older closed run",
        lambda s: s.write(s.over, s.description(s.orphan)),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
    ),
    Row(
        "copies the marker of the run to be replaced into an older run",
        lambda s: s.write(s.elder, s.description(s.old)),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "copies the marker of the run to be pruned into the run to be replaced",
        lambda s: s.write(s.old, s.description(s.orphan)),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "writes more into the description of the run to be replaced",
        lambda s: s.write(s.old, f"{s.description(s.old)} See also the wiki."),
        DONE,
        DONE,
    ),
    Row(
        "renames the run to be replaced",
        lambda s: s.rename(s.old, "Renamed by hand"),
        STALE,
        PARTIAL,
        stays=("old",),
    ),
    Row(
        "renames the run to be pruned",
        lambda s: s.rename(s.orphan, "Please keep, we need it"),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
    ),
    Row(
        "opens a case of the complete run to be pruned again",
        lambda s: s.people.retest(s.orphan, "open"),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
        given=complete_the_orphan,
    ),
    Row(
        "tests a case of the complete run to be pruned again",
        lambda s: s.people.retest(s.orphan, "failed"),
        STALE,
        PARTIAL,
        stays=("orphan",),
        is_at_prune=True,
        given=complete_the_orphan,
    ),
]


@pytest.fixture
def given(scene, runner, row):
    """Let people do what a row takes for granted."""
    if row.given is not None:
        runner.run(row.given(scene))


async def before_our_time(ground: Ground) -> None:
    await ground.people.create("An elder")
    await ground.people.close(await ground.people.create("An elder that is over"))


@pytest.fixture(scope="module")
def old_estate(tmp_path_factory):
    return build_estate(tmp_path_factory.mktemp("old-estate"), before=before_our_time)


@pytest.fixture
def scene(make_ground, runner, old_estate):
    ground = make_ground(seed=old_estate)
    runs = ground.open_runs(OWNER)
    bystander = runner.run(ground.people.create("A bystander"))
    truth = ground.truth()
    ids = {run.seen.title: run_id for run_id, run in truth.items()}
    return Scene(
        ground,
        runs["retitled"][0],
        runs["gone-1"][0],
        ids["An elder"],
        ids["An elder that is over"],
        bystander,
        frozenset(i for i, run in truth.items() if not run.seen.is_open),
    )


def check(scene, ended, *, stays=(), stops=()):
    """Nothing but the old run and the orphan was ever closed, and both only where they may be."""
    truth = scene.ground.truth()
    closed = {i for i, run in truth.items() if not run.seen.is_open} - scene.was_closed
    allowed = {scene.old, scene.orphan} - {getattr(scene, name) for name in stays}
    assert closed == allowed, outcomes(ended)
    ours = {run.seen.title for run in truth.values() if run.seen.owner == OWNER}
    assert {key for key, title in MADE.items() if title not in ours} == set(stops)
    assert scene.ground.objections() == []


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_between_plan_and_apply(scene, runner, row):
    async def play():
        applier = Applier(scene.ground, [COMMIT])
        planned = await applier.plan()
        await row.deed(scene)
        return await applier.apply_planned(planned)

    ended = runner.run(play())
    assert ended.code == row.early, outcomes(ended)
    if row.early == STALE:
        assert scene.ground.ledger.writes == 0
        assert f"run {scene.old} " in str(ended.error) or f"run {scene.orphan} " in str(ended.error)
        check(scene, ended, stays=("old", "orphan"), stops=("retitled", "fresh"))
    else:
        check(scene, ended, stays=row.stays, stops=row.stops)


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_between_review_and_apply(scene, runner, row):
    """A reviewed plan is applied whole or not at all."""

    async def play():
        planner = Applier(scene.ground, [COMMIT])
        plan = (await planner.plan()).plan
        await planner.hang_up()
        await row.deed(scene)
        applier = Applier(scene.ground, [COMMIT])
        applier.brief.planned_on = planner.brief.planned_on
        return await applier.apply_reviewed(plan)

    ended = runner.run(play())
    assert ended.code == (row.reviewed or row.early), outcomes(ended)
    if ended.code == STALE:
        assert scene.ground.ledger.writes == 0
        closed = {i for i, run in scene.ground.truth().items() if not run.seen.is_open}
        assert closed == scene.was_closed
        assert scene.ground.objections() == []
    else:
        check(scene, ended, stays=row.stays, stops=row.stops)


# Long enough for another look at all runs, closed ones included.
THROTTLED = Fault(Kind.STATUS_BEFORE, 429, retry_after="15")


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_between_two_writes(scene, runner, row):
    """It happens after every look before: as the successor is made, or while a close waits."""
    path = CREATES if row.stops == ("fresh",) else CLONES
    if row.is_at_prune:
        path = rf"POST .*/run/{scene.orphan}/close\?"
    fault = THROTTLED if row.is_at_prune else None
    at = At(path, fault, deed=lambda: row.deed(scene))
    scene.ground.wire.actors.append(at)
    ended = runner.run(Applier(scene.ground, [COMMIT]).apply())
    assert at.done == 1
    assert ended.code == row.late, outcomes(ended)
    check(scene, ended, stays=row.stays, stops=row.stops)


def test_somebody_closes_the_successor_before_the_old_run(scene, runner):
    def deed():
        return scene.people.close(scene.newest("Menu, second title"))

    path = rf"POST .*/run/{scene.old}/close\?"
    scene.ground.wire.actors.append(At(path, THROTTLED, deed=deed))
    ended = runner.run(Applier(scene.ground, [COMMIT]).apply())
    assert ended.code == PARTIAL, outcomes(ended)
    assert "has no open successor" in " ".join(outcomes(ended))
    assert scene.ground.truth()[scene.old].seen.is_open
    assert scene.ground.objections() == []


def test_somebody_wipes_the_marker_of_the_successor(scene, runner):
    def deed():
        return scene.write(scene.newest("Menu, second title"), "Written anew")

    clones = At(r"POST .*/run/clone\?", deed=deed, is_after=True)
    scene.ground.wire.actors.append(clones)
    ended = runner.run(Applier(scene.ground, [COMMIT]).apply())
    assert ended.code == UNVERIFIED, outcomes(ended)
    assert scene.ground.truth()[scene.old].seen.is_open
    assert "was stored with another marker" in " ".join(outcomes(ended))
    assert lies(scene.ground, ended) == []


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_ends_where_people_or_an_apply_can_go_on(scene, runner, row):
    async def play():
        planner = Applier(scene.ground, [COMMIT])
        planned = await planner.plan()
        await row.deed(scene)
        await planner.apply_planned(planned)
        return await settle(scene.ground, [COMMIT], skip_blocked=True)

    assert runner.run(play()) == []
    assert scene.ground.objections() == []


def test_every_row_is_documented():
    page = PAGE.read_text("utf-8")
    for row in ROWS:
        words = {
            DONE: "0",
            STALE: "6",
            PARTIAL: "7",
        }
        line = f"| {row.name} | {words[row.early]} | "
        line += f"{words[row.reviewed or row.early]} | {words[row.late]} |"
        assert line in page, line
