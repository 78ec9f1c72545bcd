"""What a policy or a freeze window does to any plan: it takes away, and adds nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from randomworlds import Case, campaign, cases, decisions

from runs_as_code.model.plan import ProjectPlan
from runs_as_code.model.restraint import Frozen, Policy
from runs_as_code.planning.restraints import freeze_refusal


def under(case: Case, policy: Policy) -> Case:
    return replace(case, manifests=tuple(replace(m, policy=policy) for m in case.manifests))


def addresses(plan: ProjectPlan) -> set[str]:
    return {action.address for action in plan.actions}


@campaign(100)
@given(cases(), st.sampled_from([p for p in Policy if p is not Policy.SYNC]))
def test_a_policy_only_takes_away(case: Case, policy: Policy):
    for free, held in zip(case.plan().projects, under(case, policy).plan().projects, strict=True):
        if not free.refusals:  # what is held back no longer counts to the limits
            assert addresses(held) <= addresses(free)
        if policy is Policy.OBSERVE:
            assert held.actions == ()
        assert held.closes == ()
        if policy is Policy.CREATE_ONLY:
            assert all(make.revision == 1 for make in held.makes)
        blocked = {c.key for c in held.changes if "policy" in {b.rule for b in c.blocks}}
        assert blocked <= {c.key for c in free.changes if c.actions}
        assert {c.key: (c.outcome, c.reason) for c in held.changes} == {
            c.key: (c.outcome, c.reason) for c in free.changes
        }


@campaign(50)
@given(cases())
def test_stricter_policies_allow_less(case: Case):
    allowed = [
        {(p.owner, p.project, a) for p in under(case, policy).plan().projects for a in addresses(p)}
        for policy in (Policy.NO_CLOSE, Policy.CREATE_ONLY, Policy.OBSERVE)
    ]
    refused = any(p.refusals for p in under(case, Policy.NO_CLOSE).plan().projects)
    if not refused:
        assert allowed[0] >= allowed[1] >= allowed[2] == set()


@campaign(50)
@given(cases())
def test_a_freeze_window_refuses_exactly_what_would_be_written(case: Case):
    frozen = Frozen("release", "2026-11-23T08:00+01:00")
    for project in case.plan().projects:
        refusal = freeze_refusal(frozen, project.changes, reason="")
        wanted = [a for c in project.changes if not c.is_withheld for a in c.actions]
        assert bool(refusal) == bool(wanted)
        held = replace(project, refusals=(*project.refusals, *refusal))
        assert held.actions == ()
        assert decisions(held) == decisions(project)
        assert not freeze_refusal(frozen, project.changes, reason="an emergency")
