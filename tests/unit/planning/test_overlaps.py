"""Runs that two of the given files lay claim to are closed by neither."""

import pytest
from builders import desired, made, manifest, plan_project, rules, shown

from runs_as_code.model.desired import LeftOut, Manifest, State
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Change

WEB, MOBILE = "web-team", "mobile"


def plan_keys(*files: Manifest, runs: list[LiveRun], **settings) -> dict[str, Change]:
    """Plan files of several owners and return the decisions by owner and key."""
    projects = plan_project(files, runs, **settings).projects
    return {f"{p.owner}/{change.key}": change for p in projects for change in p.changes}


def taking(*specs, owner: str = MOBILE, aliases: tuple[str, ...] = (WEB,), **settings) -> Manifest:
    return manifest(*specs, owner=owner, owner_aliases=aliases, **settings)


SMOKE = made(2, desired("smoke"))
STAYS = made(1, desired("stays", folders=[2]))
STAYS_SPEC = desired("stays", folders=[2])


class TestOwners:
    def test_a_run_of_another_declared_key_is_not_pruned(self):
        """Found by review: one plan said `unchanged` and `close` of the same run."""
        changes = plan_keys(
            manifest(STAYS_SPEC, prune="close"), taking(desired("smoke")), runs=[STAYS, SMOKE]
        )

        assert rules(changes["web-team/smoke"]) == ["claimed-twice"]
        assert changes["web-team/smoke"].blocks[0].line.startswith("smoke: {state: unmanaged}")
        assert not changes["mobile/smoke"].is_withheld

    @pytest.mark.parametrize(
        "spec",
        [
            desired("smoke", "Another"),
            desired("smoke", folders=[3]),
            desired("smoke", state=State.CLOSED),
        ],
        ids=["replaced by clone", "replaced by create", "closed"],
    )
    def test_a_run_of_another_declared_key_is_neither_replaced_nor_closed(self, spec):
        changes = plan_keys(manifest(desired("smoke")), taking(spec), runs=[SMOKE])

        assert rules(changes["mobile/smoke"]) == ["claimed-twice"]
        assert not changes["web-team/smoke"].is_withheld

    def test_an_older_revision_of_another_declared_key_stays(self):
        """Found by review: the newest run was the new owner's, the older one the old owner's."""
        theirs = made(3, desired("smoke", "M"), 2, mark={"owner": MOBILE})

        changes = plan_keys(
            manifest(desired("smoke")), taking(desired("smoke", "M")), runs=[SMOKE, theirs]
        )

        assert rules(changes["mobile/smoke"]) == ["claimed-twice"]

    def test_two_owners_with_one_alias_close_nothing_of_it(self):
        files = [
            taking(desired("smoke", owner), owner=owner, aliases=("qa-team",))
            for owner in (WEB, MOBILE)
        ]
        run = made(2, desired("smoke"), mark={"owner": "qa-team"})

        changes = plan_keys(*files, runs=[run])

        assert set(changes) == {"mobile/smoke", "web-team/smoke"}
        assert all("claimed-twice" in rules(change) for change in changes.values())

    def test_a_former_key_counts(self):
        changes = plan_keys(
            manifest(desired("new", "Run smoke", previous_keys=("smoke",))),
            taking(desired("smoke", state=State.CLOSED)),
            runs=[SMOKE],
        )

        assert rules(changes["mobile/smoke"]) == ["claimed-twice"]
        assert "`web-team/new`" in changes["mobile/smoke"].blocks[0].message

    def test_an_unmanaged_key_hands_its_run_over(self):
        changes = plan_keys(
            manifest(desired("smoke", state=State.UNMANAGED), prune="close"),
            taking(desired("smoke", "Another")),
            runs=[SMOKE],
        )

        assert shown(changes["mobile/smoke"]) == ["» 2 Another", "x 2"]
        assert not changes["mobile/smoke"].is_withheld

    def test_a_renamed_owner_has_its_runs_to_itself(self):
        changes = plan_keys(taking(desired("smoke", "Another")), runs=[SMOKE])

        assert not changes["mobile/smoke"].is_withheld

    def test_the_file_of_the_old_owner_lies_beside(self):
        left = LeftOut("web.yaml", WEB, "BD")

        changes = plan_keys(taking(desired("smoke", "Another")), runs=[SMOKE], left_out=[left])

        assert rules(changes["mobile/smoke"]) == ["claimed-twice"]
        assert "`web.yaml`" in changes["mobile/smoke"].blocks[0].message


class TestAdopt:
    @pytest.mark.parametrize("state", list(State))
    def test_a_run_that_a_key_adopts_is_not_pruned(self, state: State):
        """Found by review: `adopt` of a run whose key was dropped closed that run."""
        new = desired("new", "Something else", folders=[3], adopt=2, state=state, previous_keys=())

        changes = plan_keys(manifest(STAYS_SPEC, new, prune="close"), runs=[STAYS, SMOKE])

        assert rules(changes["web-team/smoke"]) == ["claimed-twice"]
        assert (
            changes["web-team/smoke"].blocks[0].line == "previousKeys: [smoke] instead of `adopt`"
        )

    def test_the_key_that_adopts_it_says_the_same(self):
        new = desired("new", "Something else", adopt=2)

        changes = plan_keys(manifest(STAYS_SPEC, new), runs=[STAYS, SMOKE])

        assert rules(changes["web-team/new"]) == ["adopt-foreign"]
        assert changes["web-team/new"].blocks[0].line.startswith("previousKeys: [smoke] instead")

    def test_a_run_that_another_key_adopts_is_not_replaced(self):
        files = manifest(desired("smoke", "Another"), desired("new", adopt=2))

        changes = plan_keys(files, runs=[SMOKE])

        assert rules(changes["web-team/smoke"]) == ["claimed-twice"]
        assert rules(changes["web-team/new"]) == ["adopt-foreign"]

    def test_another_owner_s_key_counts(self):
        files = [
            manifest(STAYS_SPEC, prune="close"),
            manifest(desired("new", adopt=2), owner="x-1"),
        ]

        changes = plan_keys(*files, runs=[STAYS, SMOKE])

        assert rules(changes["web-team/smoke"]) == ["claimed-twice"]
        assert "`x-1/new`" in changes["web-team/smoke"].blocks[0].message

    def test_a_key_closes_what_it_adopted_itself(self):
        spec = desired("smoke", adopt=2, state=State.CLOSED)

        assert not plan_keys(manifest(spec), runs=[SMOKE])["web-team/smoke"].is_withheld
