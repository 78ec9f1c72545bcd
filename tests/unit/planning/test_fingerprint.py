"""The digest of a plan: what was reviewed is what is applied, and words don't count."""

from dataclasses import replace

import pytest
from builders import counts, desired, live, made, manifest, plan_project

from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.planning.planner import assemble

SPECS = (desired("a", milestone="Sprint 1"), desired("b", clone="a"), desired("c", adopt=9))
RUNS = (made(1, desired("a")), live(9, "Run c"), live(3, "Other"))
PLAN = plan_project(manifest(*SPECS), RUNS)


def test_it_is_named_after_its_algorithm():
    assert plan_digest(PLAN).startswith("sha256:")
    assert len(plan_digest(PLAN)) == len("sha256:") + 64


def test_the_order_of_what_is_given_does_not_count():
    assert plan_digest(plan_project(manifest(*reversed(SPECS)), RUNS[::-1])) == plan_digest(PLAN)


def test_neither_time_nor_words_count():
    (project,) = PLAN.projects
    silent = replace(
        project,
        changes=tuple(replace(c, fields=(), drift=(), notes=("!",)) for c in project.changes),
        unmanaged=(),
        notes=("!",),
    )

    assert plan_digest(Plan("2030-01-01T00:00:00Z", (silent,))) == plan_digest(PLAN)


def test_names_and_ids_are_the_same_plan():
    by_id = (desired("a", milestone=5), *SPECS[1:])

    assert plan_digest(plan_project(manifest(*by_id), RUNS)) == plan_digest(PLAN)


def test_adopting_is_no_change():
    without = plan_project(manifest(*SPECS[:2]), RUNS)

    assert plan_digest(without) == plan_digest(PLAN)


def test_what_is_withheld_or_refused_does_not_count():
    blocked = plan_project(manifest(desired("x", milestone="Nope")), RUNS)
    refused = plan_project(manifest(desired("x")), RUNS, closes=7)

    assert plan_digest(blocked) == plan_digest(plan_project(manifest(), RUNS))
    assert plan_digest(refused) == plan_digest(plan_project(manifest(), RUNS))


@pytest.mark.parametrize(
    "other",
    [
        plan_project(manifest(desired("a", milestone="Sprint 2"), *SPECS[1:]), RUNS),
        plan_project(manifest(desired("a", milestone=5, title="New"), *SPECS[1:]), RUNS),
        plan_project(manifest(desired("a", milestone=5, folders=[2]), *SPECS[1:]), RUNS),
        plan_project(manifest(SPECS[0]), RUNS),
        plan_project(manifest(*SPECS, owner="api-team"), RUNS[1:]),
        plan_project(manifest(*SPECS), [made(2, desired("a")), *RUNS[1:]]),
        plan_project(manifest(*SPECS), [made(1, desired("a"), 2), *RUNS[1:]]),
    ],
    ids=["milestone", "title", "selection", "fewer", "owner", "closed run", "revision"],
)
def test_every_action_counts(other: Plan):
    assert plan_digest(other) != plan_digest(PLAN)


@pytest.mark.parametrize("field", ["server", "project", "owner"])
def test_it_says_where(field: str):
    (project,) = PLAN.projects

    assert plan_digest(Plan("", (replace(project, **{field: "other"}),))) != plan_digest(PLAN)


def test_results_that_were_recorded_since_count():
    spec = desired("a", milestone=5, replace="always")
    plans = [
        plan_project(manifest(spec), [made(1, desired("a"), counts=found)])
        for found in (counts(2, 1), counts(1, 2), counts(2, 0, 1), counts(7, 1))
    ]

    assert plan_digest(plans[0]) != plan_digest(plans[1])
    assert plan_digest(plans[0]) != plan_digest(plans[2])
    assert plan_digest(plans[0]) == plan_digest(plans[3])  # a live run may grow


def test_projects_are_digested_in_their_order():
    (project,) = PLAN.projects
    other = replace(project, owner="api-team")
    approvals = {"approvals": Approvals(), "created_at": ""}

    assert plan_digest(assemble([project, other], **approvals)) == plan_digest(
        assemble([other, project], **approvals)
    )
