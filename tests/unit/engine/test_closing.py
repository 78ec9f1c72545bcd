"""Guarded close: a look before it, a look back on any error, for what is closed stays closed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from unit.engine.support import (
    LOST,
    MOMENT,
    OWNER,
    REFUSED,
    FakeClock,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    marker,
    replacement,
    run,
    run_apply,
)

from runs_as_code.engine.checks import Successor
from runs_as_code.engine.closing import close_run
from runs_as_code.engine.context import WHOLE_LISTING_AGE, Outcome, StopSignal, Workplace
from runs_as_code.engine.sending import Gate
from runs_as_code.errors import AccessError, ExitCode, NotRunError, StaleError, UnreachableError
from runs_as_code.model.actions import CloseReason
from runs_as_code.model.live import Listing, StatusCounts
from runs_as_code.model.marker import Marker
from runs_as_code.model.report import Status
from runs_as_code.planning.digest import text_digest


def marked_title(title: str) -> str:
    """Return a marker whose run was given this title."""
    return str(Marker(OWNER, "a", 1, "aaaaaaaa", "-", "aaaaaaaa", text_digest(title)))


def test_a_close_is_one_look_and_one_post() -> None:
    provider = FakeProvider(live(1, "a"))
    applied = run_apply(provider, close(1, "a"))

    assert provider.log == ["list None", "close 1"]
    assert applied.statuses == {"close:1": Status.DONE}
    assert applied.result("close:1").run_id == 1
    assert not provider.runs[1].is_open


def test_an_adopted_run_has_no_marker_and_is_closed_all_the_same() -> None:
    applied = run_apply(FakeProvider(live(1)), close(1, "a", marker=None, title="run r1"))

    assert applied.statuses == {"close:1": Status.DONE}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": "Mine now"}, "another marker"),
        ({"description": marker("a", 2)}, "another marker"),
        ({"counts": StatusCounts(all=2, open=0, passed=1, failed=1)}, "got 2 more results"),
        ({"time_spent": 1000}, "time spent"),
        ({"title": "Please keep"}, "was renamed since the plan"),
    ],
)
def test_a_run_that_changed_since_the_plan_is_stale(change: dict[str, Any], words: str) -> None:
    provider = FakeProvider(live(1, "a", **change), live(2, "b"))

    with pytest.raises(StaleError, match=words) as caught:
        run_apply(provider, close(1, "a"), close(2, "b"), make("c"))
    assert "run 1" in caught.value.message
    assert "run 2" not in caught.value.message
    assert caught.value.exit_code is ExitCode.STALE
    assert provider.writes == []


def test_all_that_is_stale_is_named_at_once() -> None:
    provider = FakeProvider(live(1, "a", description=""), live(2, "b", time_spent=5))

    with pytest.raises(StaleError) as caught:
        run_apply(provider, close(1, "a"), close(2, "b"))
    assert "`a`: run 1" in caught.value.message
    assert "`b`: run 2" in caught.value.message


def test_results_that_the_plan_knew_of_are_no_obstacle() -> None:
    run = live(1, "a", time_spent=9, counts=StatusCounts(all=3, open=1, passed=2))
    known = close(1, "a", counts=run.counts, time_spent=9)
    applied = run_apply(FakeProvider(run), known)

    assert applied.statuses == {"close:1": Status.DONE}


WORKED_ON = StatusCounts(all=4, open=1, passed=2, failed=1)
COMPLETE = StatusCounts(all=4, open=0, passed=3, failed=1)


@pytest.mark.parametrize("reason", CloseReason)
@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"counts": replace(WORKED_ON, passed=1, failed=2)}, "other results"),
        ({"counts": replace(WORKED_ON, open=2, passed=1)}, "other results"),
        ({"counts": replace(WORKED_ON, passed=1)}, "other results"),
        ({"counts": replace(WORKED_ON, open=0, passed=3)}, "got 1 more results"),
        ({"time_spent": 10}, "time spent"),
    ],
    ids=["retested", "cleared", "custom status", "more", "more time"],
)
def test_work_that_the_plan_did_not_see_is_stale(
    reason: CloseReason, found: dict[str, Any], words: str
) -> None:
    provider = FakeProvider(live(1, "a", **({"counts": WORKED_ON, "time_spent": 9} | found)))

    with pytest.raises(StaleError, match=words):
        run_apply(provider, close(1, "a", reason=reason, counts=WORKED_ON, time_spent=9))
    assert provider.writes == []


def test_a_live_run_may_grow() -> None:
    run = live(1, "a", counts=replace(WORKED_ON, all=9, open=6))
    applied = run_apply(FakeProvider(run), close(1, "a", counts=WORKED_ON))

    assert applied.statuses == {"close:1": Status.DONE}


@pytest.mark.parametrize("reason", CloseReason)
def test_what_may_go_for_being_complete_must_be_so(reason: CloseReason) -> None:
    run = live(1, "a", counts=replace(COMPLETE, all=5, open=1))
    action = close(1, "a", reason=reason, counts=COMPLETE, needs_complete=True)

    with pytest.raises(StaleError, match="1 open cases again"):
        run_apply(FakeProvider(run), action)
    assert run_apply(FakeProvider(run), replace(action, needs_complete=False)).statuses == {
        "close:1": Status.DONE
    }


class TestDoubt:
    """A doubt that the plan did not know of keeps a run open; one that was approved does not."""

    def test_an_approved_name_is_no_obstacle(self) -> None:
        action = close(1, "a", title="Mine", is_doubted=True)

        applied = run_apply(FakeProvider(live(1, "a", title="&lt;b&gt;Mine")), action)
        assert applied.statuses == {"close:1": Status.DONE}

    def test_yet_another_name_is_stale(self) -> None:
        action = close(1, "a", title="Mine", is_doubted=True)

        with pytest.raises(StaleError, match="renamed since the plan"):
            run_apply(FakeProvider(live(1, "a", title="Ours")), action)

    def test_its_own_name_again_is_no_obstacle(self) -> None:
        own = marked_title("Own")
        action = close(1, "a", title="Mine", marker=own, is_doubted=True)

        applied = run_apply(FakeProvider(live(1, "a", title="Own", description=own)), action)
        assert applied.statuses == {"close:1": Status.DONE}

    def test_an_adopted_run_under_another_name_is_stale(self) -> None:
        with pytest.raises(StaleError, match="renamed since the plan"):
            run_apply(FakeProvider(live(1)), close(1, "a", marker=None, title="By hand"))

    @pytest.mark.parametrize("is_doubted", [False, True])
    def test_a_title_that_is_shared_meanwhile(self, is_doubted: bool) -> None:  # noqa: FBT001 -- a parameter of the test
        provider = FakeProvider(live(1, "a"), live(2, title="A R1 "))
        action = close(1, "a", is_doubted=is_doubted)

        if is_doubted:
            assert run_apply(provider, action).statuses == {"close:1": Status.DONE}
        else:
            with pytest.raises(StaleError, match="shares its title with run 2"):
                run_apply(provider, action)


class TestCopies:
    """Of the runs that bear a marker the one with the lowest id counts, be it closed."""

    @pytest.mark.parametrize("closed_at", [None, MOMENT])
    def test_an_older_run_bears_the_marker_now(self, closed_at: str | None) -> None:
        elder = live(1, title="Elder", description=marker("a"), closed_at=closed_at)
        provider = FakeProvider(elder, live(2, "a"), live(3, "b"))

        with pytest.raises(StaleError, match="run 2 is a copy by now: run 1 bears its marker"):
            run_apply(provider, close(2, "a"), close(3, "b"))
        assert provider.writes == []

    def test_a_younger_run_with_the_marker_is_the_copy(self) -> None:
        younger = live(3, title="Younger", description=marker("a"))

        applied = run_apply(FakeProvider(live(2, "a"), younger), close(2, "a"))
        assert applied.statuses == {"close:2": Status.DONE}

    @pytest.mark.parametrize("closed_at", [None, MOMENT])
    def test_it_is_seen_between_two_tries(self, closed_at: str | None) -> None:
        provider = FakeProvider(live(1, title="Elder", closed_at=closed_at), live(2, "a"))
        throttled = NotRunError("slow down", pause=WHOLE_LISTING_AGE + 1)

        def copy() -> None:
            provider.change(1, description=marker("a"))

        provider.trouble["close"] = [Trouble(before=throttled)]
        provider.trouble["list"] = [Trouble(then=copy)]
        applied = run_apply(provider, close(2, "a"))

        assert applied.statuses == {"close:2": Status.STALE}
        assert "copy by now" in applied.result("close:2").message
        assert provider.runs[2].is_open

    def test_a_successor_that_is_a_copy_by_now(self) -> None:
        elder = live(1, title="Elder", description=marker("a", 2), closed_at=MOMENT)
        provider = FakeProvider(elder, live(2, "a"), live(3, "a", 2))
        older = close(2, "a", reason=CloseReason.OLDER, successor_run=3)

        with pytest.raises(StaleError, match="run 1 bears the marker of run 3 too"):
            run_apply(provider, replace(older, successor_marker=marker("a", 2)))

    def test_a_list_of_all_runs_that_is_short_tells_no_copies(self) -> None:
        provider = FakeProvider(live(1, "a"))
        listed = provider.list_runs

        async def list_runs(*, closed: bool | None = None) -> Listing:
            listing = await listed(closed=closed)
            return replace(listing, closed_counter=1) if closed is None else listing

        provider.list_runs = list_runs  # type: ignore[method-assign]  # scripted
        applied = run_apply(provider, close(1, "a"))

        assert applied.statuses == {"close:1": Status.STALE}
        assert "shorter than its counters" in applied.result("close:1").message


class TestKeptSuccessor:
    """A successor that was there before must be what the plan saw."""

    OLDER = close(
        1, "a", reason=CloseReason.OLDER, successor_run=2, successor_marker=marker("a", 2)
    )

    def test_it_is_as_it_was(self) -> None:
        applied = run_apply(FakeProvider(live(1, "a"), live(2, "a", 2)), self.OLDER)

        assert applied.statuses == {"close:1": Status.DONE}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"description": "Mine now"}, "run 2 bears another marker"),
            ({"counts": StatusCounts()}, "run 2 is empty"),
        ],
    )
    def test_it_changed_since(self, change: dict[str, Any], words: str) -> None:
        runs = (live(1, "a"), live(2, "a", 2, **change))

        with pytest.raises(StaleError, match=words):
            run_apply(FakeProvider(*runs), self.OLDER)
        approved = replace(self.OLDER, successor_marker=None)
        assert run_apply(FakeProvider(*runs), approved).statuses == {"close:1": Status.DONE}

    def test_it_was_moved_since(self) -> None:
        moved = marker("a", 2).replace(" m- ", " m5 ")
        runs = (live(1, "a"), live(2, "a", 2, description=moved, milestone_id=6))

        with pytest.raises(StaleError, match="run 2 has another milestone"):
            run_apply(FakeProvider(*runs), replace(self.OLDER, successor_marker=moved))


def test_a_complete_run_with_a_new_case_is_stale() -> None:
    run = live(1, "a", counts=StatusCounts(all=3, open=1, passed=2))
    known = StatusCounts(all=2, open=0, passed=2)

    with pytest.raises(StaleError, match="1 open cases again"):
        run_apply(
            FakeProvider(run),
            close(1, "a", reason=CloseReason.COMPLETE, counts=known, needs_complete=True),
        )


@pytest.mark.parametrize("state", [{"closed_at": MOMENT}, None])
def test_a_successor_that_is_not_open_is_stale(state: dict[str, str] | None) -> None:
    runs = [live(1, "a")] + ([live(2, "a", 2, **state)] if state else [])
    provider = FakeProvider(*runs)

    with pytest.raises(StaleError, match="no open successor: run 2"):
        run_apply(provider, close(1, "a", reason=CloseReason.OLDER, successor_run=2))
    assert provider.writes == []


def test_a_run_that_somebody_closed_is_done_already() -> None:
    provider = FakeProvider(live(1, "a", closed_at=MOMENT))
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == []
    assert applied.statuses == {"close:1": Status.ALREADY_DONE}
    assert applied.report.exit_code is ExitCode.DONE


def test_a_run_that_is_not_listed_any_more_is_never_closed() -> None:
    provider = FakeProvider()
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == []
    assert applied.statuses == {"close:1": Status.STALE}


def test_a_look_older_than_a_second_is_taken_again() -> None:
    """A create whose reply is lost takes seconds; the close after it must not trust the first."""
    provider = FakeProvider(live(1, "a"))
    provider.trouble["clone"] = [Trouble(before=LOST, then=None)]
    provider.trouble["list"] = [Trouble(), Trouble(then=lambda: provider.record(1, 1))]
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.STALE}
    assert "got 1 more results" in applied.result("close:1").message
    assert provider.runs[1].is_open
    assert applied.report.exit_code is ExitCode.PARTIAL


def test_the_successor_is_closed_before_its_predecessor_is() -> None:
    """The members of the new run are compared after it was seen: time enough to close it."""
    provider = FakeProvider(live(1, "a", type="static"))
    clock = FakeClock()

    def close_the_successor_slowly() -> None:
        clock.time += 2
        provider.change(2, closed_at=MOMENT)

    provider.trouble["cases"] = [Trouble(then=close_the_successor_slowly)]
    made, closing = replacement(provider.runs[1], "a")
    applied = run_apply(provider, replace(made, type="static"), closing, clock=clock)

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.STALE}
    assert "no open successor: run 2" in applied.result("close:1").message
    assert provider.runs[1].is_open


def test_a_close_whose_reply_is_lost_is_read_back() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(after=LOST)]
    applied = run_apply(provider, close(1, "a"))

    assert provider.log == ["list None", "close 1", "list None"]
    assert applied.statuses == {"close:1": Status.DONE}


def test_a_close_that_did_not_run_is_sent_again_after_another_look() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=LOST)]
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == ["close 1"] * 2
    assert provider.log[-2:] == ["list None", "close 1"]
    assert applied.clock.slept == [0.0, 1.0, 2.0, 4.0]
    assert applied.statuses == {"close:1": Status.DONE}


def test_a_close_is_not_sent_again_when_people_went_on_in_the_run() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=LOST)]
    provider.trouble["list"] = [Trouble(), Trouble(then=lambda: provider.record(1, 1))]
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == ["close 1"]
    assert applied.statuses == {"close:1": Status.UNKNOWN}
    assert "more results" in applied.result("close:1").message


def test_a_close_that_is_lost_twice_is_unknown() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=LOST), Trouble(before=LOST)]
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == ["close 1"] * 2
    assert applied.statuses == {"close:1": Status.UNKNOWN}
    assert applied.result("close:1").run_id == 1
    assert applied.report.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("error", [REFUSED, AccessError("not allowed")])
def test_a_refused_close_of_a_run_that_is_closed_is_success(error: Exception) -> None:
    """Somebody was faster; what a server answers to a second close is stated nowhere."""
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(after=error)]
    applied = run_apply(provider, close(1, "a"))

    assert applied.result("close:1").status is Status.ALREADY_DONE
    assert applied.report.exit_code is ExitCode.DONE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (REFUSED, ExitCode.ERROR),
        (AccessError("not allowed"), ExitCode.ACCESS),
        (UnreachableError("connection refused"), ExitCode.UNREACHABLE),
    ],
)
def test_a_refused_close_of_an_open_run_fails(error: Exception, code: ExitCode) -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=error)]
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == ["close 1"]
    assert applied.statuses == {"close:1": Status.FAILED}
    assert applied.result("close:1").message == str(error)
    assert applied.report.exit_code is code


def test_no_close_without_a_look() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["list"] = [Trouble(before=UnreachableError("down"))]

    with pytest.raises(UnreachableError):
        run_apply(provider, close(1, "a"), make("b"))
    assert provider.writes == []


# Decision 018: of two lists the later counts, and both where nobody can tell.


async def look_and_close(provider: FakeProvider, order: str, allowing: str) -> Outcome:
    """List all and the open runs in some order, people at work in all lists but the allowing ones.

    `allowing` names the lists by their first letters, of each kind the first one only.
    """
    place = Workplace(provider, FakeClock().clock, StopSignal())
    views = {"whole": place.all_runs, "open": place.open_runs}
    listed = provider.list_runs
    seen: set[str] = set()

    async def list_runs(*, closed: bool | None = None) -> Listing:
        name = "whole" if closed is None else "open"
        is_allowed = name[0] in allowing and name not in seen
        seen.add(name)
        listing = await listed(closed=closed)
        if order == "open around whole" and closed is not None:
            await asyncio.sleep(0.01)
        if order == "whole around open" and closed is None:
            await asyncio.sleep(0.01)
        counts = StatusCounts(all=2, open=2 if is_allowed else 1, passed=0 if is_allowed else 1)
        return Listing(tuple(replace(run, counts=counts) for run in listing.runs))

    provider.list_runs = list_runs  # type: ignore[method-assign]  # scripted
    if "around" in order:
        await asyncio.gather(*(views[name].now() for name in order.split(" around ")))
    else:
        for name in order.split(" before "):
            await views[name].now()
    gate = Gate(place, ())
    return await close_run(place, gate, close(1, "a"), Successor(None))


@pytest.mark.parametrize(
    ("order", "allowing", "is_closed"),
    [
        ("whole before open", "o", True),
        ("whole before open", "w", False),
        ("open before whole", "w", True),
        ("open before whole", "o", False),
        ("open around whole", "ow", True),
        ("open around whole", "o", False),
        ("open around whole", "w", False),
        ("whole around open", "ow", True),
        ("whole around open", "o", False),
        ("whole around open", "w", False),
        # The look at closed runs comes later, and counts.
        ("open", "ow", True),
        ("open", "o", False),
        ("open", "", False),
    ],
)
def test_what_a_close_goes_by(order: str, allowing: str, *, is_closed: bool) -> None:
    provider = FakeProvider(live(1, "a"))
    outcome = run(look_and_close(provider, order, allowing))

    assert (outcome.is_done, outcome.is_stale) == (is_closed, not is_closed)
    assert provider.writes == ["close 1"] * is_closed
