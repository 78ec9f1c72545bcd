"""The rules that stop a whole project: limits, listings that lack runs, wrong approvals."""

import re

import pytest
from builders import counts, desired, live, made, manifest, plan_owner, plan_project

from runs_as_code.model.desired import CloseWhen, OnClosed, Prune, State
from runs_as_code.model.live import Listing


def pruning(pruned: int, kept: int, **settings):
    """Plan a file that prunes some runs and keeps others."""
    approvals = {name: settings.pop(name) for name in ("closes",) if name in settings}
    specs = [desired(f"k{number}", folders=[2]) for number in range(kept)]
    runs = [made(number + 1, spec) for number, spec in enumerate(specs)]
    runs += [made(100 + number, desired(f"z{number}")) for number in range(pruned)]
    return plan_owner(manifest(*specs, prune=Prune.CLOSE, **settings), runs, **approvals)


def refused(plan) -> list[str]:
    return [refusal.rule for refusal in plan.refusals]


@pytest.mark.parametrize(
    ("pruned", "kept", "settings", "is_refused"),
    [
        (3, 1, {}, False),
        (3, 1, {"percent": 0}, False),
        (4, 9, {}, True),
        (4, 10, {}, False),
        (4, 3, {"percent": 60}, False),
        (25, 100, {}, False),
        (26, 100, {}, True),
        (26, 100, {"close": 26}, False),
        (2, 100, {"close": 1}, True),
        (0, 0, {"close": 0, "percent": 0}, False),
    ],
)
def test_limits(pruned: int, kept: int, settings: dict, *, is_refused: bool):
    plan = pruning(pruned, kept, **settings)

    assert refused(plan) == (["too-many-closes"] if is_refused else [])
    assert len(plan.closes) == (0 if is_refused else pruned)


def test_the_exact_number_of_closes_can_be_approved():
    assert pruning(30, 10, closes=30).refusals == ()
    assert refused(pruning(30, 10, closes=29)) == ["approved-closes-differ"]
    assert refused(pruning(1, 10, closes=2)) == ["approved-closes-differ"]


def test_the_refusal_names_line_and_flag():
    (refusal,) = pruning(30, 10).refusals

    assert refusal.line == "limits: {close: 30, percent: 75}"
    assert refusal.flag == "--approve-closes 30"


@pytest.mark.parametrize(
    ("pruned", "kept", "limits", "line"),
    [
        (26, 174, {"close": 50, "percent": 10}, "limits: {percent: 13}"),
        (26, 174, {}, "limits: {close: 26}"),
        (7, 3, {"percent": 69}, "limits: {percent: 70}"),
        (5, 2, {}, "limits: {percent: 72}"),
    ],
)
def test_the_refusal_names_the_broken_limit_and_the_smallest_that_is_enough(
    pruned: int, kept: int, limits: dict[str, int], line: str
):
    (refusal,) = pruning(pruned, kept, **limits).refusals
    assert refusal.line == line
    enough = {name: int(value) for name, value in re.findall(r"(\w+): (\d+)", line)}

    assert pruning(pruned, kept, **(limits | enough)).refusals == ()


def closing(count: int, settings: dict, **live_fields):
    """Plan a file in which each run is closed for the same reason."""
    specs = [desired(f"k{number}", **settings) for number in range(count)]
    runs = [made(number + 1, desired(spec.key), **live_fields) for number, spec in enumerate(specs)]
    return plan_owner(manifest(*specs, close=2), runs)


def test_closes_of_replaced_and_older_runs_count():
    assert refused(closing(3, {"milestone": 5})) == ["too-many-closes"]
    runs = [made(n, desired(), n, title=f"Run a (r{n})") for n in (1, 2, 3, 4)]
    assert refused(plan_owner(manifest(desired(), close=2), runs)) == ["too-many-closes"]


def test_closes_that_a_line_asks_for_do_not_count():
    assert len(closing(3, {"state": State.CLOSED}).closes) == 3
    done = {"counts": counts(0, 3)}
    assert len(closing(3, {"close_when": CloseWhen.COMPLETE}, **done).closes) == 3


def test_withheld_closes_do_not_count():
    assert closing(3, {"milestone": 5}, time_spent=5).refusals == ()


def test_the_strictest_file_of_an_owner_decides():
    files = [
        manifest(desired("a"), close=25, prune=Prune.CLOSE, file="1"),
        manifest(close=0, prune=Prune.CLOSE, file="2"),
    ]

    (plan,) = plan_project(files, [made(1, desired()), made(2, desired("z"))]).projects

    assert refused(plan) == ["too-many-closes"]


@pytest.mark.parametrize(("declared", "is_refused"), [(0, True), (7, True), (8, False)])
def test_runs_by_an_alias_count_where_they_are_declared(declared: int, *, is_refused: bool):
    """Found by review: twenty runs that could not be pruned made room for closes of others."""
    old = [desired(f"o{number}", folders=[3]) for number in range(20)]
    runs = [made(200 + number, spec, mark={"owner": "old-team"}) for number, spec in enumerate(old)]
    runs += [made(100 + number, desired(f"z{number}")) for number in range(4)]
    runs += [made(1, desired("k0", folders=[2])), made(2, desired("k1", folders=[2]))]
    kept = [desired("k0", folders=[2]), desired("k1", folders=[2])]
    given = manifest(
        *kept, *old[:declared], prune=Prune.CLOSE, owner_aliases=("old-team",), percent=30
    )

    plan = plan_owner(given, runs)

    assert refused(plan) == (["too-many-closes"] if is_refused else [])


def test_limits_count_per_owner():
    files = [
        manifest(desired(title=owner, milestone=5), owner=owner, file=owner, close=1)
        for owner in ("one-team", "two-team")
    ]
    runs = [
        made(1, desired(title="one-team"), mark={"owner": "one-team"}),
        made(2, desired(title="two-team"), mark={"owner": "two-team"}),
    ]

    assert [len(plan.closes) for plan in plan_project(files, runs).projects] == [1, 1]


@pytest.mark.parametrize(
    ("open_counter", "closed_counter", "is_refused"),
    [(None, None, False), (1, 1, False), (0, 0, False), (2, 1, True), (1, 2, True)],
)
def test_a_listing_shorter_than_its_counters_is_refused(
    open_counter: int | None, closed_counter: int | None, *, is_refused: bool
):
    runs = (made(1, desired()), live(2, "Old", closed=True))
    listing = Listing(runs, open_counter=open_counter, closed_counter=closed_counter)

    plan = plan_owner(manifest(desired(milestone=5)), listing=listing)

    assert refused(plan) == (["incomplete-listing"] if is_refused else [])
    assert bool(plan.actions) is not is_refused


def test_a_refused_plan_still_shows_everything():
    plan = pruning(30, 10)

    assert len(plan.changes) == 40
    assert plan.is_pending
    assert plan.is_withheld


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("a", {"a"}),
        ("a*", {"a", "ab"}),
        ("*", {"a", "ab", "b[1]"}),
        ("b[1]", {"b[1]"}),
        ("c", set()),
    ],
)
def test_targets_are_patterns_or_keys(pattern: str, keys: set[str]):
    specs = [desired(key, on_closed=OnClosed.RECREATE) for key in ("a", "ab", "b[1]")]

    plan = plan_owner(manifest(*specs), targets=(pattern,))

    assert {change.key for change in plan.changes} == keys
