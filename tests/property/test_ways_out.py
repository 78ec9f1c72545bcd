"""Each way out that a block names leads out."""

from dataclasses import replace

from hypothesis import assume, given
from randomworlds import Case, campaign, cases

from runs_as_code.model.plan import Block, ProjectPlan

APPROVE = "--approve "


def flagged(project: ProjectPlan) -> list[tuple[str, str, Block]]:
    """Return owner, key and block wherever an approval is offered for a key."""
    return [
        (project.owner, change.key, block)
        for change in project.changes
        for block in change.blocks
        if block.flag.startswith(APPROVE)
    ]


def named(project: ProjectPlan) -> set[tuple[str, str, str]]:
    """Return owner, key and rule wherever a flag is offered for a key."""
    return {(owner, key, block.rule) for owner, key, block in flagged(project)}


@campaign(150)
@given(cases())
def test_a_flag_lifts_the_block_that_offers_it(case: Case):
    offers = [offer for project in case.plan().projects for offer in flagged(project)]
    assume(offers)
    keys = {block.flag.removeprefix(APPROVE) for _, _, block in offers}

    approved = case.plan(keys=case.approvals["keys"] | keys)

    # What is offered only now was waiting behind a block without a flag.
    left = {offer for project in approved.projects for offer in named(project)}
    assert not left & {(owner, key, block.rule) for owner, key, block in offers}


@campaign(25)  # of some ten times as many, as few of them are refused
@given(cases())
def test_a_flag_lifts_the_refusal_that_offers_it(case: Case):
    flags = {r.flag for project in case.plan().projects for r in project.refusals}
    assume(flags)
    approvals = {"allow_empty": case.approvals["allow_empty"] or "--allow-empty" in flags}
    plan = case.plan(**approvals)
    for flag in {r.flag for project in plan.projects for r in project.refusals}:
        if flag.startswith("--approve-closes "):
            approvals["closes"] = int(flag.removeprefix("--approve-closes "))

    assert [p.refusals for p in case.plan(**approvals).projects if p.refusals] == []


@campaign(100)
@given(cases())
def test_adopting_what_a_block_says_leads_on(case: Case):
    """The line `adopt: {run: N}`, pasted, makes the run the one of its key."""
    for project in case.plan().projects:
        for change in project.changes:
            for block in change.blocks:
                spec = case.spec(project.owner, change.key)
                if spec is None or not block.line.startswith("adopt: {run: "):
                    continue
                run_id = int(block.line.removeprefix("adopt: {run: ").split("}")[0])
                adopting = replace(spec, adopt=run_id, clone_from=None)
                manifests = tuple(
                    replace(m, runs=tuple(adopting if s is spec else s for s in m.runs))
                    for m in case.manifests
                )
                after = replace(case, manifests=manifests).plan()
                decided = {
                    c.key: c for p in after.projects for c in p.changes if p.owner == project.owner
                }
                rules = {b.rule for b in decided[change.key].blocks}
                assert not rules & {"adopt-foreign", "adopt-not-found", "adopted-by-title"}
