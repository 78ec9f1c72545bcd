"""Whose run is it: ours, an alias's, a copy, foreign, adopted; and which key it belongs to."""

from dataclasses import replace

import pytest
from builders import (
    counts,
    decide,
    desired,
    live,
    made,
    manifest,
    plan_owner,
    plan_project,
    rules,
    shown,
)

from runs_as_code.model.desired import CloseWhen, IfExists
from runs_as_code.model.plan import Outcome, Reason
from runs_as_code.planning.ownership import Ownership, ProjectRuns

OURS = made(1, desired())


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (OURS, Ownership.OURS),
        (made(2, desired(), mark={"owner": "old-team"}), Ownership.ALIAS),
        (made(2, desired(), mark={"owner": "api-team"}), Ownership.FOREIGN),
        (live(2, "Copy", OURS.description), Ownership.COPY),
        (live(2, "Other", "[qarun:2 new]"), Ownership.FOREIGN),
        (live(2, "Other", "[qarun:1 damaged"), Ownership.DAMAGED),
        (live(2, "Other", "By hand"), Ownership.UNMARKED),
    ],
)
def test_ownership(run, expected: Ownership):
    runs = ProjectRuns({1: OURS, run.id: run}.values())

    assert runs.ownership(runs.by_id[run.id], "web-team", ["old-team"]) is expected


def test_the_original_of_a_copy_is_the_lowest_id_even_when_closed():
    original = made(3, desired(), closed=True)
    copy = live(5, "Copy", original.description)

    runs = ProjectRuns([copy, original])

    assert runs.ownership(runs.by_id[3], "web-team") is Ownership.OURS
    assert runs.ownership(runs.by_id[5], "web-team") is Ownership.COPY


def test_a_copy_of_a_foreign_run_is_foreign():
    foreign = made(1, desired(), mark={"owner": "api-team"})

    runs = ProjectRuns([foreign, live(2, "Copy", foreign.description)])

    assert runs.ownership(runs.by_id[2], "web-team") is Ownership.FOREIGN


@pytest.mark.parametrize(
    ("runs", "doubt"),
    [
        ([OURS], ""),
        ([made(1, desired(), renamed="Mine")], "was renamed by hand"),
        ([OURS, live(2, "run A")], "shares its title with another run"),
        ([OURS, live(2, "run A", closed=True)], "shares its title with another run"),
        ([made(1, desired(), renamed="Run&nbsp;a ")], ""),
        ([made(1, desired(), 2, title="Run a (r2)")], ""),
    ],
)
def test_doubt(runs, doubt: str):
    assert ProjectRuns(runs).by_id[1].doubt == doubt


def test_nothing_is_made_beside_a_renamed_run():
    assert not decide(desired(), made(1, desired(), renamed="Mine")).is_pending


def test_a_copy_is_left_alone_and_takes_no_part():
    copy = live(9, "Copy", OURS.description)

    change = decide(desired(milestone=5), OURS, copy)

    assert shown(change) == ["» 1 Run a (r2)", "x 1"]


class TestAliases:
    renamed_owner = manifest(desired(milestone=5), owner_aliases=("old-team",))
    old = made(1, desired(), 3, mark={"owner": "old-team"})

    def test_runs_of_an_alias_are_replaced_in_the_new_name(self):
        (change,) = plan_owner(self.renamed_owner, [self.old]).changes

        assert shown(change) == ["» 1 Run a (r4)", "x 1"]
        assert "[qarun:1 web-team a r4 " in change.actions[0].marker

    def test_without_the_alias_they_are_foreign(self):
        (change,) = plan_owner(manifest(desired(milestone=5)), [self.old]).changes

        assert rules(change) == ["title-held"]

    def test_the_plan_says_when_the_alias_may_go(self):
        done = manifest(desired(), owner_aliases=("old-team",))

        assert plan_owner(done, [self.old]).notes == ()
        assert "`old-team` may go" in plan_owner(done, [made(1, desired())]).notes[0]

    def test_an_orphan_keeps_the_alias(self):
        orphan = made(5, desired("z"), mark={"owner": "old-team"})

        assert plan_owner(manifest(owner_aliases=("old-team",)), [orphan]).notes == ()


class TestPreviousKeys:
    spec = desired("new", "Run a", previous_keys=("a",))

    def test_a_run_of_the_old_key_is_the_new_one_s(self):
        assert not decide(self.spec, made(1, desired())).is_pending

    def test_revisions_count_on(self):
        spec = desired("new", "Run new", previous_keys=("a",))

        assert shown(decide(spec, made(1, desired(), 6))) == ["» 1 Run new", "x 1"]
        change = decide(spec, made(1, desired(), 6, closed=True))
        assert change.actions[0].revision == 7

    def test_runs_of_an_old_key_are_no_orphans(self):
        changes = plan_owner(manifest(self.spec, prune="close"), [made(1, desired())]).changes

        assert [change.key for change in changes] == ["new"]

    def test_the_plan_says_when_the_line_may_go(self):
        given = manifest(self.spec)

        assert plan_owner(given, [made(1, desired())]).notes == ()
        replaced = [made(1, desired(), closed=True), made(2, desired("new"), 2)]
        assert "`a` may go" in plan_owner(given, replaced).notes[0]


class TestAdoption:
    def test_it_writes_nothing_and_shows_no_change(self):
        spec = desired(adopt=4, milestone=5, folders=[1, 2])

        change = decide(spec, live(4, "Old"))

        assert (change.outcome, change.reason) == (Outcome.ADOPT, Reason.ADOPTED)
        assert not change.is_pending
        assert {diff.field for diff in change.drift} == {"title", "milestone"}
        assert change.notes == ("selection: unknown, not applied",)

    def test_nothing_is_applied_without_a_word(self):
        spec = desired(adopt=4, title="New", folders=[2], replace="always")

        assert not decide(spec, live(4)).is_pending

    @pytest.mark.parametrize(
        ("replace", "approved"), [("r1", frozenset()), ("auto", frozenset({"a"}))]
    )
    def test_two_ways_to_ask_for_its_replacement(self, replace: str, approved: frozenset):
        spec = desired(adopt=4, replace=replace)

        change = decide(spec, live(4), replace=approved)

        assert shown(change) == ["+ Run a (r1)", "x 4"]
        assert change.actions[1].marker is None

    def test_the_replacement_of_declared_nothing_is_a_clone(self):
        spec = desired(adopt=4, folders=(), replace="r1")

        change = decide(spec, live(4, "Old"))

        assert shown(change) == ["» 4 Run a", "x 4"]
        assert " s- " in change.actions[0].marker

    def test_the_line_may_stay_after_the_replacement(self):
        spec = desired(adopt=4, replace="r1")
        runs = [live(4, closed=True), made(7, spec, title="Run a (r1)")]

        assert not decide(spec, *runs).is_pending

    def test_a_replacement_that_was_cut_short_is_finished(self):
        spec = desired(adopt=4, replace="r1")
        runs = [live(4, time_spent=5), made(7, spec, title="Run a (r1)")]

        change = decide(spec, *runs)

        assert shown(change) == ["x 4"]
        assert not change.is_withheld

    @pytest.mark.parametrize(
        ("run", "rule"),
        [
            (live(5), "adopt-not-found"),
            (made(4, desired(), mark={"owner": "api-team"}), "adopt-foreign"),
            (made(4, desired("b")), "adopt-foreign"),
            (live(4, description="[qarun:7 new]"), "adopt-foreign"),
        ],
    )
    def test_only_a_run_of_this_project_that_nobody_manages(self, run, rule: str):
        change = decide(desired(adopt=4), run)

        assert (change.outcome, rules(change)) == (Outcome.DECIDE, [rule])

    def test_a_copy_can_not_be_adopted(self):
        original = made(1, desired("b"))

        change = decide(desired(adopt=4), original, live(4, "Copy", original.description))

        assert rules(change) == ["adopt-foreign"]

    def test_a_damaged_run_can(self):
        change = decide(desired(adopt=4), live(4, description="[qarun:1 web-team"))

        assert change.outcome is Outcome.ADOPT

    def test_our_own_run_of_the_key_needs_no_adoption(self):
        change = decide(desired(adopt=4), made(4, desired()))

        assert change.outcome is Outcome.KEEP

    def test_a_closed_run_stays_closed(self):
        assert decide(desired(adopt=4), live(4, closed=True)).outcome is Outcome.STAY_CLOSED

    def test_an_adopted_run_is_no_longer_unmanaged(self):
        runs = [live(4), live(5, "Other")]

        assert [r.id for r in plan_owner(manifest(desired(adopt=4)), runs).unmanaged] == [5]
        by_title = desired(if_exists=IfExists.ADOPT)
        assert [r.id for r in plan_owner(manifest(by_title), runs).unmanaged] == [5]
        assert [r.id for r in plan_owner(manifest(desired()), runs).unmanaged] == [4, 5]

    @pytest.mark.parametrize("text", ["", "[qarun:1 damaged"])
    def test_a_run_that_another_key_adopts_can_not_be_adopted_by_title(self, text: str):
        """Found by a random history: the line to paste would have taken a run from its key."""
        given = manifest(desired("b", adopt=4), desired(if_exists=IfExists.ADOPT))

        changes = plan_owner(given, [live(4, description=text)]).changes

        assert rules(changes[0]) == ["title-held"]
        assert "which `b` adopts" in changes[0].blocks[0].message

    def test_nor_one_that_another_owner_adopts(self):
        files = [manifest(desired("b", adopt=4), owner="api-team"), manifest(desired())]

        plan = plan_project(files, [live(4, description="[qarun:1 damaged")])

        assert rules(plan.projects[1].changes[0]) == ["title-held"]

    def test_a_run_that_is_known_by_its_title_is_not_replaced(self):
        """Found by a random history: killed halfway, nothing would say whose run it was."""
        spec = desired(if_exists=IfExists.ADOPT, replace="r1")

        change = decide(spec, live(4))

        assert "adopted-by-title" in rules(change)
        assert change.blocks[-1].line == "adopt: {run: 4}"

    def test_a_run_that_is_known_by_its_title_is_not_closed_when_it_is_complete(self):
        """Found by review: once closed, it was in the way of its own key for ever."""
        spec = desired(if_exists=IfExists.ADOPT, close_when=CloseWhen.COMPLETE)
        complete = live(4, counts=counts(0, 3))

        assert rules(decide(spec, complete)) == ["adopted-by-title"]
        assert not decide(replace(spec, adopt=4), complete).is_withheld

    def test_a_run_that_is_known_by_its_title_is_lost_with_it(self):
        """Nothing else tells whose it is: the line `adopt` does, which a plan offers to paste."""
        spec = desired(if_exists=IfExists.ADOPT)

        assert not decide(spec, live(4)).is_pending
        assert shown(decide(spec, live(4, "Renamed by hand"))) == ["+ Run a"]


class TestSecondRun:
    """An open copy under the title of its original may be what two applies made at once."""

    TWIN = live(2, "RUN A ", OURS.description)

    def test_it_is_shown_until_somebody_closes_it(self):
        change = decide(desired(), OURS, self.TWIN)

        assert (change.outcome, change.reason) == (Outcome.DECIDE, Reason.SECOND_RUN)
        assert rules(change) == ["second-run"]
        assert "run 2 bears the marker and the title of run 1" in change.blocks[0].message
        assert not decide(desired(), OURS, replace(self.TWIN, closed_at="2024")).is_pending

    def test_it_is_shown_when_its_original_is_closed(self):
        assert rules(decide(desired(), replace(OURS, closed_at="2024"), self.TWIN)) == [
            "second-run"
        ]

    def test_an_approval_leaves_it(self):
        assert not decide(desired(), OURS, self.TWIN, keys=frozenset({"a"})).is_pending

    def test_a_copy_under_another_title_is_somebody_s_clone(self):
        assert not decide(desired(), OURS, live(2, "Copy", OURS.description)).is_pending

    def test_it_is_in_nobody_s_way(self):
        change = decide(desired(title="New"), OURS, self.TWIN)

        assert shown(change) == ["» 1 New", "x 1"]
        assert rules(change) == ["in-doubt"]
