"""Closes of a key's older runs: what allows them, and how far an approval reaches."""

import pytest
from builders import counts, decide, desired, live, made, manifest, plan_owner, rules, shown

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
