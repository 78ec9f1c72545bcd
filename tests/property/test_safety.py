"""What a plan never does, judged by rules written anew from the documentation."""

from collections import Counter

from hypothesis import given
from randomworlds import OTHER, Case, campaign, cases

from runs_as_code.model.actions import CloseReason, CloseRun
from runs_as_code.model.desired import (
    CloseWhen,
    IfExists,
    Manifest,
    Prune,
    ReplaceMode,
    RunSpec,
    State,
)
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import ProjectPlan
from runs_as_code.model.text import clash_form, normal_form
from runs_as_code.planning.digest import text_digest


def marker_of(run: LiveRun) -> Marker | None:
    return read_description(run.description).marker


def members(case: Case, owner: str, key: str) -> list[LiveRun]:
    """Return the runs of a key by id: marked by us and no copies, or adopted."""
    spec = case.spec(owner, key)
    keys = {key, *((spec.previous_keys or ()) if spec else ())}
    found = []
    seen = set()
    for run_id in sorted(case.world.runs):
        run = case.world.runs[run_id]
        marker = marker_of(run)
        is_mine = marker and marker.owner in case.aliases(owner) and marker.key in keys
        if (is_mine and marker not in seen) or (spec and not marker and spec.adopt == run_id):
            found.append(run)
        seen.add(marker)
    return found or ([held] if spec and (held := adopted_by_title(case, spec)) else [])


def adopted_by_title(case: Case, spec: RunSpec) -> LiveRun | None:
    bearers = [
        run
        for run in sorted(case.world.runs.values(), key=lambda run: run.id)
        if clash_form(run.title) == clash_form(spec.title) and run.is_open
    ]
    if spec.if_exists is IfExists.ADOPT and bearers and "[qarun:" not in bearers[0].description:
        return bearers[0]
    return None


def is_in_doubt(case: Case, run: LiveRun) -> bool:
    marker = marker_of(run)
    titles = Counter(clash_form(other.title) for other in case.world.runs.values())
    is_renamed = marker is not None and marker.own_title != text_digest(run.title)
    return is_renamed or (marker is not None and titles[clash_form(run.title)] > 1)


@campaign(150)
@given(cases())
def test_only_our_own_open_runs_are_closed_each_once(case: Case):
    for project in case.plan().projects:
        for close in project.closes:
            run = case.world.runs[close.run_id]
            assert run.is_open
            assert run in members(case, project.owner, close.key)
        assert len({close.run_id for close in project.closes}) == len(project.closes)


@campaign(150)
@given(cases())
def test_what_is_closed_is_approved_or_nobody_s_work(case: Case):
    for project in case.plan().projects:
        for close in project.closes:
            spec = case.spec(project.owner, close.key)
            run = case.world.runs[close.run_id]
            if close.key not in case.approvals["keys"]:
                assert not is_in_doubt(case, run)
            if spec is None:
                assert_prunable(case, project, close, run)
            else:
                assert_closable(case, project, close, spec, run)


def assert_prunable(case: Case, project: ProjectPlan, close: CloseRun, run: LiveRun) -> None:
    marker = marker_of(run)
    assert close.reason is CloseReason.PRUNED
    assert marker is not None
    assert not marker.is_protected
    assert marker.owner == project.owner
    assert all(m.prune is Prune.CLOSE for m in case.manifests if m.owner == project.owner)
    assert not case.approvals["targets"]
    assert not [left for left in case.left_out if left.owner == project.owner]
    if close.key not in case.approvals["keys"]:
        assert not (run.has_results and run.counts.open)
    if not case.approvals["allow_empty"]:
        declared = [m.key for f in case.manifests if f.owner == project.owner for m in f.runs]
        assert any(
            other.is_open and marker_of(other)
            for key in declared
            for other in members(case, project.owner, key)
        )


def assert_closable(
    case: Case, project: ProjectPlan, close: CloseRun, spec: RunSpec, run: LiveRun
) -> None:
    assert not spec.protect
    if close.reason is CloseReason.DECLARED:
        assert spec.state is State.CLOSED
        return
    assert spec.state is State.OPEN
    if close.reason is CloseReason.COMPLETE:
        assert spec.close_when is CloseWhen.COMPLETE
        assert run.is_complete
        return
    assert close.reason in {CloseReason.REPLACED, CloseReason.OLDER}
    revision = revision_of_successor(case, project, close)
    is_approved = close.key in case.approvals["keys"] or (
        spec.replace.mode is ReplaceMode.REVISION and spec.replace.revision == revision
    )
    if is_approved:
        return
    assert spec.replace.mode is not ReplaceMode.NEVER
    is_done = spec.close_when is CloseWhen.COMPLETE and run.is_complete
    assert spec.replace.mode is ReplaceMode.ALWAYS or is_done or not run.has_results


def revision_of_successor(case: Case, project: ProjectPlan, close: CloseRun) -> int:
    """Return the revision that takes a run's place, after proving that there is one."""
    if close.successor_run is not None:
        successor = case.world.runs[close.successor_run]
        assert successor.is_open
        assert successor in members(case, project.owner, close.key)
        assert successor.id > close.run_id
        marker = marker_of(successor)
        return marker.revision if marker else 0
    makes = [make for make in project.makes if make.key == close.successor_key == close.key]
    assert len(makes) == 1
    return makes[0].revision


@campaign(150)
@given(cases())
def test_what_is_made_has_a_free_title_and_a_marker_that_can_be_read(case: Case):
    plan = case.plan()
    titles = Counter(clash_form(run.title) for run in case.world.runs.values())
    declared = {
        clash_form(spec.title): (manifest.owner, spec.key)
        for manifest in case.manifests
        for spec in manifest.runs
        if spec.state is State.OPEN
    }
    for project in plan.projects:
        for make in project.makes:
            spec = case.spec(project.owner, make.key)
            assert spec is not None
            clash = clash_form(make.title)
            titles[clash] += 1
            assert titles[clash] == 1
            assert declared.get(clash, (project.owner, make.key)) == (project.owner, make.key)
            assert 1 <= len(make.title) <= 255
            assert len(make.description) <= 512
            reading = read_description(make.description)
            assert str(reading.marker) == make.marker
            assert reading.text == normal_form(spec.description or "")
            assert make.description.endswith(make.marker)
            assert reading.marker is not None
            assert reading.marker.owner == project.owner
            assert reading.marker.key == make.key


@campaign(150)
@given(cases())
def test_a_key_gets_at_most_one_run_and_its_revisions_rise(case: Case):
    for project in case.plan().projects:
        assert len({make.key for make in project.makes}) == len(project.makes)
        for make in project.makes:
            spec = case.spec(project.owner, make.key)
            assert spec is not None
            assert spec.state is State.OPEN
            runs = members(case, project.owner, make.key)
            markers = [marker_of(run) for run in runs]
            assert all(make.revision > (marker.revision if marker else 0) for marker in markers)
            assert make.known_runs == tuple(run.id for run in runs)
            closed = {close.run_id for close in project.closes if close.key == make.key}
            assert {run.id for run in runs if run.is_open} == closed


@campaign(100)
@given(cases())
def test_the_limits_hold(case: Case):
    for project in case.plan().projects:
        manifests = [m for m in case.manifests if m.owner == project.owner]
        unlimited = {CloseReason.DECLARED, CloseReason.COMPLETE}
        count = sum(close.reason not in unlimited for close in project.closes)
        ours = [
            run
            for run in case.world.runs.values()
            if run.is_open
            and (marker := marker_of(run))
            and marker.owner in case.aliases(project.owner)
            # What is ours by an alias counts only where a key is declared for it.
            and (marker.owner == project.owner or marker.key in declared_keys(manifests))
        ]
        assert count <= min(m.limits.close for m in manifests)
        percent = min(m.limits.percent for m in manifests)
        assert count <= 3 or count * 100 <= percent * len(ours)


def declared_keys(manifests: list[Manifest]) -> set[str]:
    specs = [spec for manifest in manifests for spec in manifest.runs]
    return {key for spec in specs for key in (spec.key, *(spec.previous_keys or ()))}


@campaign(100)
@given(cases())
def test_targets_keep_everything_else_as_it_is(case: Case):
    plan = case.plan(targets=("b",))

    assert {change.key for p in plan.projects for change in p.changes if change.actions} <= {"b"}


@campaign(100)
@given(cases())
def test_an_owner_never_acts_on_what_is_another_s(case: Case):
    for project in case.plan().projects:
        others = {OTHER} if project.owner != OTHER else {"web-team", "old-team"}
        for close in project.closes:
            marker = marker_of(case.world.runs[close.run_id])
            assert marker is None or marker.owner not in others
