"""A manifest without errors becomes the values that planning works with."""

import gc

from runs_as_code.manifest import read_manifests
from runs_as_code.model.desired import (
    CloneSource,
    CloseWhen,
    Field,
    IfExists,
    Limits,
    Manifest,
    Name,
    OnClosed,
    Prune,
    QueryPlan,
    ReplaceMode,
    ReplaceRule,
    RunSpec,
    RunType,
    State,
)
from runs_as_code.model.source import Location

FULL = """\
# yaml-language-server: $schema=../../schemas/manifest.v1.schema.json
apiVersion: qarun/v1
project: BD
owner: web-team
server: https://acme.eu1.qasphere.com/
prune: close
limits: {close: 3}
users: {ann@example.com: 7}
ownerAliases: [old-team]
defaults:
  type: live
  milestone: Sprint 24
  assignee: ann@example.com
  description: From the defaults.
  protect: true
  replace: never
  ignoreChanges: [assignee]
runs:
  first:
    title: "  Sprint 24 checkout regression "
    description: |
      Everything that touches money.
      Twice.
    queryPlans:
      - folders: [Checkout, 12, Checkout]
        tags: [smoke]
        priorities: [high, high, low]
      - folders: [Cart/Discounts]
    closeWhen: never
    onClosed: recreate
    ifExists: adopt
    replace: r2
    replaceTitle: "{title} again {revision}"
    ignoreChanges: [title, queryPlans]
    previousKeys: [old-first, old-first]
  second:
    title: Release 2.4 certification
    type: static
    protect: false
    closeWhen: complete
    milestone: null
    assignee: 9
    description: null
    queryPlans: [{tcases: [BD-012, 17]}]
  third: {title: Second round, cloneFrom: first}
  fourth: {title: Third round, cloneFrom: {run: 12}, previousKeys: []}
  fifth: {title: Fourth round, cloneFrom: {title: " Smoke "}}
  sixth: {title: Exploration of it, adopt: {run: 41}}
  seventh: {state: closed, protect: false}
  eighth: {state: unmanaged, title: Something else, description: ""}
"""


def at(line, column):
    return Location("m.yaml", line, column)


def test_the_whole_of_a_file(read_valid):
    manifest = read_valid(FULL)

    assert manifest == Manifest(
        file="m.yaml",
        project="BD",
        owner="web-team",
        location=at(3, 10),
        server="https://acme.eu1.qasphere.com",
        prune=Prune.CLOSE,
        limits=Limits(close=3, percent=30),
        users={"ann@example.com": 7},
        owner_aliases=("old-team",),
        runs=manifest.runs,
    )
    assert [run.key for run in manifest.runs] == [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
    ]  # fmt: skip


def test_a_run_with_everything(read_valid):
    run = read_valid(FULL).runs[0]

    assert run == RunSpec(
        key="first",
        title="Sprint 24 checkout regression",
        location=at(19, 3),
        description="Everything that touches money.\nTwice.",
        type=RunType.LIVE,
        query_plans=(
            QueryPlan(
                location=at(25, 9),
                folders=(Name("Checkout", at(25, 19)), Name(12, at(25, 29))),
                tags=(Name("smoke", at(26, 16)),),
                priorities=("high", "low"),
            ),
            QueryPlan(location=at(28, 9), folders=(Name("Cart/Discounts", at(28, 19)),)),
        ),
        milestone=Name("Sprint 24", at(12, 14)),
        assignee=Name("ann@example.com", at(13, 13)),
        if_exists=IfExists.ADOPT,
        on_closed=OnClosed.RECREATE,
        close_when=CloseWhen.NEVER,
        replace=ReplaceRule(ReplaceMode.REVISION, 2),
        replace_title="{title} again {revision}",
        ignore_changes=frozenset({Field.TITLE, Field.QUERY_PLANS}),
        protect=True,
        previous_keys=("old-first",),
        locations=run.locations,
    )


def test_each_field_has_the_place_where_it_stands(read_valid):
    first, second, *_ = read_valid(FULL).runs

    assert first.locations["title"] == at(20, 12)
    assert first.locations["description"] == at(21, 18)
    assert first.locations["queryPlans"] == at(25, 7)
    assert first.locations["milestone"] == at(12, 14)
    assert second.locations["milestone"] == at(41, 16)
    assert "cloneFrom" not in first.locations
    assert len(second.locations) == len(dict(second.locations)) == 10
    assert "title" in repr(first.locations)


def test_null_cancels_a_default(read_valid):
    second = read_valid(FULL).runs[1]

    assert (second.milestone, second.description, second.assignee.value) == (None, None, 9)
    assert (second.protect, second.type) == (False, RunType.STATIC)
    assert second.replace == ReplaceRule(ReplaceMode.NEVER)


def test_clones_and_adopted_runs_inherit_no_type(read_valid):
    third, fourth, fifth, sixth = read_valid(FULL).runs[2:6]

    assert third.clone_from == CloneSource(at(45, 43), key="first")
    assert fourth.clone_from == CloneSource(at(46, 43), run_id=12)
    assert fifth.clone_from == CloneSource(at(47, 43), title="Smoke")
    assert sixth.adopt == 41
    assert {run.type for run in (third, fourth, fifth, sixth)} == {None}
    assert {run.query_plans for run in (third, fourth, fifth, sixth)} == {()}
    assert (third.previous_keys, fourth.previous_keys) == (None, ())


def test_closed_and_unmanaged_runs(read_valid):
    seventh, eighth = read_valid(FULL).runs[6:]

    assert (seventh.state, seventh.title) == (State.CLOSED, "")
    assert (eighth.state, eighth.description) == (State.UNMANAGED, "")


def test_the_least_a_manifest_can_be(read_valid, head):
    manifest = read_valid(head + "runs: {}\n")

    assert manifest == Manifest("m.yaml", "BD", "web-team", at(2, 10))


def test_reading_leaves_the_garbage_collector_as_it_was(read, head):
    read(m=head)
    assert gc.isenabled()
    gc.disable()
    try:
        read_manifests(["m.yaml"])
        assert not gc.isenabled()
    finally:
        gc.enable()
