"""Runs that nothing declares any more: kept, pruned, protected, or suspected to be renamed."""

from dataclasses import replace

import pytest
from builders import (
    counts,
    desired,
    live,
    made,
    manifest,
    plan_owner,
    plan_project,
    reasons,
    rules,
    shown,
)

from runs_as_code.model.actions import CloseReason
from runs_as_code.model.desired import LeftOut, Prune, State
from runs_as_code.model.plan import Outcome, Reason

KEPT = made(1, desired("kept"))
KEPT_SPEC = desired("kept")


def plan_orphan(*orphans, prune: Prune = Prune.CLOSE, specs=(KEPT_SPEC,), **settings):
    """Plan a file that declares another run, and return the decision about the orphan's key."""
    plan = plan_owner(manifest(*specs, prune=prune), [KEPT, *orphans], **settings)
    return plan.changes[-1]


ORPHAN = made(5, desired("z"))


class TestPrune:
    def test_keep_shows_it_and_does_nothing(self):
        change = plan_orphan(ORPHAN, prune=Prune.KEEP)

        assert (change.outcome, change.reason) == (Outcome.ORPHAN, Reason.NO_LONGER_DECLARED)
        assert not change.is_pending
        assert change.notes

    def test_close_closes_all_its_open_runs_oldest_first(self):
        change = plan_orphan(made(7, desired("z"), 2, title="Z"), ORPHAN, made(6, desired("z"), 9))

        assert (change.outcome, shown(change)) == (Outcome.CLOSE, ["x 5", "x 6", "x 7"])
        assert set(reasons(change)) == {CloseReason.PRUNED}

    def test_a_closed_one_is_nothing(self):
        plan = plan_owner(
            manifest(KEPT_SPEC, prune=Prune.CLOSE), [KEPT, made(5, desired("z"), closed=True)]
        )

        assert [change.key for change in plan.changes] == ["kept"]

    @pytest.mark.parametrize("approved", [frozenset(), frozenset({"z"})])
    def test_the_marker_protects_it_whoever_approves(self, approved: frozenset):
        change = plan_orphan(made(5, desired("z", protect=True)), keys=approved)

        assert rules(change) == ["protected"]
        assert change.blocks[0].line == "declare the key with protect: false, state: closed"

    @pytest.mark.parametrize("work", [{"counts": counts(2, 1)}, {"time_spent": 5}])
    def test_work_blocks_while_cases_are_open(self, work: dict):
        change = plan_orphan(made(5, desired("z"), **work))

        assert rules(change) == ["prune-has-results"]
        assert not plan_orphan(made(5, desired("z"), **work), keys=frozenset({"z"})).is_withheld

    def test_finished_work_does_not_block(self):
        assert not plan_orphan(made(5, desired("z"), counts=counts(0, 3))).is_withheld

    def test_doubt_blocks(self):
        orphan = made(5, desired("z"), renamed="Mine")

        assert rules(plan_orphan(orphan)) == ["in-doubt"]
        assert not plan_orphan(orphan, keys=frozenset({"z"})).is_withheld

    def test_a_run_by_alias_is_never_pruned(self):
        given = manifest(KEPT_SPEC, prune=Prune.CLOSE, owner_aliases=("old-team",))
        orphan = made(5, desired("z"), mark={"owner": "old-team"})

        change = plan_owner(given, [KEPT, orphan]).changes[-1]

        assert (change.outcome, change.is_pending) == (Outcome.ORPHAN, False)

    @pytest.mark.parametrize(
        "other",
        [
            made(5, desired("z"), mark={"owner": "api-team"}),
            live(5, "By hand"),
            live(5, "Damaged", "[qarun:1 web-team z"),
            live(5, "Copy", KEPT.description),
        ],
    )
    def test_what_is_not_ours_is_no_orphan(self, other):
        plan = plan_owner(manifest(KEPT_SPEC, prune=Prune.CLOSE), [KEPT, other])

        assert [change.key for change in plan.changes] == ["kept"]

    def test_an_unmanaged_or_closed_key_is_declared(self):
        specs = (KEPT_SPEC, desired("z", state=State.UNMANAGED))

        assert plan_orphan(ORPHAN, specs=specs).outcome is Outcome.UNMANAGED

    def test_every_file_of_the_owner_must_prune(self):
        files = [
            manifest(KEPT_SPEC, prune=Prune.CLOSE, file="1"),
            manifest(prune=Prune.KEEP, file="2"),
        ]

        (plan,) = plan_project(files, [KEPT, ORPHAN]).projects

        assert plan.actions == ()

    def test_another_owner_s_file_does_not_count(self):
        files = [
            manifest(KEPT_SPEC, prune=Prune.CLOSE, file="1"),
            manifest(prune=Prune.KEEP, owner="api-team", file="2"),
        ]

        assert shown(plan_project(files, [KEPT, ORPHAN]).projects[1].changes[-1]) == ["x 5"]

    def test_nothing_is_pruned_under_target(self):
        assert plan_orphan(ORPHAN, targets=("z",)).actions == ()

    def test_nothing_is_pruned_while_a_file_beside_it_was_not_given(self):
        change = plan_orphan(ORPHAN, left_out=[LeftOut("other.yaml", "web-team", "BD")])

        assert rules(change) == ["prune-partial"]
        assert "`other.yaml`" in change.blocks[0].message

    def test_a_left_out_file_of_another_owner_does_not_count(self):
        assert not plan_orphan(ORPHAN, left_out=[LeftOut("x", "api-team", "BD")]).is_withheld


class TestEmptyManifest:
    @pytest.mark.parametrize(
        "specs", [(), (desired("new", "New", previous_keys=()),)], ids=["no runs", "new runs only"]
    )
    def test_it_is_refused(self, specs):
        plan = plan_owner(manifest(*specs, prune=Prune.CLOSE), [ORPHAN])

        assert [refusal.rule for refusal in plan.refusals] == ["empty-manifest"]
        assert plan.refusals[0].flag == "--allow-empty"
        assert plan.actions == ()

    def test_it_can_be_allowed(self):
        plan = plan_owner(manifest(prune=Prune.CLOSE), [ORPHAN], allow_empty=True)

        assert shown(plan.changes[0]) == ["x 5"]
        assert plan.refusals == ()

    def test_keeping_needs_no_permission(self):
        assert plan_owner(manifest(), [ORPHAN]).refusals == ()

    def test_one_declared_open_run_is_enough(self):
        assert plan_owner(manifest(KEPT_SPEC, prune=Prune.CLOSE), [KEPT, ORPHAN]).refusals == ()
        renamed = desired("new", "Run kept", previous_keys=("kept",))
        assert plan_owner(manifest(renamed, prune=Prune.CLOSE), [KEPT, ORPHAN]).refusals == ()

    def test_a_prune_that_is_withheld_anyway_refuses_nothing(self):
        """Found by a random history: the rest of the project was stopped for nothing."""
        orphan = made(5, desired("z", protect=True))

        plan = plan_owner(manifest(desired("new", "New"), prune=Prune.CLOSE), [orphan])

        assert plan.refusals == ()


class TestRenames:
    """With a close that can't be undone, a renamed key must never be a create and a close."""

    def suspect(self, spec, *orphans, prune=Prune.CLOSE, **settings):
        given = manifest(KEPT_SPEC, spec, prune=prune)
        plan = plan_owner(given, [KEPT, *orphans], **settings)
        return {change.key: change for change in plan.changes}

    @pytest.mark.parametrize(
        ("spec", "orphan"),
        [
            (desired("new", "New"), ORPHAN),
            (desired("new", "Run z", folders=[2]), made(5, desired("z"), renamed="Mine")),
            (desired("new", "RUN Z", folders=[2]), ORPHAN),
        ],
        ids=["selection", "title as declared", "title as it stands"],
    )
    def test_both_are_withheld(self, spec, orphan):
        changes = self.suspect(spec, orphan)

        assert "looks-like-rename" in rules(changes["new"])
        assert "looks-like-rename" in rules(changes["z"])
        assert changes["z"].blocks[-1].line.startswith("previousKeys: [z] if it is the same run")

    def test_a_kept_orphan_withholds_the_create_only(self):
        changes = self.suspect(desired("new", "New"), ORPHAN, prune=Prune.KEEP)

        assert rules(changes["new"]) == ["looks-like-rename"]
        assert not changes["z"].is_pending

    def test_every_orphan_that_looks_like_it_is_withheld(self):
        """Found by reading: the second of two look-alikes was closed."""
        changes = self.suspect(desired("new", "New"), ORPHAN, made(6, desired("y")))

        assert changes["y"].is_withheld
        assert changes["z"].is_withheld
        assert rules(changes["new"]) == ["looks-like-rename"] * 2

    @pytest.mark.parametrize(
        "settings",
        [{}, {"milestone": "Nope"}, {"clone": "kept"}, {"clone": "nowhere"}, {"folders": [2]}],
        ids=["held", "unresolved", "clone", "blocked clone", "other selection"],
    )
    def test_a_create_that_is_blocked_anyway_still_holds_its_orphan(self, settings: dict):
        """Found by reading: with the old title the create was blocked, and the old run closed."""
        spec = desired("new", "Run z", **settings)

        changes = self.suspect(spec, ORPHAN)

        assert changes["z"].is_withheld

    def test_previous_keys_makes_it_a_rename(self):
        changes = self.suspect(desired("new", "Run z", previous_keys=("z",)), ORPHAN)

        assert set(changes) == {"kept", "new"}
        assert changes["new"].outcome is Outcome.KEEP

    def test_no_previous_keys_says_that_it_is_none(self):
        changes = self.suspect(desired("new", "New", previous_keys=()), ORPHAN)

        assert shown(changes["new"]) == ["+ New"]
        assert shown(changes["z"]) == ["x 5"]

    def test_an_approval_says_so_once(self):
        changes = self.suspect(desired("new", "New"), ORPHAN, keys=frozenset({"new"}))

        assert not changes["new"].is_withheld
        assert not changes["z"].is_withheld

    def test_neither_title_nor_selection_is_no_rename(self):
        changes = self.suspect(desired("new", "New", folders=[2]), ORPHAN)

        assert not changes["z"].is_withheld

    def test_a_clone_has_its_source_s_selection_and_looks_like_nothing(self):
        changes = self.suspect(desired("new", "New", clone="kept"), ORPHAN)

        assert shown(changes["new"]) == ["» 1 New"]
        assert shown(changes["z"]) == ["x 5"]

    def test_what_a_key_had_before_looks_like_nothing(self):
        spec = desired("new", "New")

        changes = self.suspect(spec, ORPHAN, made(8, desired("new"), closed=True))

        assert shown(changes["new"]) == ["+ New"]
        assert shown(changes["z"]) == ["x 5"]

    @pytest.mark.parametrize("closed", [True, False])
    @pytest.mark.parametrize(
        ("spec", "had"),
        [
            (desired("new", "Run z"), {"folders": [1]}),
            (desired("new", "Other"), {"folders": [2]}),
        ],
        ids=["title", "selection"],
    )
    def test_a_key_that_had_a_run_gets_one_that_looks_like_an_orphan(self, spec, had, closed):
        """Found by reading: only keys without any run were looked at."""
        before = made(8, desired("new", "Before", **had), closed=closed)

        changes = self.suspect(spec, ORPHAN, before)

        assert rules(changes["new"]) == ["looks-like-rename"]
        assert rules(changes["z"]) == ["looks-like-rename"]
        block = changes["new"].blocks[0]
        assert block.message.startswith("the next run of `new` looks like `z`")
        assert block.line.startswith("another key with previousKeys: [z]")
        assert not self.suspect(spec, ORPHAN, before, keys=frozenset({"new"}))["z"].is_withheld

    def test_an_unmanaged_key_that_looks_like_an_orphan_keeps_it(self):
        """Found by reading: what a file leaves unmanaged under a new key was pruned."""
        spec = desired("new", "Run z", state=State.UNMANAGED)

        changes = self.suspect(spec, ORPHAN)

        assert not changes["new"].is_withheld
        assert rules(changes["z"]) == ["looks-like-rename"]
        assert not self.suspect(replace(spec, previous_keys=()), ORPHAN)["z"].is_withheld

    def test_an_unmanaged_key_has_its_own_run(self):
        spec = desired("new", "Run z", state=State.UNMANAGED)

        changes = self.suspect(spec, ORPHAN, made(8, desired("new")))

        assert shown(changes["z"]) == ["x 5"]


class TestRenamesBetweenOwners:
    """A key that was moved to another owner's file waits for a title that nobody may bury."""

    def suspect(self, spec, *orphans, prune=Prune.CLOSE, **settings):
        files = [
            manifest(KEPT_SPEC, prune=prune, file="1"),
            manifest(spec, owner="api-team", file="2"),
        ]
        theirs, ours = plan_project(files, [KEPT, *orphans], **settings).projects
        return theirs.changes[0], ours.changes[-1]

    def test_the_title_withholds_both(self):
        new, orphan = self.suspect(desired("z", folders=[2]), ORPHAN)

        assert rules(new) == ["title-held", "looks-like-rename"]
        assert rules(orphan) == ["looks-like-rename"]
        message = orphan.blocks[0].message
        assert message.startswith("`api-team/z` is new and looks like `z` of owner `web-team`, ")

    def test_it_can_be_denied_where_nothing_else_is_in_the_way(self):
        renamed = made(5, desired("z"), renamed="Mine")
        spec = desired("z", folders=[2])

        assert rules(self.suspect(spec, renamed)[0]) == ["looks-like-rename"]
        for keys in ({"z"}, {"api-team/z", "web-team/z"}):
            new, orphan = self.suspect(spec, renamed, keys=frozenset(keys))
            assert (new.is_withheld, orphan.is_withheld) == (False, False)
        denied, _ = self.suspect(replace(spec, previous_keys=()), renamed)
        assert not denied.is_withheld

    def test_teams_may_select_the_same(self):
        new, orphan = self.suspect(desired("z", "Another"), ORPHAN)

        assert (shown(new), shown(orphan)) == (["+ Another"], ["x 5"])

    def test_an_orphan_that_is_kept_withholds_nothing(self):
        renamed = made(5, desired("z"), renamed="Mine")

        new, orphan = self.suspect(desired("z", folders=[2]), renamed, prune=Prune.KEEP)

        assert not new.is_withheld
        assert not orphan.is_pending
