"""The three-way comparison, as a truth table: who made a difference, Git or somebody else."""

from dataclasses import replace

import pytest
from builders import CATALOG, desired, live, made, manifest, marker_of

from runs_as_code.model.desired import Field, RunSpec, RunType
from runs_as_code.model.live import Catalog, Entry, LiveRun
from runs_as_code.model.marking import read_description
from runs_as_code.planning.compare import Comparison, compare, is_title_changed
from runs_as_code.planning.resolve import Resolver


def compared(spec: RunSpec, run: LiveRun, catalog: Catalog = CATALOG) -> Comparison:
    resolver = Resolver(catalog, [run])
    resolved, blocks = resolver.resolve(manifest(spec), spec)
    assert not blocks
    return compare(spec, resolved, run, read_description(run.description), resolver)


def by_whom(spec: RunSpec, run: LiveRun, catalog: Catalog = CATALOG) -> dict[str, str]:
    result = compared(spec, run, catalog)
    return {diff.field: "Git" for diff in result.fields} | {d.field: "drift" for d in result.drift}


# desired, live, recorded: three letters, each field takes the values of its letters.
TRUTH_TABLE = [
    ("AAA", None),
    ("AAB", None),
    ("ABA", "drift"),
    ("ABB", "Git"),
    ("ABC", "Git"),
]
VALUES = {
    Field.TITLE: {"A": "One", "B": "Two", "C": "Three"},
    Field.DESCRIPTION: {"A": "One", "B": "Two", "C": "Three"},
    Field.MILESTONE: {"A": 5, "B": 6, "C": 4},
    Field.ASSIGNEE: {"A": 7, "B": 8, "C": 9},
}


def with_value(field: Field, value: str | int) -> RunSpec:
    return desired(**{field.value: value})


@pytest.mark.parametrize("field", VALUES)
@pytest.mark.parametrize(("letters", "expected"), TRUTH_TABLE)
def test_truth_table(field: Field, letters: str, expected: str | None):
    wanted, there, recorded = (VALUES[field][letter] for letter in letters)
    run = made(1, with_value(field, recorded))
    if field is Field.DESCRIPTION:
        run = made(1, with_value(field, there), mark={"description": mark_of(field, recorded)})
    elif field is Field.TITLE:
        run = made(1, with_value(field, recorded), renamed=there)
    elif field is Field.MILESTONE:
        run = made(1, with_value(field, recorded), milestone_id=there)
    else:
        run = made(1, with_value(field, recorded), assignee_id=there)

    result = by_whom(with_value(field, wanted), run)

    assert result == ({field: expected} if expected else {})


def mark_of(field: Field, value: str | int) -> str:
    return marker_of(with_value(field, value)).description


@pytest.mark.parametrize(
    ("recorded", "there", "expected"),
    [(5, 5, "drift"), (5, 8, None), (5, 6, "drift"), (6, 6, "Git"), (None, None, "Git")],
)
def test_a_milestone_whose_title_another_one_got(
    recorded: int | None, there: int | None, expected: str | None
):
    """Milestone 5 was archived, and 8 is the active one of its title, which the file says."""
    entries = (Entry(5, "Sprint", is_archived=True), Entry(6, "Other"), Entry(8, "Sprint"))
    catalog = replace(CATALOG, milestones=entries)
    run = made(1, desired(), mark={"milestone": recorded}, milestone_id=there)

    result = by_whom(desired(milestone="Sprint"), run, catalog)

    assert result == ({"milestone": expected} if expected else {})
    by_id = by_whom(desired(milestone=8), run, catalog)
    assert by_id == ({} if there == 8 else {"milestone": "Git"})


@pytest.mark.parametrize(
    ("recorded", "there", "expected"), [(5, 5, None), (5, 8, None), (5, 6, "drift"), (6, 6, "Git")]
)
def test_several_archived_milestones_of_one_title_are_alike(
    recorded: int, there: int, expected: str | None
):
    """As when a sprint's milestone was made anew, and both were archived at its end."""
    entries = [Entry(number, "Sprint", is_archived=True) for number in (5, 8)]
    catalog = replace(CATALOG, milestones=(*entries, Entry(6, "Other")))
    run = made(1, desired(), mark={"milestone": recorded}, milestone_id=there)

    result = by_whom(desired(milestone="Sprint"), run, catalog)

    assert result == ({"milestone": expected} if expected else {})


def test_a_folder_made_anew_is_another_selection():
    """Only the digest of the ids was recorded, so nothing tells this from a change by Git."""
    run = made(1, desired(folders=["Checkout"]))
    folders = (Entry(99, "Checkout"),)

    result = by_whom(desired(folders=["Checkout"]), run, replace(CATALOG, folders=folders))

    assert result == {"queryPlans": "Git"}


@pytest.mark.parametrize("field", [Field.DESCRIPTION, Field.MILESTONE, Field.ASSIGNEE])
def test_what_the_file_leaves_out_is_not_compared(field: Field):
    run = made(1, with_value(field, VALUES[field]["A"]))

    assert by_whom(desired(title=run.title), run) == {}


def test_a_field_that_the_file_takes_up_is_changed_by_git():
    run = made(1, desired(), milestone_id=6, assignee_id=8)

    result = by_whom(desired(description="New", milestone=5, assignee=7), run)

    assert result == dict.fromkeys(["description", "milestone", "assignee"], "Git")


@pytest.mark.parametrize("field", VALUES)
def test_ignored_fields_are_left_out(field: Field):
    spec = desired(
        title="New",
        description="New",
        milestone=5,
        assignee=7,
        ignore_changes=frozenset({field}),
    )

    assert by_whom(spec, made(1, desired())) == dict.fromkeys(set(VALUES) - {field}, "Git")


def test_a_suffixed_title_is_what_the_run_was_given():
    run = made(1, desired(title="One"), 2, title="One (r2)")

    assert by_whom(desired(title="One"), run) == {}


def test_a_suffixed_title_that_was_changed_by_hand_is_drift():
    run = made(1, desired(title="One"), 2, title="One (r2)", renamed="Mine")

    assert by_whom(desired(title="One"), run) == {"title": "drift"}


@pytest.mark.parametrize(
    "form", ["&lt;b&gt;One&lt;/b&gt; &amp; two", " One &amp;amp; two ", "One & two"]
)
def test_the_form_of_a_text_is_no_difference(form: str):
    spec = desired(title="<b>One</b> & two", description="One & two")
    run = made(1, spec, renamed=form)

    assert by_whom(spec, run) == {}


def test_the_selection_is_compared_with_the_marker_only():
    run = made(1, desired(folders=[1]))

    assert by_whom(desired(folders=["Checkout"]), run) == {}
    assert by_whom(desired(folders=[1, 2]), run) == {"queryPlans": "Git"}
    assert compared(desired(folders=[1, 2]), run).is_selection_changed


def test_another_type_is_another_selection():
    run = made(1, desired())

    result = compared(desired(type=RunType.STATIC), run)

    assert [diff.field for diff in result.fields] == ["type"]
    assert result.is_selection_changed


def test_a_type_that_the_server_changed_is_drift():
    spec = desired(type=RunType.STATIC)

    assert by_whom(spec, made(1, spec, type="static_struct")) == {"type": "drift"}


def test_an_unknown_selection_is_never_applied():
    run = made(1, desired(), mark={"selection": "-"})

    assert by_whom(desired(folders=[2]), run) == {}
    assert by_whom(desired(folders=[2], type=RunType.STATIC), run) == {"type": "drift"}


def test_an_ignored_selection_covers_the_type():
    spec = desired(type=RunType.STATIC, ignore_changes=frozenset({Field.QUERY_PLANS}))

    assert by_whom(spec, made(1, desired())) == {}


def test_a_clone_has_no_selection_of_its_own():
    assert by_whom(desired(clone="b"), made(1, desired(folders=[1, 2]))) == {}


def test_all_differences_of_an_unmarked_run_are_drift():
    spec = desired(title="New", description="New", milestone=5, assignee=7, type=RunType.STATIC)

    result = by_whom(spec, live(1))

    assert set(result.values()) == {"drift"}
    assert len(result) == 5


def test_values_have_name_and_id():
    result = compared(desired(milestone="Sprint 2"), made(1, desired(milestone="Sprint 1")))

    (diff,) = result.fields
    assert (diff.old.name, diff.old.id) == ("Sprint 1", 5)
    assert (diff.new.name, diff.new.id) == ("Sprint 2", 6)


@pytest.mark.parametrize(
    ("wanted", "there", "recorded", "expected"),
    [
        ("One", "One", "One", False),
        ("One", "Mine", "One", False),
        ("One", "One (r2)", "One", False),
        ("One", "One", "Two", False),
        ("One", "Two", "Two", True),
        ("One", "Mine", "Two", True),
    ],
)
def test_a_title_is_changed_by_git_when_it_differs_from_run_and_marker(
    wanted: str, there: str, recorded: str, *, expected: bool
):
    run = made(1, desired(title=recorded), renamed=there)
    marker = read_description(run.description).marker

    assert is_title_changed(desired(title=wanted), run, marker) is expected


def test_an_ignored_title_and_that_of_an_adopted_run_never_change():
    run = made(1, desired(title="One"))
    marker = read_description(run.description).marker

    ignored = desired(title="Two", ignore_changes=frozenset({Field.TITLE}))
    assert not is_title_changed(ignored, run, marker)
    assert not is_title_changed(desired(title="Two"), run, None)
