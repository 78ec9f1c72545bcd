"""The decision table, row by row, and each setting that changes a row."""

import pytest
from builders import closes, counts, decide, desired, first_make, live, made, reasons, rules, shown

from runs_as_code.model.actions import CloseReason
from runs_as_code.model.desired import Field, IfExists, RunType, State
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Outcome, Reason

WORKED_ON = counts(open_cases=2, passed=1)
COMPLETE = counts(open_cases=0, passed=2, failed=1)


class TestNothingLive:
    def test_a_free_title_is_created(self):
        change = decide(desired(milestone="Sprint 1", assignee=7, description="About it."))

        make = first_make(change)
        assert (change.outcome, change.reason) == (Outcome.CREATE, Reason.NOT_FOUND)
        assert shown(change) == ["+ Run a"]
        assert (make.revision, make.milestone_id, make.assignee_id) == (1, 5, 7)
        assert make.description.startswith("About it.\n\n[qarun:1 web-team a r1 ")
        assert make.query_plans[0].folder_ids == (1,)
        assert not change.is_withheld

    @pytest.mark.parametrize("if_exists", IfExists)
    def test_a_closed_holder_is_never_adopted_by_title(self, if_exists: IfExists):
        change = decide(desired(if_exists=if_exists), live(1, closed=True))

        assert (change.outcome, change.reason) == (Outcome.CREATE, Reason.TITLE_HELD)
        assert rules(change) == ["title-held"]
        assert "run 1 (closed" in change.blocks[0].message
        assert change.actions == ()

    def test_an_open_unmarked_holder_blocks_and_can_be_adopted(self):
        change = decide(desired(), live(4))

        assert (change.outcome, rules(change)) == (Outcome.CREATE, ["title-held"])
        assert change.blocks[0].line.startswith("adopt: {run: 4}")

    def test_if_exists_adopt_takes_an_open_unmarked_holder(self):
        change = decide(desired(if_exists=IfExists.ADOPT), live(4))

        assert (change.outcome, change.reason) == (Outcome.ADOPT, Reason.ADOPTED)
        assert change.run is not None
        assert change.run.id == 4
        assert not change.is_pending

    @pytest.mark.parametrize("if_exists", IfExists)
    @pytest.mark.parametrize(
        ("holder", "words"),
        [
            (made(1, desired(), mark={"owner": "api-team"}), "owner `api-team`, key `a`"),
            (made(1, desired("b", "Run a")), "owner `web-team`, key `b`"),
            (live(1, description="[qarun:2 whatever]"), "another version of qarun"),
        ],
        ids=["foreign", "our other key", "unknown version"],
    )
    def test_somebody_else_s_run_blocks(self, holder: LiveRun, words: str, if_exists: IfExists):
        change = decide(desired(if_exists=if_exists), holder)

        assert change.outcome is Outcome.CREATE
        assert "title-held" in rules(change)
        assert words in change.blocks[0].message
        assert change.actions == ()

    def test_a_copy_of_another_run_blocks(self):
        original = made(1, desired("b"))
        copy = live(2, "Run a", original.description)

        change = decide(desired(), original, copy)

        assert rules(change) == ["title-held"]
        assert "a copy that somebody made of the run of `b`" in change.blocks[0].message

    def test_a_damaged_open_holder_has_lost_its_marker(self):
        change = decide(desired(), live(3, description="[qarun:1 web-team a"))

        assert (change.outcome, change.reason) == (Outcome.DECIDE, Reason.MARKER_LOST)
        assert change.blocks[0].line == "adopt: {run: 3}"

    def test_an_unmarked_open_run_with_the_next_title_has_lost_its_marker(self):
        first = made(1, desired(), closed=True)

        change = decide(desired(), first, live(2, "Run a (r2)"))

        assert (change.outcome, change.reason) == (Outcome.DECIDE, Reason.MARKER_LOST)
        assert change.blocks[0].line == "adopt: {run: 2}"

    def test_title_clashes_ignore_case_and_form(self):
        change = decide(desired(title="Fish & chips"), live(1, " FISH &amp; CHIPS"))

        assert rules(change) == ["title-held"]


class TestUnchanged:
    def test_nothing_is_done(self):
        spec = desired(milestone=5, assignee=7, description="About it.")

        change = decide(spec, made(1, spec))

        assert (change.outcome, change.reason) == (Outcome.KEEP, Reason.UNCHANGED)
        assert not change.is_pending
        assert change.drift == ()

    def test_drift_is_shown_and_left_alone(self):
        spec = desired(milestone=5)

        change = decide(spec, made(1, spec, milestone_id=6))

        assert change.outcome is Outcome.KEEP
        assert [diff.field for diff in change.drift] == ["milestone"]
        assert not change.is_pending

    def test_a_changed_replace_title_changes_no_run(self):
        spec = desired(replace_title="{key}: {title}")

        assert not decide(spec, made(1, desired(), 2, title="Run a (r2)")).is_pending

    def test_a_run_in_doubt_stays_the_run_of_its_key(self):
        change = decide(desired(), made(1, desired(), renamed="Mine"))

        assert change.outcome is Outcome.KEEP
        assert not change.is_pending

    def test_the_plan_says_when_file_and_marker_differ_on_protection(self):
        change = decide(desired(), made(1, desired(protect=True)))

        assert len(change.notes) == 1
        assert not change.is_pending

    def test_an_unknown_selection_is_said(self):
        change = decide(desired(folders=[2]), made(1, desired(), mark={"selection": "-"}))

        assert change.notes == ("selection: unknown, not applied",)
        assert not change.is_pending


class TestReplacement:
    @pytest.mark.parametrize(
        "field",
        [{"title": "New"}, {"description": "New"}, {"milestone": 6}, {"assignee": 8}],
        ids=lambda field: next(iter(field)),
    )
    def test_a_readable_field_is_replaced_by_clone(self, field: dict):
        old = desired(milestone=5, assignee=7, description="Old")
        new = desired(**{"milestone": 5, "assignee": 7, "description": "Old", **field})

        change = decide(new, made(9, old))

        make = first_make(change)
        assert (change.outcome, change.reason) == (
            Outcome.REPLACE_BY_CLONE,
            Reason.FIELDS_CHANGED,
        )
        assert shown(change) == [f"» 9 {field.get('title', 'Run a (r2)')}", "x 9"]
        assert make.revision == 2
        assert make.query_plans == ()
        assert closes(change)[0].successor_key == "a"
        assert reasons(change) == [CloseReason.REPLACED]

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [(desired(folders=[1, 2]), (1, 2)), (desired(type=RunType.STATIC), (1,))],
    )
    def test_another_selection_or_type_is_replaced_by_create(self, spec, expected):
        change = decide(spec, made(9, desired()))

        assert (change.outcome, change.reason) == (
            Outcome.REPLACE_BY_CREATE,
            Reason.SELECTION_CHANGED,
        )
        assert shown(change) == ["+ Run a (r2)", "x 9"]
        assert first_make(change).query_plans[0].folder_ids == expected

    def test_what_the_file_leaves_out_is_carried_over(self):
        change = decide(desired(title="New"), made(1, desired(), milestone_id=6, assignee_id=8))

        make = first_make(change)
        assert (make.milestone_id, make.assignee_id) == (6, 8)
        assert " m- a- " in make.marker

    def test_what_is_ignored_is_carried_over(self):
        ignored = frozenset({Field.MILESTONE, Field.ASSIGNEE, Field.DESCRIPTION})
        spec = desired(
            title="New", description="Mine", milestone=5, assignee=7, ignore_changes=ignored
        )

        change = decide(spec, made(1, desired(), milestone_id=6))

        make = first_make(change)
        assert (make.milestone_id, make.assignee_id) == (6, None)
        assert make.description.startswith("Mine\n\n")

    def test_recorded_results_block(self):
        change = decide(desired(title="New"), made(1, desired(), 3, counts=WORKED_ON))

        assert rules(change) == ["has-results"]
        assert change.blocks[0].line == "replace: r4"
        assert change.blocks[0].flag == "--approve a"
        assert "1 of 3" in change.blocks[0].message

    def test_time_spent_is_work_as_well(self):
        change = decide(desired(title="New"), made(1, desired(), time_spent=60_000))

        assert rules(change) == ["has-results"]

    @pytest.mark.parametrize("replace", ["always", "r2"])
    def test_the_file_can_approve(self, replace: str):
        spec = desired(title="New", replace=replace)

        assert not decide(spec, made(1, desired(), counts=WORKED_ON)).is_withheld

    @pytest.mark.parametrize("replace", ["auto", "r1", "r3"])
    def test_a_revision_approves_itself_only(self, replace: str):
        spec = desired(title="New", replace=replace)

        assert rules(decide(spec, made(1, desired(), counts=WORKED_ON))) == ["has-results"]

    def test_a_flag_can_approve(self):
        run = made(1, desired(), counts=WORKED_ON)

        assert not decide(desired(title="New"), run, keys=frozenset({"a"})).is_withheld
        assert decide(desired(title="New"), run, keys=frozenset({"b"})).is_withheld

    def test_never_forbids_any_replacement(self):
        spec = desired(title="New", replace="never")

        change = decide(spec, made(1, desired()))

        assert rules(change) == ["replace-never"]
        assert not decide(spec, made(1, desired()), keys=frozenset({"a"})).is_withheld

    def test_a_protected_run_is_not_replaced_whoever_approves(self):
        spec = desired(title="New", protect=True, replace="always")

        change = decide(spec, made(1, desired()), keys=frozenset({"a"}))

        assert rules(change) == ["protected"]
        assert change.blocks[0].line == "protect: false"
        assert change.blocks[0].flag == ""

    def test_the_marker_s_protection_gives_way_to_the_file(self):
        assert not decide(desired(title="New"), made(1, desired(protect=True))).is_withheld

    @pytest.mark.parametrize(
        ("run", "others"),
        [
            (made(1, desired(), renamed="Mine"), []),
            (made(1, desired()), [live(2, "RUN A")]),
        ],
        ids=["renamed", "shared title"],
    )
    def test_a_run_in_doubt_is_replaced_only_when_approved(self, run: LiveRun, others: list):
        change = decide(desired(title="New"), run, *others)

        assert "in-doubt" in rules(change)
        approved = decide(desired(title="New"), run, *others, keys=frozenset({"a"}))
        assert "in-doubt" not in rules(approved)

    def test_replace_asks_for_a_new_revision_of_the_declared_plans(self):
        change = decide(desired(), made(1, desired()), replace=frozenset({"a"}))

        assert (change.outcome, change.reason) == (
            Outcome.REPLACE_BY_CREATE,
            Reason.REPLACE_REQUESTED,
        )
        assert shown(change) == ["+ Run a (r2)", "x 1"]

    def test_replace_of_a_clone_clones_the_run_itself(self):
        spec = desired(clone_run=5)

        change = decide(spec, made(7, spec), live(5, "Source"), replace=frozenset({"a"}))

        assert shown(change) == ["» 7 Run a (r2)", "x 7"]

    def test_a_damaged_run_with_the_next_title_stops_it(self):
        change = decide(
            desired(milestone=5), made(1, desired()), live(2, "Run a (r2)", "[qarun:1 web-team a")
        )

        assert {"marker-lost", "title-clash"} <= set(rules(change))

    def test_a_run_that_shares_the_title_is_not_taken_for_the_keys_own(self):
        """Where titles are unique in a milestone only, people may have a run of that title."""
        others = made(1, desired()), live(2, "Run a")

        assert rules(decide(desired(milestone=5), *others)) == ["in-doubt"]
        approved = decide(desired(milestone=5), *others, keys=frozenset({"a"}))
        assert (rules(approved), shown(approved)) == ([], ["» 1 Run a (r2)", "x 1"])

    def test_an_archived_milestone_is_refused(self):
        assert rules(decide(desired(milestone="Old"))) == ["archived-milestone"]
        carried = made(1, desired(), milestone_id=4, is_milestone_archived=True)
        assert rules(decide(desired(title="New"), carried)) == ["archived-milestone"]

    def test_an_archived_milestone_resolves_for_comparison(self):
        spec = desired(milestone="Old")

        assert not decide(spec, made(1, spec)).is_pending

    def test_an_empty_run_must_not_follow_one_with_cases(self):
        assert not first_make(decide(desired(title="New"), made(1, desired()))).may_be_empty
        empty = made(1, desired(), counts=counts(0))
        assert first_make(decide(desired(title="New"), empty)).may_be_empty
        assert first_make(decide(desired())).may_be_empty

    def test_an_empty_run_must_not_follow_an_older_one_with_cases(self):
        spec = desired(title="New", replace="always")
        older, newest = made(1, desired()), made(2, desired(), 2, counts=counts(0))

        assert not first_make(decide(spec, older, newest)).may_be_empty


class TestUnmanaged:
    def test_it_is_kept_and_not_compared(self):
        spec = desired(state=State.UNMANAGED, milestone="Nope", folders=[9])

        change = decide(spec, made(1, desired()), made(2, desired(), 2, title="Run a (r2)"))

        assert (change.outcome, change.reason) == (Outcome.UNMANAGED, Reason.DECLARED_UNMANAGED)
        assert not change.is_pending


class TestNames:
    def test_a_name_that_does_not_resolve_withholds_its_run(self):
        change = decide(desired(milestone="Sprnt 1"), made(1, desired()))

        assert (change.outcome, change.reason) == (Outcome.KEEP, Reason.UNRESOLVED)
        assert rules(change) == ["unresolved-name"]
        assert "did you mean `Sprint 1`" in change.blocks[0].line

    def test_every_name_is_named(self):
        spec = desired(milestone="Nope", assignee="no@example.com", folders=["Nowhere"])

        assert rules(decide(spec)) == ["unresolved-name"] * 3
