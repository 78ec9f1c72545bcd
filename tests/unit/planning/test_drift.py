"""What people did to runs is found and named; what Git or `qarun` did is not."""

from dataclasses import replace

import pytest
from builders import CATALOG, PLACE, counts, desired, live, made, manifest, marker_of, query

from runs_as_code.model.desired import CloseWhen, Field, IfExists, OnClosed, State
from runs_as_code.model.drift import DriftKind
from runs_as_code.model.live import Listing
from runs_as_code.model.plan import Approvals
from runs_as_code.planning import drift as drift_module
from runs_as_code.planning.drift import find_drift
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner

SPEC = desired("a")


def drift(given, *runs, **approvals):
    manifests = given if isinstance(given, tuple) else (given,)
    project = ProjectInput("embedded", "BD", manifests, Listing(runs))
    plan = ProjectPlanner(project, Approvals(**approvals)).plan(CATALOG)[0]
    return find_drift(project, plan)


def kinds(given, *runs, **approvals):
    return [(each.key, each.kind.value) for each in drift(given, *runs, **approvals).found]


def test_what_is_as_it_was_applied_has_no_drift():
    found = drift(manifest(SPEC), made(1, SPEC))
    assert (found.found, found.checked, found.unclear) == ((), ("a",), ())


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"renamed": "Other"}, "title-changed"),
        ({"milestone_id": 6}, "milestone-changed"),
        ({"assignee_id": 8}, "assignee-changed"),
        ({"type": "static"}, "type-changed"),
    ],
)
def test_a_field_changed_by_hand_is_drift(changed, kind):
    spec = desired("a", milestone=5, assignee=7)
    [found] = drift(manifest(spec), made(1, spec, **changed)).found
    assert (found.key, found.kind.value, found.run.id) == ("a", kind, 1)
    assert found.diff is not None
    assert found.location == PLACE


def test_a_description_changed_by_hand_is_drift():
    spec = desired("a", description="What it is for.")
    run = replace(made(1, spec), description=f"Something else. {marker_of(spec)}")
    assert kinds(manifest(spec), run) == [("a", "description-changed")]


def test_what_git_changed_is_no_drift():
    spec = desired("a", milestone=5)
    assert kinds(manifest(desired("a", milestone=6)), made(1, spec)) == []
    assert kinds(manifest(desired("a", title="Next")), made(1, spec)) == []
    assert kinds(manifest(), made(1, spec)) == []


def test_drift_is_found_beside_a_change_by_git():
    spec = desired("a", milestone=5, assignee=7)
    wanted = desired("a", milestone=6, assignee=7)
    assert kinds(manifest(wanted), made(1, spec, assignee_id=8)) == [("a", "assignee-changed")]


def test_every_field_but_the_selection_has_a_kind():
    assert set(drift_module._OF_FIELD) == set(Field) - {Field.QUERY_PLANS}


# --- closed


@pytest.mark.parametrize("on_closed", list(OnClosed))
def test_a_run_closed_by_hand_is_drift(on_closed):
    spec = desired("a", on_closed=on_closed)
    [found] = drift(manifest(spec), made(1, spec, closed=True)).found
    assert (found.kind, found.run.id) == (DriftKind.CLOSED_BY_HAND, 1)


def test_what_the_file_wanted_closed_is_no_drift():
    done = {"closed": True, "counts": counts(0, passed=3)}
    complete = desired("a", close_when=CloseWhen.COMPLETE)
    assert kinds(manifest(complete), made(1, complete, **done)) == []
    assert kinds(manifest(desired("a", state=State.CLOSED)), made(1, SPEC, closed=True)) == []
    assert kinds(manifest(desired("a", title="Next")), made(1, SPEC, closed=True)) == []


def test_a_run_closed_before_it_was_complete_is_drift():
    spec = desired("a", close_when=CloseWhen.COMPLETE)
    assert kinds(manifest(spec), made(1, spec, closed=True)) == [("a", "closed-by-hand")]
    done = {"closed": True, "counts": counts(0, passed=3)}
    assert kinds(manifest(SPEC), made(1, SPEC, **done)) == [("a", "closed-by-hand")]


def test_a_closed_successor_is_drift():
    old, new = made(1, SPEC), made(2, SPEC, 2, title="Run a (r2)", closed=True)
    assert kinds(manifest(SPEC), old, new) == [("a", "successor-closed")]


# --- markers


def test_a_lost_marker_is_drift():
    old = made(1, SPEC, closed=True)
    lost = live(2, "Run a (r2)")
    [found] = drift(manifest(SPEC), old, lost).found
    assert found.kind is DriftKind.MARKER_LOST
    assert found.message.startswith("run 2 `Run a (r2)`")
    assert found.run.id == 2


@pytest.mark.parametrize("text", ["", "[qarun:1 web-team a broken]"])
def test_a_lost_marker_is_drift_of_a_run_to_be_closed(text):
    closed = desired("a", state=State.CLOSED)
    lost = live(2, "Run a (r2)", text)
    for runs in [
        (live(2, description=text),),
        (made(1, SPEC), lost),
        (made(1, SPEC, 1, closed=True), lost),
    ]:
        [found] = drift(manifest(closed), *runs).found
        assert (found.kind, found.key, found.run.id) == (DriftKind.MARKER_LOST, "a", 2)


def test_a_damaged_marker_is_drift_of_whom_it_still_names():
    text = str(marker_of(SPEC)).replace("]", "")
    other = live(2, "Elsewhere", text)
    [found] = drift(manifest(SPEC), made(1, SPEC), other).found
    assert (found.kind, found.key, found.run.id) == (DriftKind.MARKER_DAMAGED, "a", 2)
    unknown = live(2, "Elsewhere", text.replace(" a r1", " zz r1"))
    [found] = drift(manifest(SPEC), made(1, SPEC), unknown).found
    assert (found.kind, found.key, found.location) == (DriftKind.MARKER_DAMAGED, "", None)
    foreign = live(2, "Elsewhere", text.replace("web-team", "pay-team"))
    assert kinds(manifest(SPEC), made(1, SPEC), foreign) == []
    closed = live(2, "Elsewhere", text, closed=True)
    assert kinds(manifest(SPEC), made(1, SPEC), closed) == []


def test_a_damaged_marker_in_the_way_is_told_once():
    text = str(marker_of(SPEC)).replace("]", "")
    assert kinds(manifest(SPEC), live(1, "Run a", text)) == [("a", "marker-lost")]


def test_a_title_taken_by_a_run_made_by_hand_is_drift():
    [found] = drift(manifest(SPEC), live(1)).found
    assert (found.kind, found.key, found.run.id) == (DriftKind.TITLE_TAKEN, "a", 1)


def test_a_title_that_another_owner_holds_is_no_drift():
    other = made(1, SPEC, mark={"owner": "pay-team"})
    assert kinds(manifest(SPEC), other) == []
    assert kinds(manifest(SPEC), live(1, closed=True)) == []


def test_what_is_adopted_is_no_drift():
    assert kinds(manifest(desired("a", if_exists=IfExists.ADOPT)), live(1)) == []
    assert kinds(manifest(desired("a", adopt=1)), live(1)) == []
    assert kinds(manifest(desired("a", adopt=1)), live(1, "Other")) == [("a", "title-changed")]


def test_an_open_copy_is_drift():
    run = made(1, SPEC)
    copy = made(2, SPEC, renamed="My copy")
    [found] = drift(manifest(SPEC), run, copy).found
    assert (found.kind, found.run.id) == (DriftKind.COPIED, 2)
    closed = made(2, SPEC, renamed="My copy", closed=True)
    assert kinds(manifest(SPEC), run, closed) == []


def test_a_line_that_may_not_adopt_a_copy_does_not_hide_it():
    run, copy = made(1, SPEC), made(2, SPEC, renamed="My copy")
    assert kinds(manifest(SPEC, desired("b", "My copy", adopt=2)), run, copy) == [("a", "copied")]
    unmarked = live(2, "My copy")
    assert kinds(manifest(SPEC, desired("b", "My copy", adopt=2)), run, unmarked) == []


def test_a_run_that_shares_its_title_is_in_doubt():
    [found] = drift(manifest(SPEC), made(1, SPEC), live(2, "run A")).found
    assert (found.kind, found.key) == (DriftKind.IN_DOUBT, "a")
    assert found.message == "run 1 shares its title with another run"


def test_a_rename_that_the_file_ignores_still_leaves_a_doubt():
    spec = desired("a", ignore_changes=frozenset({Field.TITLE}))
    assert kinds(manifest(spec), made(1, spec, renamed="Other")) == [("a", "in-doubt")]


# --- whose, and which


def test_previous_keys_and_aliases_count():
    old = made(1, desired("old"), mark={"owner": "web"})
    copy = made(2, desired("old"), mark={"owner": "web"}, renamed="My copy")
    spec = desired("a", title="Run old", previous_keys=("old",))
    assert kinds(manifest(spec, owner_aliases=("web",)), old, copy) == [("a", "copied")]


def test_each_owner_has_its_own():
    pay = desired("b")
    both = (manifest(SPEC), manifest(pay, owner="pay-team", file="pay.yaml"))
    runs = (made(1, SPEC, closed=True), made(2, pay, mark={"owner": "pay-team"}, closed=True))
    project = ProjectInput("embedded", "BD", both, Listing(runs))
    plans = ProjectPlanner(project, Approvals()).plan(CATALOG)
    found = {plan.owner: [d.key for d in find_drift(project, plan).found] for plan in plans}
    assert found == {"web-team": ["a"], "pay-team": ["b"]}


def test_what_is_not_managed_or_not_targeted_is_not_looked_at():
    unmanaged = desired("a", state=State.UNMANAGED)
    assert drift(manifest(unmanaged), made(1, SPEC, renamed="Other")).checked == ()
    both = manifest(SPEC, desired("b"))
    runs = made(1, SPEC, closed=True), made(2, desired("b"), closed=True)
    assert kinds(both, *runs, targets=("b",)) == [("b", "closed-by-hand")]


def test_a_name_that_does_not_resolve_is_unclear():
    spec = desired("a", query_plans=(query(folders=["Nowhere"]),))
    found = drift(manifest(spec), made(1, SPEC))
    assert (found.found, found.unclear) == ((), ("a",))


def test_a_key_without_a_run_is_not_checked():
    assert drift(manifest(SPEC)).checked == ()
