"""Names to ids: found, ambiguous, archived, unknown; and the digest of a selection."""

from dataclasses import fields, replace

import pytest
from builders import CATALOG, PROJECT, SERVER, desired, live, made, manifest, plan_owner, query
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.model.desired import Manifest, OnClosed, RunSpec, RunType, State
from runs_as_code.model.live import Catalog, Entry, Listing, LiveRun, NamesNeeded
from runs_as_code.model.plan import Approvals
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner
from runs_as_code.planning.resolve import Resolved, Resolver, selection_digest


def resolve(
    spec: RunSpec, *runs: LiveRun, catalog: Catalog = CATALOG, **settings
) -> tuple[Resolved, list[tuple[str, str]]]:
    """Resolve a run and return the result, and rule and message of each block."""
    resolved, blocks = Resolver(catalog, runs).resolve(manifest(spec, **settings), spec)
    return resolved, [(block.rule, f"{block.message}; {block.line}") for block in blocks]


class TestMilestones:
    def test_by_title_an_active_one_wins(self):
        resolved, blocks = resolve(desired(milestone=" Sprint&nbsp;1"))

        assert (resolved.milestone.id, resolved.is_milestone_archived) == (5, False)
        assert blocks == []

    def test_an_archived_one_where_no_active_has_the_title(self):
        resolved, blocks = resolve(desired(milestone="Old"))

        assert (resolved.milestone.id, resolved.is_milestone_archived) == (4, True)
        assert blocks == []

    def test_an_id_is_taken_as_it_is_where_no_list_was_read(self):
        assert resolve(desired(milestone=99), catalog=Catalog())[0].milestone.id == 99
        assert resolve(desired(milestone=6))[0].milestone.name == "Sprint 2"

    def test_an_id_that_the_list_lacks_is_unknown(self):
        _, blocks = resolve(desired(milestone=99))

        assert blocks[0][0] == "unresolved-name"
        assert "no milestone with the id 99 in this project" in blocks[0][1]

    def test_an_id_that_a_live_run_bears_is_known(self):
        resolved, blocks = resolve(desired(milestone=99), live(1, milestone_id=99))

        assert (resolved.milestone.id, blocks) == (99, [])

    def test_an_ambiguous_title_names_the_ids(self):
        catalog = Catalog(milestones=(Entry(8, "Twice"), Entry(2, "Twice"), Entry(1, "Once")))

        resolved, blocks = resolve(desired(milestone="Twice"), catalog=catalog)

        assert resolved.milestone.id is None
        assert blocks[0][0] == "ambiguous-name"
        assert "2 milestones are named `Twice`: ids 2, 8" in blocks[0][1]

    def test_an_unknown_title_names_the_nearest(self):
        _, blocks = resolve(desired(milestone="Sprnt 2"))

        assert blocks[0][0] == "unresolved-name"
        assert "no milestone `Sprnt 2`" in blocks[0][1]
        assert "`Sprint 2`" in blocks[0][1]

    def test_nothing_is_near(self):
        assert "did you mean" not in resolve(desired(milestone="Qqq"))[1][0][1]


class TestUsers:
    @pytest.mark.parametrize("email", ["ann@example.com", "Ann@Example.COM"])
    def test_by_e_mail_from_the_catalogue(self, email: str):
        assert resolve(desired(assignee=email))[0].assignee.id == 7

    def test_from_a_live_run(self):
        run = live(1, assignee_id=42, assignee_email="Zoe@example.com")

        resolved, blocks = resolve(desired(assignee="zoe@example.com"), run)

        assert (resolved.assignee.id, blocks) == (42, [])

    def test_the_file_s_own_map_comes_first(self):
        users = {"ANN@example.com": 70}

        assert resolve(desired(assignee="ann@example.com"), users=users)[0].assignee.id == 70

    def test_an_unknown_address_asks_for_the_map(self):
        _, blocks = resolve(desired(assignee="anne@example.com"))

        assert blocks[0][0] == "unresolved-name"
        assert '`users: {"anne@example.com": ID}`' in blocks[0][1]
        assert "; if it is a slip, did you mean `ann@example.com`" in blocks[0][1]

    def test_an_unknown_address_among_all_there_are_is_a_slip(self):
        catalog = replace(CATALOG, are_users_complete=True)

        _, blocks = resolve(desired(assignee="anne@example.com"), catalog=catalog)

        assert "no user `anne@example.com`" in blocks[0][1]
        assert "; did you mean `ann@example.com`" in blocks[0][1]

    def test_an_id_is_checked_only_where_all_are_known(self):
        catalog = replace(CATALOG, are_users_complete=True)
        run = live(1, assignee_id=42)

        assert resolve(desired(assignee=99))[1] == []
        assert resolve(desired(assignee=42), run, catalog=catalog)[1] == []
        _, blocks = resolve(desired(assignee=99), run, catalog=catalog)
        assert "no user with the id 99 on this server" in blocks[0][1]

    def test_an_address_that_becomes_known_is_resolved_by_the_next_plan(self):
        """The one name that an apply can teach: ids of people show only in runs."""
        spec = desired(assignee="zoe@example.com")

        assert plan_owner(manifest(spec)).is_withheld
        other = live(9, "Other", assignee_id=42, assignee_email="zoe@example.com")
        assert not plan_owner(manifest(spec), [other]).is_withheld


class TestSelections:
    def test_names_and_ids_are_the_same_selection(self):
        by_name = desired(query_plans=(query(folders=["Cart/Discounts", "Cart"], tags=["smoke"]),))
        by_id = desired(query_plans=(query(folders=[2, 3], tags=[1]),))

        assert resolve(by_name)[0] == resolve(by_id)[0]

    def test_test_cases_resolve_one_by_one(self):
        spec = desired(type=RunType.STATIC, query_plans=(query(tcases=["BD-2", "BD-1"]),))

        resolved, blocks = resolve(spec)

        assert resolved.plans[0].tcase_ids == ("case1", "case2")
        assert blocks == []

    @pytest.mark.parametrize(
        ("plan", "words"),
        [
            (
                query(folders=["Chekout"]),
                "no folder `Chekout` in this project; did you mean `Check",
            ),
            (
                query(folders=[1], tags=["smok"]),
                "no tag `smok` in this project; did you mean `smoke",
            ),
            (query(tcases=["BD-9"]), "no test case `BD-9` in this project"),
            (query(folders=[1, 99]), "no folder with the id 99 in this project; the name or id"),
            (query(folders=[1], tags=[44]), "no tag with the id 44 in this project"),
        ],
    )
    def test_an_unknown_name_blocks_and_there_is_no_digest(self, plan, words: str):
        resolved, blocks = resolve(desired(query_plans=(plan,)))

        assert resolved.selection == "-"
        assert words in blocks[0][1]

    def test_an_id_may_have_been_meant_as_a_name(self):
        catalog = replace(CATALOG, tags=(Entry(1, "44"),))
        spec = desired(query_plans=(query(folders=[1], tags=[44]),))

        [(_, words)] = resolve(spec, catalog=catalog)[1]

        assert '; "44" in quotes, which is a name, or the name or id of a tag' in words

    def test_ids_are_taken_as_they_are_where_no_list_was_read(self):
        spec = desired(query_plans=(query(folders=[1, 99], tags=[44]),))

        assert resolve(spec, catalog=Catalog())[1] == []

    def test_an_ambiguous_folder(self):
        catalog = replace(CATALOG, folders=(Entry(1, "Twice"), Entry(2, "Twice")))

        assert resolve(desired(folders=["Twice"]), catalog=catalog)[1][0][0] == "ambiguous-name"

    def test_a_kind_that_was_not_looked_up_is_unknown(self):
        assert resolve(desired(folders=["Cart"]), catalog=Catalog())[1][0][0] == "unresolved-name"

    def test_each_name_that_fails_is_told_once_with_its_place(self):
        plans = (query(folders=["X", "Y"]), query(folders=["Z"], tags=["W"]))

        assert len(resolve(desired(query_plans=plans))[1]) == 4


PLANS = st.builds(
    ResolvedPlan,
    folder_ids=st.lists(st.integers(1, 9), unique=True).map(tuple),
    tag_ids=st.lists(st.integers(1, 9), unique=True).map(tuple),
    tcase_ids=st.lists(st.sampled_from("abcdef"), unique=True).map(tuple),
    priorities=st.lists(st.sampled_from(["low", "medium", "high"]), unique=True).map(tuple),
)


@given(st.lists(PLANS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_selection_is_a_set_of_sets(plans: list[ResolvedPlan], order):
    shuffled = [
        ResolvedPlan(
            tuple(order.sample(plan.tcase_ids, len(plan.tcase_ids))),
            tuple(order.sample(plan.folder_ids, len(plan.folder_ids))),
            tuple(order.sample(plan.tag_ids, len(plan.tag_ids))),
            tuple(order.sample(plan.priorities, len(plan.priorities))),
        )
        for plan in order.sample(plans, len(plans))
    ]

    assert selection_digest("live", shuffled) == selection_digest("live", plans)
    assert selection_digest("live", [*plans, plans[0]]) == selection_digest("live", plans)


@given(PLANS, PLANS)
def test_another_selection_has_another_digest(one: ResolvedPlan, other: ResolvedPlan):
    def as_sets(plan: ResolvedPlan) -> list[set]:
        return [set(getattr(plan, field.name)) for field in fields(plan)]

    is_same = selection_digest("live", [one]) == selection_digest("live", [other])

    assert is_same == (as_sets(one) == as_sets(other))
    assert selection_digest("live", [one]) != selection_digest("static", [one])


def test_the_digest_of_version_1_never_changes():
    plan = ResolvedPlan(("b", "a"), (3, 1), (2,), ("high",))

    assert selection_digest("static", [plan]) == "kcgpdqgv"


class TestNamesNeeded:
    """Names are resolved only where the plan needs them, each kind once."""

    def needed(self, *specs: RunSpec, runs=(), **settings) -> NamesNeeded:
        given: Manifest = manifest(*specs, **settings)
        project = ProjectInput(SERVER, PROJECT, (given,), Listing(tuple(runs)))
        return ProjectPlanner(project, Approvals()).names_needed()

    def test_ids_need_none(self):
        assert self.needed(desired(milestone=5, assignee=7)) == NamesNeeded()

    def test_each_kind_that_is_used(self):
        plan = query(folders=["Cart"], tags=["smoke"], tcases=["BD-1", 2])
        spec = desired(milestone="Sprint 1", assignee="Ann@example.com", query_plans=(plan,))

        assert self.needed(spec) == NamesNeeded(
            milestones=True,
            folders=True,
            tags=True,
            users=("ann@example.com",),
            tcases=(2, "BD-1"),
        )

    def test_people_who_are_known_need_no_look_up(self):
        spec = desired(assignee="Ann@example.com")
        run = live(1, "Other", assignee_id=7, assignee_email="ann@example.com")

        assert self.needed(spec, users={"ann@EXAMPLE.com": 7}) == NamesNeeded()
        assert self.needed(spec, runs=[run]) == NamesNeeded()

    @pytest.mark.parametrize(
        ("settings", "closed", "is_needed"),
        [
            ({}, False, True),
            ({}, True, False),
            ({"on_closed": OnClosed.RECREATE}, True, True),
            ({"title": "New"}, True, True),
            ({"state": State.CLOSED}, False, False),
            ({"state": State.UNMANAGED}, False, False),
        ],
    )
    def test_what_is_or_stays_closed_needs_none(
        self, settings: dict, *, closed: bool, is_needed: bool
    ):
        run = made(1, desired(), closed=closed)

        needed = self.needed(desired(milestone="Sprint 1", **settings), runs=[run])

        assert needed.milestones is is_needed
