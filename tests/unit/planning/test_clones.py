"""What runs are cloned from, in which order, and what a blocked clone withholds."""

from dataclasses import replace

import pytest
from builders import (
    counts,
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

from runs_as_code.model.actions import CloseReason, CloseRun, MakeRun
from runs_as_code.model.desired import State
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import Block, Change, Outcome, Reason
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.dependencies import settle


def planned(*specs, runs=(), **approvals) -> dict[str, Change]:
    plan = plan_owner(manifest(*specs), runs, **approvals)
    return {change.key: change for change in plan.changes}


class TestSource:
    def test_a_live_run_of_a_key(self):
        source = made(1, desired("s"))

        clone = planned(desired("s"), desired("c", clone="s", milestone=5), runs=[source])["c"]

        make = first_make(clone)
        assert (clone.outcome, shown(clone)) == (Outcome.CLONE, ["» 1 Run c"])
        assert (make.type, make.milestone_id) == ("live", 5)
        marker, source_marker = read_description(make.marker), read_description(source.description)
        assert marker.marker.selection == source_marker.marker.selection

    def test_the_run_that_is_made_for_a_key(self):
        changes = planned(desired("c", clone="s"), desired("s"))

        assert shown(changes["c"]) == ["» s Run c"]
        assert first_make(changes["c"]).type == "live"

    def test_the_successor_of_a_replaced_run(self):
        changes = planned(
            desired("c", clone="s"), desired("s", folders=[2]), runs=[made(1, desired("s"))]
        )

        assert shown(changes["c"]) == ["» s Run c"]
        selections = [
            read_description(first_make(c).marker).marker.selection for c in changes.values()
        ]
        assert selections[0] == selections[1]

    def test_a_chain(self):
        changes = planned(desired("a", clone="b"), desired("b", clone="c"), desired("c"))

        assert shown(changes["a"]) == ["» b Run a"]
        assert shown(changes["b"]) == ["» c Run b"]

    @pytest.mark.parametrize(
        ("state", "expected"),
        [(State.OPEN, []), (State.UNMANAGED, ["» 1 Run c"]), (State.CLOSED, ["» 1 Run c"])],
    )
    def test_the_newest_open_run_unless_somebody_must_decide(self, state: State, expected: list):
        runs = [made(1, desired("s")), made(2, desired("s"), 2, title="S2", closed=True)]

        changes = planned(desired("c", clone="s"), desired("s", state=state), runs=runs)

        assert shown(changes["c"]) == expected

    def test_a_closed_run_where_no_other_is(self):
        runs = [
            made(1, desired("s"), closed=True),
            made(2, desired("s"), 2, title="S", closed=True),
        ]

        assert shown(planned(desired("c", clone="s"), desired("s"), runs=runs)["c"]) == [
            "» 2 Run c"
        ]

    @pytest.mark.parametrize("source", [{"clone_run": 7}, {"clone_title": "source &amp; CO"}])
    def test_any_run_of_the_project_by_id_or_title(self, source: dict):
        runs = [live(7, "Source & co", closed=True, type="static")]

        clone = planned(desired("c", **source), runs=runs)["c"]

        assert shown(clone) == ["» 7 Run c"]
        assert first_make(clone).type == "static"
        assert " s- " in first_make(clone).marker

    def test_the_title_of_a_run_that_this_plan_makes(self):
        """Found by a random history: else the clone would take a second apply."""
        changes = planned(desired("a", clone_title="Run s"), desired("s"))

        assert shown(changes["a"]) == ["» s Run a"]

    def test_titles_in_a_circle_keep_no_other_clone_from_its_order(self):
        """Found by a random history: one circle of titles, and every clone was blocked."""
        changes = planned(
            desired("a", clone="s"),
            desired("s"),
            desired("x", clone_title="Run y"),
            desired("y", clone_title="Run x"),
            desired("z", clone_title="Run z"),
        )

        assert shown(changes["a"]) == ["» s Run a"]
        assert [rules(changes[key]) for key in "xyz"] == [["source-blocked"]] * 3

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ({"clone_run": 99}, "run 99 is not in this project"),
            ({"clone_title": "Nowhere"}, "a run titled `Nowhere` is not"),
            ({"clone_title": "Twice"}, "2 runs bear the title `Twice`: 3, 4"),
            ({"clone": "nobody"}, "its source `nobody` has no live run"),
            ({"clone": "gone"}, "its source `gone` has no live run"),
            ({"clone": "held"}, "its source `held` is blocked"),
        ],
    )
    def test_a_source_that_is_not_there(self, source: dict, words: str):
        runs = [live(3, "Twice"), live(4, "twice"), live(5, "Run held")]

        clone = planned(
            desired("c", **source),
            desired("gone", state=State.CLOSED),
            desired("held"),
            runs=runs,
        )["c"]

        assert rules(clone) == ["source-blocked"]
        assert words in clone.blocks[0].message
        assert clone.actions == ()

    def test_it_is_read_once(self):
        spec = desired("c", clone_run=99)

        assert not planned(spec, runs=[made(8, spec)])["c"].is_pending

    def test_an_empty_source_may_be_cloned(self):
        runs = [live(7, counts=counts(0))]

        assert first_make(planned(desired("c", clone_run=7), runs=runs)["c"]).may_be_empty
        assert not first_make(planned(desired("c", clone_run=7), runs=[live(7)])["c"]).may_be_empty

    def test_a_source_that_is_no_target_is_cloned_as_it_is(self):
        changes = planned(
            desired("c", clone="s"),
            desired("s", milestone=5),
            runs=[made(1, desired("s"))],
            targets=("c",),
        )

        assert list(changes) == ["c"]
        assert shown(changes["c"]) == ["» 1 Run c"]


class TestOrder:
    def test_the_source_is_closed_after_its_clones(self):
        closed = desired("s", state=State.CLOSED)

        changes = planned(
            closed, desired("c", clone="s"), desired("d", clone="s"), runs=[made(1, desired("s"))]
        )

        assert changes["s"].actions[0].cloned_by == ("c", "d")

    def test_a_replaced_run_is_closed_after_the_clones_of_its_id(self):
        changes = planned(
            desired("s", milestone=5), desired("c", clone_run=1), runs=[made(1, desired("s"))]
        )

        assert changes["s"].actions[1].cloned_by == ("c",)

    def test_a_pruned_run_is_closed_after_its_clones(self):
        given = manifest(desired("k"), desired("c", clone_run=1), prune="close")
        runs = [made(1, desired("z", folders=[2])), made(2, desired("k"))]

        changes = {change.key: change for change in plan_owner(given, runs).changes}

        assert changes["z"].actions[0].cloned_by == ("c",)

    @pytest.mark.parametrize(
        "clone",
        [
            desired("c", clone="s", milestone="Nope"),
            desired("c", "Taken", clone="s"),
        ],
        ids=["with an action", "without"],
    )
    def test_a_blocked_clone_keeps_its_source_open(self, clone):
        """Found by reading: a clone whose title was held had no action, and its source closed."""
        changes = planned(
            desired("s", state=State.CLOSED), clone, runs=[made(1, desired("s")), live(2, "Taken")]
        )

        assert rules(changes["s"]) == ["source-of-blocked-clone"]

    def test_a_clone_that_was_made_keeps_nothing_open(self):
        clone = desired("c", clone="s", milestone="Nope")

        changes = planned(
            desired("s", state=State.CLOSED),
            clone,
            runs=[made(1, desired("s")), made(2, desired("c"))],
        )

        assert not changes["s"].is_withheld


class TestOwners:
    """The source of a clone is another owner's run, which that owner wants to close."""

    def plan(self, clone, *, closing=None, runs=(), **settings):
        files = [
            manifest(closing or desired("s", state=State.CLOSED), file="1"),
            manifest(clone, owner="api-team", file="2", **settings),
        ]
        theirs, ours = plan_project(files, [made(1, desired("s")), *runs]).projects
        return theirs, ours

    def test_the_source_is_closed_after_its_clone(self):
        _, ours = self.plan(desired("c", clone_run=1))

        assert ours.changes[0].actions[0].cloned_by == ("api-team/c",)
        assert not ours.is_withheld

    @pytest.mark.parametrize(
        "clone",
        [desired("c", clone_run=1, milestone="Nope"), desired("c", "Taken", clone_run=1)],
        ids=["with an action", "without"],
    )
    def test_a_blocked_clone_keeps_its_source_open(self, clone):
        """Found by review: each owner was ruled over by itself."""
        _, ours = self.plan(clone, runs=[live(2, "Taken")])

        assert rules(ours.changes[0]) == ["source-of-blocked-clone"]
        assert "`api-team/c`" in ours.changes[0].blocks[0].message

    def test_a_refused_plan_keeps_the_source_open(self):
        orphan = made(3, desired("z", "Z", folders=[2]), mark={"owner": "api-team"})

        theirs, ours = self.plan(desired("c", clone_run=1), runs=[orphan], prune="close")

        assert [refusal.rule for refusal in theirs.refusals] == ["empty-manifest"]
        assert rules(ours.changes[0]) == ["source-of-blocked-clone"]

    def test_a_policy_keeps_the_source_open(self):
        _, ours = self.plan(desired("c", clone_run=1), policy=Policy.OBSERVE)

        assert rules(ours.changes[0]) == ["source-of-blocked-clone"]


class TestTarget:
    @pytest.mark.parametrize("target", [desired("s", "Another"), desired("s", state=State.CLOSED)])
    def test_a_clone_that_is_no_target_keeps_its_source_open(self, target):
        """Found by review: the target was replaced, and the clone had a closed source then."""
        changes = planned(
            target, desired("c", clone_run=1), runs=[made(1, desired("s"))], targets=("s",)
        )

        assert rules(changes["s"]) == ["source-of-blocked-clone"]
        assert "`--target c`" in changes["s"].blocks[0].line

    def test_a_further_clone_counts(self):
        before = made(2, desired("c", "Before"), closed=True)

        changes = planned(
            desired("s", state=State.CLOSED),
            desired("c", clone_run=1),
            runs=[made(1, desired("s")), before],
            targets=("s",),
        )

        assert rules(changes["s"]) == ["source-of-blocked-clone"]

    @pytest.mark.parametrize(
        "clone",
        [
            desired("c", clone="s"),
            desired("c", clone_run=1, state=State.UNMANAGED),
            desired("c", "Made", clone_run=1),
        ],
        ids=["of the successor", "unmanaged", "made"],
    )
    def test_a_clone_that_will_not_be_made_of_it_keeps_nothing_open(self, clone):
        runs = [made(1, desired("s")), *([made(2, clone)] if clone.title == "Made" else [])]

        changes = planned(desired("s", "Another"), clone, runs=runs, targets=("s",))

        assert not changes["s"].is_withheld


class TestSettle:
    """Blocks go along `source_key` forwards, and along `cloned_by` backwards."""

    def change(self, key: str, *actions, is_blocked: bool = False) -> Change:
        blocks = (Block("rule", "message"),) if is_blocked else ()
        return Change(key, Outcome.CREATE, Reason.NOT_FOUND, key, actions=actions, blocks=blocks)

    def make(self, key: str, **source) -> MakeRun:
        return MakeRun(key, 1, "", key, "", None, **source)

    def test_without_blocks_nothing_is_added(self):
        changes = {("w", "a"): self.change("a", self.make("a"))}

        assert settle(changes, {}) == changes

    def test_blocks_travel_along_a_chain(self):
        changes = {
            ("w", "a"): self.change("a", self.make("a", source_key="b")),
            ("w", "b"): self.change("b", self.make("b", source_key="c")),
            ("w", "c"): self.change("c", self.make("c"), is_blocked=True),
        }

        settled = settle(changes, {})

        assert [rules(settled["w", key]) for key in "abc"] == [
            ["source-blocked"],
            ["source-blocked"],
            ["rule"],
        ]

    def test_blocks_travel_from_a_clone_to_the_close_of_its_source(self):
        close = CloseRun("s", 1, "S", CloseReason.DECLARED, None)
        changes = {
            ("w", "a"): self.change("a", self.make("a", source_key="s")),
            ("w", "c"): self.change("c", self.make("c", source_run=1), is_blocked=True),
            ("w", "s"): self.change("s", self.make("s"), close),
        }

        settled = settle(changes, {})

        assert rules(settled["w", "s"]) == ["source-of-blocked-clone"]
        assert rules(settled["w", "a"]) == ["source-blocked"]
        assert settled["w", "s"].actions[1] == replace(close, cloned_by=("c",))

    def test_a_run_does_not_wait_for_its_own_successor_as_for_a_clone(self):
        close = CloseRun("s", 1, "S", CloseReason.REPLACED, None, successor_key="s")
        changes = {("w", "s"): self.change("s", self.make("s", source_run=1), close)}

        assert settle(changes, {}) == changes


def test_owners_are_planned_one_by_one():
    files = [
        manifest(desired("a"), owner="api-team", file="1"),
        manifest(desired("c", clone_title="Run a"), file="2"),
    ]

    (first, second) = plan_project(files).projects

    assert shown(first.changes[0]) == ["+ Run a"]
    assert rules(second.changes[0]) == ["source-blocked"]
