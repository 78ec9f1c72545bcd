"""The rows of the decision table about runs that are closed, and about several open ones."""

import pytest
from builders import closes, counts, decide, desired, first_make, live, made, reasons, rules, shown

from runs_as_code.model.actions import CloseReason
from runs_as_code.model.desired import CloseWhen, Field, OnClosed, State
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Outcome, Reason

WORKED_ON = counts(open_cases=2, passed=1)
COMPLETE = counts(open_cases=0, passed=2, failed=1)


class TestCompletion:
    def test_a_complete_run_is_closed(self):
        spec = desired(close_when=CloseWhen.COMPLETE)

        change = decide(spec, made(1, spec, counts=COMPLETE))

        assert (change.outcome, change.reason) == (Outcome.CLOSE, Reason.COMPLETE)
        assert reasons(change) == [CloseReason.COMPLETE]
        assert not change.is_withheld

    @pytest.mark.parametrize("left", [WORKED_ON, counts(0)], ids=["cases left", "empty"])
    def test_neither_an_incomplete_nor_an_empty_run_is_closed(self, left):
        spec = desired(close_when=CloseWhen.COMPLETE)

        assert not decide(spec, made(1, spec, counts=left)).is_pending

    def test_without_the_setting_it_stays_open(self):
        assert not decide(desired(), made(1, desired(), counts=COMPLETE)).is_pending

    def test_a_complete_run_in_doubt_is_closed_only_when_approved(self):
        spec = desired(close_when=CloseWhen.COMPLETE)
        run = made(1, spec, counts=COMPLETE, renamed="Mine")

        assert rules(decide(spec, run)) == ["in-doubt"]
        assert not decide(spec, run, keys=frozenset({"a"})).is_withheld

    def test_a_protected_run_is_not_closed_for_being_complete(self):
        spec = desired(close_when=CloseWhen.COMPLETE, protect=True)

        assert rules(decide(spec, made(1, spec, counts=COMPLETE))) == ["protected"]

    def test_names_that_do_not_resolve_do_not_keep_it_open(self):
        spec = desired(close_when=CloseWhen.COMPLETE, milestone="Nope")

        change = decide(spec, made(1, desired(), counts=COMPLETE))

        assert change.reason is Reason.COMPLETE
        assert not change.is_withheld

    def test_other_changes_come_too_late(self):
        spec = desired(close_when=CloseWhen.COMPLETE, milestone=6, folders=[2])

        assert shown(decide(spec, made(1, desired(), counts=COMPLETE))) == ["x 1"]

    def test_a_new_title_declares_a_further_run(self):
        spec = desired(title="New", close_when=CloseWhen.COMPLETE)
        run = made(1, desired(), counts=COMPLETE)

        change = decide(spec, run)

        assert shown(change) == ["» 1 New", "x 1"]
        assert not change.is_withheld

    @pytest.mark.parametrize(
        ("settings", "rule"),
        [({"protect": True}, "protected"), ({"replace": "never"}, "replace-never")],
    )
    def test_a_new_title_lifts_the_block_for_results_only(self, settings: dict, rule: str):
        spec = desired(title="New", close_when=CloseWhen.COMPLETE, **settings)

        assert rules(decide(spec, made(1, desired(), counts=COMPLETE))) == [rule]

    def test_its_replacement_can_be_finished_after_a_crash(self):
        spec = desired(title="New", close_when=CloseWhen.COMPLETE)
        runs = (made(1, desired(), counts=COMPLETE), made(2, spec, 2))

        change = decide(spec, *runs)

        assert shown(change) == ["x 1"]
        assert not change.is_withheld

    def test_what_was_closed_for_being_complete_stays_closed(self):
        """`onClosed` is about runs that somebody closed, not about those that were due."""
        spec = desired(close_when=CloseWhen.COMPLETE, on_closed=OnClosed.RECREATE)
        closed = made(1, spec, counts=COMPLETE, closed=True)

        assert shown(decide(spec, made(1, spec, counts=COMPLETE))) == ["x 1"]
        change = decide(spec, closed)
        assert (change.outcome, change.reason) == (Outcome.KEEP, Reason.COMPLETED)
        assert not change.is_pending
        assert shown(decide(spec, made(1, spec, counts=WORKED_ON, closed=True))) == ["+ Run a (r2)"]
        assert shown(decide(spec, closed, replace=frozenset({"a"}))) == ["+ Run a (r2)"]


class TestDeclaredClosed:
    def test_all_open_runs_are_closed_oldest_first(self):
        spec = desired(state=State.CLOSED)
        runs = [made(3, spec, 2, counts=WORKED_ON, title="Run a (r2)"), made(1, spec)]

        change = decide(spec, *runs, made(2, spec, title="Old", closed=True))

        assert (change.outcome, change.reason) == (Outcome.CLOSE, Reason.DECLARED_CLOSED)
        assert shown(change) == ["x 1", "x 3"]
        assert reasons(change) == [CloseReason.DECLARED] * 2
        assert not change.is_withheld

    def test_nothing_is_left_to_close(self):
        spec = desired(state=State.CLOSED, milestone="Nope")

        assert decide(spec).outcome is Outcome.KEEP
        assert not decide(spec, made(1, desired(), closed=True)).is_pending

    def test_a_run_in_doubt_is_closed_only_when_approved(self):
        spec = desired(state=State.CLOSED)
        run = made(1, desired(), renamed="Mine")

        assert rules(decide(spec, run)) == ["in-doubt"]
        assert not decide(spec, run, keys=frozenset({"a"})).is_withheld

    def test_a_protected_run_is_closed_with_protect_false_only(self):
        run = made(1, desired(protect=True))

        protected = decide(desired(state=State.CLOSED, protect=True), run, keys=frozenset({"a"}))
        assert rules(protected) == ["protected"]
        assert not decide(desired(state=State.CLOSED), run).is_withheld

    def test_an_adopted_run_is_closed(self):
        assert shown(decide(desired(state=State.CLOSED, adopt=4), live(4))) == ["x 4"]


class TestNewestClosed:
    def test_it_stays_closed(self):
        change = decide(desired(milestone="Nope"), made(1, desired(), closed=True, closed_by=7))

        assert (change.outcome, change.reason) == (Outcome.STAY_CLOSED, Reason.CLOSED_BY_SOMEBODY)
        assert not change.is_pending

    def test_recreate_makes_the_next_revision(self):
        change = decide(desired(on_closed=OnClosed.RECREATE), made(1, desired(), 4, closed=True))

        assert (change.outcome, change.reason) == (Outcome.CREATE, Reason.RECREATED)
        assert shown(change) == ["+ Run a (r5)"]

    def test_another_title_declares_a_new_run(self):
        change = decide(desired(title="New"), made(1, desired(), closed=True))

        assert (change.outcome, change.reason) == (Outcome.CREATE, Reason.TITLE_CHANGED)
        assert shown(change) == ["+ New"]
        assert first_make(change).revision == 2

    def test_another_title_of_a_clone_clones_again(self):
        spec = desired(title="New", clone_run=5)

        change = decide(spec, made(7, desired(), closed=True), live(5, "Source"))

        assert (change.outcome, shown(change)) == (Outcome.CLONE, ["» 5 New"])

    @pytest.mark.parametrize(
        "spec",
        [
            desired(title="New", ignore_changes=frozenset({Field.TITLE})),
            desired(milestone=5, assignee=7, description="New", folders=[2]),
        ],
        ids=["ignored title", "other fields"],
    )
    def test_nothing_else_declares_one(self, spec):
        assert not decide(spec, made(1, desired(), closed=True)).is_pending

    def test_a_title_that_the_closed_run_got_by_hand_declares_none(self):
        """Else closing a run would make a plan wish for another one."""
        run = made(1, desired(title="Old"), renamed="Run a", closed=True)

        assert not decide(desired(), run).is_pending

    def test_replace_asks_for_one(self):
        run = made(1, desired(), closed=True)

        assert shown(decide(desired(), run, replace=frozenset({"a"}))) == ["+ Run a (r2)"]


class TestSeveralOpen:
    older = made(1, desired())
    newest = made(2, desired(), 2, title="Run a (r2)")

    def test_the_run_of_the_key_has_the_highest_id(self):
        change = decide(desired(), self.newest, self.older)

        assert (change.outcome, change.reason) == (Outcome.CLOSE, Reason.OLDER_REVISIONS)
        assert change.run == self.newest
        assert shown(change) == ["x 1"]
        assert reasons(change) == [CloseReason.OLDER]
        assert closes(change)[0].successor_run == 2

    def test_the_older_go_after_a_replacement(self):
        change = decide(desired(milestone=5), self.older, self.newest)

        assert shown(change) == ["» 2 Run a (r3)", "x 1", "x 2"]
        assert reasons(change) == [CloseReason.OLDER, CloseReason.REPLACED]
        assert {close.successor_key for close in closes(change)} == {"a"}

    def test_the_older_go_before_a_complete_one(self):
        spec = desired(close_when=CloseWhen.COMPLETE)
        newest = made(2, desired(), 2, title="Run a (r2)", counts=COMPLETE)

        change = decide(spec, self.older, newest)

        assert shown(change) == ["x 1", "x 2"]
        assert reasons(change) == [CloseReason.OLDER, CloseReason.COMPLETE]

    @pytest.mark.parametrize(
        ("spec", "run", "rule"),
        [
            (desired(), made(1, desired(), counts=WORKED_ON), "has-results"),
            (desired(replace="never"), older, "replace-never"),
            (desired(protect=True), older, "protected"),
            (desired(), made(1, desired(), renamed="Mine"), "in-doubt"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_the_rules_of_a_replacement_hold(self, spec, run: LiveRun, rule: str):
        assert rules(decide(spec, run, self.newest)) == [rule]

    @pytest.mark.parametrize("replace", ["always", "r2"])
    def test_the_approval_of_a_replacement_covers_its_end(self, replace: str):
        older = made(1, desired(), counts=WORKED_ON)

        assert not decide(desired(replace=replace), older, self.newest).is_withheld

    @pytest.mark.parametrize(
        "differing",
        [{"milestone_id": 6}, {"assignee_id": None}, {"counts": counts(0)}],
        ids=lambda differing: next(iter(differing)),
    )
    def test_they_stay_while_the_newest_is_not_as_it_was_sent(self, differing: dict):
        spec = desired(milestone=5, assignee=7)
        newest = made(2, spec, 2, title="Run a (r2)", **differing)

        change = decide(spec, made(1, spec), newest)

        assert rules(change) == ["unverified-successor"]
        approved = decide(spec, made(1, spec), newest, keys=frozenset({"a"}))
        assert not approved.is_withheld


class TestSuccessorClosed:
    older = made(1, desired())
    newest = made(2, desired(), 2, title="Run a (r2)", closed=True)

    def test_somebody_must_decide(self):
        change = decide(desired(), self.older, self.newest)

        assert (change.outcome, change.reason) == (Outcome.DECIDE, Reason.SUCCESSOR_CLOSED)
        assert rules(change) == ["successor-closed"]
        assert change.blocks[0].flag == "--approve a"
        assert change.actions == ()

    def test_an_approval_makes_the_newest_open_run_the_one(self):
        approved = frozenset({"a"})

        assert not decide(desired(), self.older, self.newest, keys=approved).is_pending
        change = decide(desired(milestone=5), self.older, self.newest, keys=approved)
        assert shown(change) == ["» 1 Run a (r3)", "x 1"]
        assert first_make(change).revision == 3

    def test_the_file_decides_for_a_new_one(self):
        spec = desired(on_closed=OnClosed.RECREATE)

        change = decide(spec, self.older, self.newest)

        assert shown(change) == ["+ Run a (r3)", "x 1"]
        assert closes(change)[0].successor_key == "a"
        assert reasons(change) == [CloseReason.OLDER]

    def test_the_file_decides_for_none(self):
        assert shown(decide(desired(state=State.CLOSED), self.older, self.newest)) == ["x 1"]

    def test_results_of_the_older_still_block(self):
        spec = desired(on_closed=OnClosed.RECREATE)
        older = made(1, desired(), counts=WORKED_ON)

        assert rules(decide(spec, older, self.newest)) == ["has-results"]
