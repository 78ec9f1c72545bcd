"""Closes of a key's older runs: what allows them, and how far an approval reaches."""

from dataclasses import replace

import pytest
from builders import (
    closes,
    counts,
    decide,
    desired,
    live,
    made,
    manifest,
    plan_owner,
    rules,
    shown,
)

from runs_as_code.model.desired import CloseWhen, Prune, State
from runs_as_code.model.live import LiveRun

WORKED_ON = counts(open_cases=2, passed=1)


class TestApprovedRevision:
    """`replace: rN` is for what the making of revision N replaced, and for nothing that came up."""

    def blocked(self, spec, *runs: LiveRun, **approvals) -> dict[str, str]:
        change = decide(spec, *runs, **approvals)
        return {block.rule: block.line for block in change.blocks}

    def test_it_covers_earlier_revisions_that_a_crash_left_open(self):
        spec = desired(replace="r3")
        left = [made(1, desired(), title="1"), made(2, desired(), 2, title="2", counts=WORKED_ON)]

        change = decide(spec, *left, made(3, desired(), 3))

        assert shown(change) == ["x 1", "x 2"]
        assert not change.is_withheld

    def test_a_twin_of_the_revision_needs_its_own_approval(self):
        spec = desired(title="B", replace="r2")
        twins = (made(2, desired(title="A"), 2, counts=WORKED_ON), made(3, desired(title="B"), 2))

        assert self.blocked(spec, *twins) == {"has-results": "replace: always"}
        assert self.blocked(spec, *twins, keys=frozenset({"a"})) == {}
        assert self.blocked(desired(title="B", replace="always"), *twins) == {}

    def test_a_key_that_was_named_later_needs_its_own_approval(self):
        other = made(1, desired("b", title="Drinks"), counts=WORKED_ON)
        own = (made(2, desired(), closed=True, title="Old"), made(3, desired(), 2))
        spec = desired(replace="r2", previous_keys=("b",))

        assert self.blocked(spec, other, *own) == {"has-results": "replace: always"}

    def test_a_run_that_is_adopted_later_needs_its_own_approval(self):
        own = (made(2, desired(), closed=True, title="Old"), made(3, desired(), 2))

        assert self.blocked(
            desired(replace="r2", adopt=1), live(1, "By hand", counts=WORKED_ON), *own
        ) == {"has-results": "replace: always"}

    @pytest.mark.parametrize(
        ("old", "settings"),
        [
            (made(1, desired("b", title="Old"), counts=WORKED_ON), {"previous_keys": ("b",)}),
            (made(1, desired(title="Old"), mark={"owner": "old-team"}, counts=WORKED_ON), {}),
        ],
        ids=["previous key", "alias"],
    )
    def test_a_first_own_revision_says_by_its_number_what_it_followed(self, old, settings):
        spec = desired(replace="r2", **settings)
        file = manifest(spec, owner_aliases=("old-team",))

        (change,) = plan_owner(file, [old, made(2, desired(), 2)]).changes

        assert shown(change) == ["x 1"]
        assert rules(change) == []

    def test_an_adopted_run_is_what_the_first_revision_followed(self):
        spec = desired(replace="r1", adopt=1)

        assert self.blocked(spec, live(1, "By hand", counts=WORKED_ON), made(2, desired())) == {}

    def test_the_line_of_a_block_leads_out(self):
        runs = (made(1, desired(), title="1", counts=WORKED_ON), made(2, desired(), 2))

        assert self.blocked(desired(), *runs) == {"has-results": "replace: r2"}
        assert self.blocked(desired(replace="never"), *runs) == {"replace-never": "replace: r2"}
        assert self.blocked(desired(replace="r2"), *runs) == {}


class TestWhatAllowedIt:
    """A close carries what allowed it, so that this is looked at again."""

    COMPLETE = counts(open_cases=0, passed=2, failed=1)

    def test_the_work_that_the_plan_saw(self):
        spec = desired(title="New", replace="always")
        run = made(1, desired(), counts=WORKED_ON, time_spent=9)

        (close,) = closes(decide(spec, run))

        assert (close.counts, close.time_spent) == (WORKED_ON, 9)
        assert (close.recorded, close.has_time) == (1, True)

    def test_a_complete_run_that_is_closed_or_replaced_for_it(self):
        spec = desired(close_when=CloseWhen.COMPLETE)
        run = made(1, spec, counts=self.COMPLETE)

        for after in (spec, replace(spec, title="New")):
            assert [close.needs_complete for close in closes(decide(after, run))] == [True]
        left = decide(replace(spec, title="New"), run, made(2, replace(spec, title="New"), 2))
        assert [close.needs_complete for close in closes(left)] == [True]

    def test_a_complete_run_that_goes_for_another_reason(self):
        run = made(1, desired(), counts=self.COMPLETE)

        for spec in (desired(title="New", replace="always"), desired(state=State.CLOSED)):
            assert [close.needs_complete for close in closes(decide(spec, run))] == [False]

    @pytest.mark.parametrize(
        ("work", "expected"), [(COMPLETE, True), (WORKED_ON, False), (counts(), False)]
    )
    def test_an_orphan(self, work, expected):
        run = made(1, desired("gone"), counts=work)
        file = manifest(desired("b", title="B"), prune=Prune.CLOSE)

        plan = plan_owner(file, [run, made(2, desired("b", title="B"))])

        (close,) = closes(next(change for change in plan.changes if change.key == "gone"))
        assert close.needs_complete is expected

    def test_a_doubt_that_was_approved(self):
        spec = desired(state=State.CLOSED)

        assert [c.is_doubted for c in closes(decide(spec, made(1, desired(), renamed="Mine")))] == [
            True
        ]
        assert [c.is_doubted for c in closes(decide(spec, made(1, desired())))] == [False]

    def test_the_successor_that_was_there(self):
        older, newest = made(1, desired(), title="1"), made(2, desired(), 2)

        (close,) = closes(decide(desired(), older, newest))
        assert close.successor_run == 2
        assert close.successor_marker == newest.description
        (close,) = closes(decide(desired(), older, newest, keys=frozenset({"a"})))
        assert close.successor_marker is None
