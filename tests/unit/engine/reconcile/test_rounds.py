"""Rounds of a reconcile loop: back-off, broken files, projects failing alone, a stop in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from builders import PLACE, desired, made, manifest

from runs_as_code.engine.reconcile.loop import LONGEST_REST, Pace, ReconcileLoop
from runs_as_code.engine.reconcile.rounds import Reconciler
from runs_as_code.engine.reconcile.saying import exit_code_of
from runs_as_code.engine.reconcile.settings import FILES, ReconcileSettings
from runs_as_code.errors import AccessError, ExitCode, UnreachableError, UsageError
from runs_as_code.model.desired import LeftOut, Manifest, ManifestSet, Prune
from runs_as_code.model.live import Catalog, Listing, LiveRun
from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Level,
    LogEvent,
    Observation,
    Scope,
    Standing,
    Transition,
)
from runs_as_code.model.restraint import Policy
from runs_as_code.model.source import Diagnostic

ONE = replace(manifest(), file="one.yaml", policy=Policy.OBSERVE)
TWO = replace(manifest(owner="mobile", project="QA"), file="two.yaml", policy=Policy.OBSERVE)
WEB = Scope("embedded", "BD", "web-team")
MOBILE = Scope("embedded", "QA", "mobile")
BROKEN = Diagnostic("yaml-syntax", "this is not YAML", replace(PLACE, file="two.yaml"))


class StubProvider:
    """A live side without runs; `trouble` says what a listing raises."""

    server = "embedded"
    rate = 0
    calls = 0

    def __init__(
        self,
        project: str,
        trouble: Callable[[str], Exception | None],
        runs: tuple[LiveRun, ...],
    ) -> None:
        self.project = project
        self._runs = runs
        self._trouble = trouble

    async def list_runs(self, *, closed: bool | None = None) -> Listing:
        await asyncio.sleep(0)
        error = self._trouble(self.project)
        if error is not None:
            raise error
        return Listing(self._runs)

    async def load_catalog(self, *_: Any) -> Catalog:
        return Catalog()


@dataclass
class Stage:
    """What a test changes between the rounds, and what it sees."""

    manifests: ManifestSet = field(default_factory=lambda: ManifestSet((ONE, TWO)))
    failing: dict[str, Exception] = field(default_factory=dict)
    servers: dict[str, Exception] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    said: list[LogEvent] = field(default_factory=list)
    told: list[Transition] = field(default_factory=list)
    forgotten: list[Scope] = field(default_factory=list)
    runs: dict[str, tuple[LiveRun, ...]] = field(default_factory=dict)
    time: float = 0.0
    then: Callable[[], None] = lambda: None

    throttled_seconds = 0.0

    def server_of(self, given: Manifest) -> str:
        if given.owner in self.servers:
            raise self.servers[given.owner]
        return "embedded"

    def open(self, _server: str, project: str) -> Any:
        return StubProvider(project, self._list, self.runs.get(project, ()))

    def _list(self, project: str) -> Exception | None:
        self.listed.append(project)
        self.then()
        return self.failing.get(project)

    def observed(self, _seen: Observation, _standing: Standing) -> None:
        """Nothing is kept of it."""

    def told_of(self, transition: Transition) -> None:
        self.told.append(transition)

    def gone(self, scope: Scope) -> None:
        self.forgotten.append(scope)

    def throttled(self, _seconds: float) -> None:
        """Nothing is kept of it."""

    def load(self) -> ManifestSet:
        return self.manifests

    def reconciler(self, **settings: Any) -> Reconciler:
        @asynccontextmanager
        async def connect(_manifests: ManifestSet) -> AsyncIterator["Stage"]:
            yield self

        class Audience:
            observed, gone, throttled = self.observed, self.gone, self.throttled
            told = self.told_of

        values = {
            "load": self.load,
            "connect": connect,
            "log": self.said.append,
            "now": lambda: self.time,
            "audience": Audience(),
            "longest_rest": 6,
        }
        return Reconciler(ReconcileSettings(**(values | settings)))

    def play(self, reconciler: Reconciler, rounds: int = 1) -> list[Observation]:
        seen: list[Observation] = []
        for _ in range(rounds):
            self.time += 300
            seen = asyncio.run(reconciler.run_round())
        return seen

    def events(self, name: str) -> list[LogEvent]:
        return [event for event in self.said if event.event == name]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def ends(seen: list[Observation]) -> dict[Scope, Ended]:
    return {each.scope: each.ended for each in seen}


def test_projects_are_reconciled_side_by_side(stage: Stage):
    reconciler = stage.reconciler()
    assert ends(stage.play(reconciler)) == {WEB: Ended.DONE, MOBILE: Ended.DONE}
    assert reconciler.standings[WEB].condition is Condition.IN_SYNC
    assert reconciler.standings[WEB].last_success == 300
    assert stage.told == []


def test_a_failing_project_rests_longer_each_time_and_stops_no_other(stage: Stage):
    stage.failing["QA"] = UnreachableError("no answer")
    reconciler = stage.reconciler()
    tried = []
    for _ in range(24):
        stage.listed.clear()
        stage.play(reconciler)
        assert "BD" in stage.listed
        tried.append("QA" in stage.listed)
    # Rests of 0, 1, 3, 6, 6, ... rounds.
    assert [number for number, is_tried in enumerate(tried, start=1) if is_tried] == [
        1, 2, 4, 8, 15, 22,
    ]  # fmt: skip
    assert reconciler.standings[MOBILE].failures == 6
    assert [transition.happening for transition in stage.told] == ["failing"]
    stage.failing.clear()
    stage.play(reconciler, 7)
    assert [transition.happening for transition in stage.told] == ["failing", "healed"]
    assert stage.forgotten == []


def test_a_change_of_its_files_ends_a_rest(stage: Stage):
    stage.failing["QA"] = UnreachableError("no answer")
    reconciler = stage.reconciler()
    stage.play(reconciler, 4)
    stage.listed.clear()
    stage.play(reconciler)
    assert stage.listed == ["BD"]
    changed = replace(TWO, location=replace(PLACE, line=2))
    stage.manifests = ManifestSet((ONE, changed))
    stage.play(reconciler)
    assert stage.listed == ["BD", "BD", "QA"]


def test_an_error_nobody_foresaw_fails_one_project_only(stage: Stage):
    stage.failing["QA"] = RuntimeError("oh")
    seen = stage.play(stage.reconciler())
    assert ends(seen) == {WEB: Ended.DONE, MOBILE: Ended.FAILED}
    (event,) = stage.events("project.failed")
    assert "internal error: RuntimeError: oh" in event.message


def test_a_broken_file_fails_the_project_it_held_before(stage: Stage):
    reconciler = stage.reconciler()
    stage.play(reconciler)
    stage.listed.clear()
    stage.manifests = ManifestSet((ONE,), (BROKEN,), broken=(LeftOut("two.yaml", "", ""),))
    seen = stage.play(reconciler)
    assert ends(seen) == {WEB: Ended.DONE, MOBILE: Ended.FAILED, FILES: Ended.FAILED}
    assert stage.listed == ["BD"]
    assert exit_code_of(seen) is ExitCode.INVALID
    stage.play(reconciler)
    assert {t.observation.scope for t in stage.told} == {MOBILE, FILES}
    stage.manifests = ManifestSet((ONE, TWO))
    assert ends(stage.play(reconciler))[MOBILE] is Ended.DONE
    assert [t.happening for t in stage.told].count("healed") == 2
    assert stage.forgotten == []


def test_a_broken_file_keeps_other_files_of_its_project_from_being_applied(stage: Stage):
    beside = replace(manifest(desired("b")), file="three.yaml", policy=Policy.OBSERVE)
    stage.manifests = ManifestSet(
        (ONE, beside), (BROKEN,), broken=(LeftOut("two.yaml", "web-team", "bd"),)
    )
    seen = stage.play(stage.reconciler())
    assert ends(seen) == {WEB: Ended.FAILED, FILES: Ended.FAILED}
    assert stage.listed == []


def test_when_a_folder_can_not_be_read_nothing_is_forgotten(stage: Stage):
    reconciler = stage.reconciler()
    stage.play(reconciler)
    missing = Diagnostic("file-not-found", "there is no `runs`", replace(PLACE, file="runs"))
    stage.manifests = ManifestSet((), (missing,), broken=(LeftOut("runs", "", ""),))
    seen = stage.play(reconciler)
    assert ends(seen) == {WEB: Ended.FAILED, MOBILE: Ended.FAILED, FILES: Ended.FAILED}
    assert stage.forgotten == []


def test_files_that_can_not_be_looked_for_fail_what_was_known(stage: Stage):
    def load() -> ManifestSet:
        if stage.time > 300:
            raise UsageError("no manifest given")
        return stage.manifests

    reconciler = stage.reconciler(load=load)
    stage.play(reconciler)
    seen = stage.play(reconciler)
    assert set(ends(seen).values()) == {Ended.FAILED}
    assert set(ends(seen)) == {WEB, MOBILE, FILES}


def test_what_is_not_declared_any_more_is_forgotten(stage: Stage):
    reconciler = stage.reconciler()
    stage.play(reconciler)
    stage.manifests = ManifestSet((ONE,))
    stage.play(reconciler)
    assert stage.forgotten == [MOBILE]
    assert set(reconciler.standings) == {WEB}


def test_what_failed_is_forgotten_as_well(stage: Stage):
    stage.failing["QA"] = UnreachableError("no answer")
    reconciler = stage.reconciler()
    stage.play(reconciler, 5)
    stage.manifests = ManifestSet((ONE,))
    stage.play(reconciler)
    assert stage.forgotten == [MOBILE]
    assert set(reconciler.standings) == {WEB}


def test_a_new_owner_does_not_shorten_the_rest_of_a_failing_project(stage: Stage):
    stage.failing["QA"] = UnreachableError("no answer")
    reconciler = stage.reconciler()
    stage.play(reconciler, 8)
    newcomer = replace(TWO, owner="newcomer", file="three.yaml")
    stage.manifests = ManifestSet((ONE, TWO, newcomer))
    stage.play(reconciler)
    stage.listed.clear()
    stage.play(reconciler, 6)
    assert "QA" not in stage.listed


def test_that_one_lost_round_is_over_is_news(stage: Stage):
    reconciler = stage.reconciler()
    stage.play(reconciler)
    stage.failing["QA"] = UnreachableError("no answer")
    stage.play(reconciler)
    stage.failing.clear()
    stage.play(reconciler, 2)
    said = [e.level for e in stage.events("project.reconciled") if e.facts["project"] == "QA"]
    assert said == [Level.INFO, Level.INFO, Level.DEBUG]


def test_a_manifest_without_a_server_fails_alone(stage: Stage):
    stage.servers["mobile"] = AccessError("no key")
    seen = stage.play(stage.reconciler())
    assert [(each.scope.owner, each.exit_code) for each in seen] == [("mobile", 4), ("web-team", 0)]


def test_runs_of_a_manifest_without_a_server_are_not_pruned_by_another(stage: Stage):
    gone = made(1, desired("b"))
    stage.runs["BD"] = (made(2, desired("a")), gone)
    one = replace(manifest(desired("a")), file="one.yaml", prune=Prune.CLOSE)
    two = replace(manifest(desired("b")), file="two.yaml", prune=Prune.CLOSE)
    stage.manifests = ManifestSet((one, two))

    def server_of(given: Manifest) -> str:
        if given.file == "two.yaml":
            raise AccessError("no server is named")
        return "embedded"

    stage.server_of = server_of  # type: ignore[method-assign]  # for this test
    seen = {each.scope.server: each for each in stage.play(stage.reconciler())}
    assert seen[""].exit_code == ExitCode.ACCESS
    assert seen["embedded"].blocked == {"prune-partial": 1}
    assert seen["embedded"].actions == {}


@pytest.mark.parametrize("is_gone", [False, True])
def test_nothing_is_applied_of_files_that_change_meanwhile(stage: Stage, *, is_gone: bool):
    one = replace(manifest(desired("a")), file="one.yaml", prune=Prune.CLOSE)
    two = replace(manifest(desired("b")), file="two.yaml", prune=Prune.CLOSE)
    stage.runs["BD"] = (made(2, desired("a")), made(1, desired("b")))
    stage.manifests = ManifestSet((one,))

    def load() -> ManifestSet:
        if is_gone and stage.listed:
            raise UsageError("no manifest given")
        return stage.manifests

    def update() -> None:
        stage.manifests = ManifestSet((one, two))

    stage.then = update
    (seen,) = stage.play(stage.reconciler(load=load))
    assert (seen.ended, seen.exit_code, seen.actions) == (Ended.PASSED, ExitCode.STALE, {})
    (event,) = stage.events("project.passed")
    assert event.message.startswith("the files changed while they were read")


def test_one_project_under_two_names_is_refused(stage: Stage):
    by_id = replace(TWO, project="1CEPaUhgH_Tvt2LZygwVRQa")
    other = replace(manifest(owner="other", project="Z"), policy=Policy.OBSERVE, file="z.yaml")
    stage.manifests = ManifestSet((ONE, by_id, other))
    seen = stage.play(stage.reconciler())
    # An empty project tells neither its code nor its id, so any code may be this id.
    assert {each.ended for each in seen} == {Ended.FAILED}
    assert "may be, the same project" in stage.events("project.failed")[0].message
    stage.failing["1CEPaUhgH_Tvt2LZygwVRQa"] = UnreachableError("no answer")
    seen = stage.play(stage.reconciler())
    assert {each.ended for each in seen} == {Ended.FAILED}


def test_a_policy_of_the_command_line_never_loosens(stage: Stage):
    one = replace(manifest(desired("a")), policy=Policy.OBSERVE, policy_location=PLACE)
    stage.manifests = ManifestSet((one,))
    (seen,) = stage.play(stage.reconciler(policy=Policy.SYNC))
    assert (seen.blocked, seen.actions, seen.is_converged) == ({"policy": 1}, {}, False)


def test_a_stop_while_reading_ends_the_round(stage: Stage):
    reconciler = stage.reconciler()
    stage.then = lambda: reconciler.stop(ExitCode.SIGTERM)
    assert stage.play(reconciler) == []
    assert stage.forgotten == []


@pytest.mark.parametrize(
    ("codes", "acted", "expected"),
    [
        ([0, 0], False, 0),
        ([0, 5], True, 5),
        ([9, 9], False, 9),
        ([5, 9], False, 1),
        ([5, 9], True, 7),
    ],
)
def test_the_exit_code_of_a_round(codes, acted, expected):
    actions = {("create", "done"): 1} if acted else {}
    seen = [Observation(WEB, 0, Ended.DONE, ExitCode(code), actions=actions) for code in codes]
    assert exit_code_of(seen) == expected


def test_pauses_are_jittered_within_bounds():
    assert [Pace(100, 0.1, lambda x=x: x).pause() for x in (0.0, 0.5, 1.0)] == [
        pytest.approx(seconds) for seconds in (90, 100, 110)
    ]
    assert Pace(300).longest_rest == LONGEST_REST // 300
    assert Pace(7200).longest_rest == 0


def test_a_loop_outlives_an_error_nobody_foresaw(stage: Stage):
    def load() -> ManifestSet:
        raise RuntimeError("oh")

    rounds: list[int] = []

    async def run() -> None:
        def after_round() -> None:
            rounds.append(1)
            if len(rounds) == 3:
                loop.stop(ExitCode.SIGTERM)
            raise OSError("the disk is full")

        loop = ReconcileLoop(
            stage.reconciler(load=load), Pace(0.001), stage.said.append, after_round
        )
        await loop.run()

    asyncio.run(run())
    said = [event.message for event in stage.events("round.failed")]
    assert len(rounds) == 3
    assert said == 3 * [
        "internal error: RuntimeError: oh",
        "internal error: OSError: the disk is full",
    ]
