"""Revisions and titles of runs to be made: free, suffixed, too long, taken."""

import pytest
from builders import (
    decide,
    desired,
    first_make,
    live,
    made,
    manifest,
    plan_owner,
    plan_project,
    rules,
    shown,
)

from runs_as_code.model.desired import OnClosed
from runs_as_code.planning.context import expand_title

AGAIN = {"on_closed": OnClosed.RECREATE}


def test_the_declared_title_is_taken_where_no_run_bears_it():
    assert shown(decide(desired(milestone=5), made(1, desired(), renamed="Mine"))) != []
    change = decide(desired(milestone=5), made(1, desired(), renamed="Mine"), keys=frozenset({"a"}))
    assert shown(change) == ["» 1 Run a", "x 1"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{title} (r{revision})", "Run a (r3)"),
        ("{key}: {title}", "a: Run a"),
        ("{title} {title} #{revision} {other}", "Run a Run a #3 {other}"),
    ],
)
def test_else_replace_title_makes_one(template: str, expected: str):
    spec = desired(replace_title=template, **AGAIN)

    assert shown(decide(spec, made(1, desired(), 2, closed=True))) == [f"+ {expected}"]


def test_placeholders_in_a_title_stay_as_they_are():
    assert expand_title("{title} r{revision}", title="{key} {revision}", revision=2, key="k") == (
        "{key} {revision} r2"
    )


def test_the_revision_counts_all_runs_of_the_key_open_or_closed():
    spec = desired(previous_keys=("old",), **AGAIN)
    runs = [
        made(1, desired(), 2, title="One", closed=True),
        made(2, desired("old"), 7, closed=True),
        made(3, desired(), 3, title="Two", closed=True),
    ]

    assert first_make(decide(spec, *runs)).revision == 8


def test_a_suffixed_title_that_is_too_long_is_found_while_planning():
    spec = desired(title="L" * 251, milestone=5)

    change = decide(spec, made(1, desired(title="L" * 251)))

    assert rules(change) == ["title-too-long"]
    short = desired(title="L" * 251, milestone=5, replace_title="{key} r{revision}")
    assert not decide(short, made(1, desired(title="L" * 251))).is_withheld


def test_a_suffixed_title_that_is_taken_is_found_while_planning():
    change = decide(desired(milestone=5), made(1, desired()), live(2, "RUN A (R2)", closed=True))

    assert rules(change) == ["title-clash"]
    assert "run 2" in change.blocks[0].message


def test_a_suffixed_title_that_another_key_declares_is_taken():
    given = manifest(desired(milestone=5), desired("b", "Run a (r2)"))

    changes = plan_owner(given, [made(1, desired())]).changes

    assert rules(changes[0]) == ["title-clash"]
    assert shown(changes[1]) == ["+ Run a (r2)"]


def test_two_suffixed_titles_of_one_plan_do_not_clash():
    given = manifest(
        desired("a", "One", replace_title="Again", **AGAIN),
        desired("b", "Two", replace_title="Again", **AGAIN),
    )
    runs = [
        made(1, desired("a", "One"), closed=True),
        made(2, desired("b", "Two"), closed=True),
    ]

    changes = plan_owner(given, runs).changes

    assert [rules(change) for change in changes] == [[], ["title-clash"]]
    assert "another run of this plan" in changes[1].blocks[0].message


def test_two_runs_can_swap_titles():
    given = manifest(desired("a", "One"), desired("b", "Two"))
    runs = [made(1, desired("a", "Two")), made(2, desired("b", "One"))]

    changes = plan_owner(given, runs).changes

    assert [shown(change) for change in changes] == [
        ["» 1 One (r2)", "x 1"],
        ["» 2 Two (r2)", "x 2"],
    ]


def test_owners_of_one_project_share_its_titles():
    files = [
        manifest(desired("a", "One"), owner="api-team", file="1"),
        manifest(desired("b", "Two", replace_title="One", **AGAIN), file="2"),
    ]
    plan = plan_project(files, [made(1, desired("b", "Two"), closed=True)])

    assert [rules(project.changes[0]) for project in plan.projects] == [[], ["title-clash"]]


def test_a_description_must_have_room_for_the_marker():
    assert rules(decide(desired(description="x" * 500))) == ["description-too-long"]
    assert not decide(desired(description="x" * 400)).is_withheld


@pytest.mark.parametrize("text", ["[qarun&#58;", "&#91;qarun:1 x", "[qa<b>run:</b>"])
def test_a_marker_that_could_not_be_read_back_is_never_written(text: str):
    assert rules(decide(desired(description=text))) == ["unreadable-marker"]


def test_nor_one_of_a_revision_beyond_its_form():
    change = decide(desired(title="New"), made(1, desired(), 9999))

    assert rules(change) == ["unreadable-marker"]
