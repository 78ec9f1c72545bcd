"""What owners and keys beside one another never do to each other's runs, by rules written anew."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from property.test_safety import marker_of, members
from randomworlds import ALIAS, OTHER, OWNER, Case, campaign, cases

from runs_as_code.model.actions import CloseReason, CloseRun
from runs_as_code.model.desired import Manifest, RunSpec, State
from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.model.text import clash_form

ALIASES = st.sampled_from([(), (OWNER,), (ALIAS,)])


@campaign(150)
@given(cases(), ALIASES)
def test_no_run_is_closed_that_something_else_in_the_files_claims(
    case: Case, aliases: tuple[str, ...]
):
    """Two owners may even bear one name: `validate` refuses that, and a plan must survive it."""
    case = with_aliases(case, aliases)
    plan = case.plan()
    for project in plan.projects:
        for close in project.closes:
            for manifest, spec in declared(case):
                if (manifest.owner, spec.key) != (project.owner, close.key):
                    assert_unclaimed(case, manifest, spec, close)
                    assert_not_a_source(case, manifest, spec, close, plan)
                    if close.reason is CloseReason.PRUNED:
                        assert_not_waited_for(case, manifest, spec, close, plan)


def with_aliases(case: Case, aliases: tuple[str, ...]) -> Case:
    """Let the other owner claim runs of the first one, or of a name that both have had."""
    manifests = tuple(
        replace(m, owner_aliases=aliases) if m.owner == OTHER else m for m in case.manifests
    )
    return replace(case, manifests=manifests)


def declared(case: Case) -> list[tuple[Manifest, RunSpec]]:
    return [(manifest, spec) for manifest in case.manifests for spec in manifest.runs]


def assert_unclaimed(case: Case, manifest: Manifest, spec: RunSpec, close: CloseRun) -> None:
    run = case.world.runs[close.run_id]
    assert spec.adopt != run.id
    if spec.state is not State.UNMANAGED and marker_of(run):
        assert run not in members(case, manifest.owner, spec.key)


def assert_not_a_source(
    case: Case, manifest: Manifest, spec: RunSpec, close: CloseRun, plan: Plan
) -> None:
    """Whoever wants to clone a run has it cloned before it is closed."""
    source = spec.clone_from
    if source is None or source.run_id != close.run_id or spec.state is not State.OPEN:
        return
    if members(case, manifest.owner, spec.key):
        return
    (project,) = (p for p in plan.projects if p.owner == manifest.owner)
    assert spec.key in {make.key for make in project.makes}
    names = {spec.key, f"{manifest.owner}/{spec.key}"}
    assert names & set(close.cloned_by)


def assert_not_waited_for(
    case: Case, manifest: Manifest, spec: RunSpec, close: CloseRun, plan: Plan
) -> None:
    """No key that never had a run wants one with the title of a run that is pruned."""
    run = case.world.runs[close.run_id]
    if spec.state is State.CLOSED or clash_form(run.title) != clash_form(spec.title):
        return
    if members(case, manifest.owner, spec.key) or is_targeted_away(case, spec):
        return
    (project,) = (p for p in plan.projects if p.owner == manifest.owner)
    assert spec.key in case.approvals["keys"] or spec.previous_keys is not None
    assert not is_withheld(project, spec.key)


def is_targeted_away(case: Case, spec: RunSpec) -> bool:
    return bool(case.approvals["targets"]) and spec.key not in case.approvals["targets"]


def is_withheld(project: ProjectPlan, key: str) -> bool:
    return any(change.key == key and change.is_withheld for change in project.changes)
