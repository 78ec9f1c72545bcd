"""Guarded close: a look before it, a look back on any error, for what is closed stays closed."""

from dataclasses import replace
from typing import Any

import pytest
from unit.engine.support import (
    LOST,
    MOMENT,
    REFUSED,
    FakeClock,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    marker,
    replacement,
    run_apply,
)

from runs_as_code.errors import AccessError, ExitCode, StaleError, UnreachableError
from runs_as_code.model.actions import CloseReason
from runs_as_code.model.live import StatusCounts
from runs_as_code.model.report import Status


def test_a_close_is_one_look_and_one_post() -> None:
    provider = FakeProvider(live(1, "a"))
    applied = run_apply(provider, close(1, "a"))

    assert provider.log == ["list False", "close 1"]
    assert applied.statuses == {"close:1": Status.DONE}
    assert applied.result("close:1").run_id == 1
    assert not provider.runs[1].is_open


def test_an_adopted_run_has_no_marker_and_is_closed_all_the_same() -> None:
    applied = run_apply(FakeProvider(live(1)), close(1, "a", marker=None))

    assert applied.statuses == {"close:1": Status.DONE}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": "Mine now"}, "another marker"),
        ({"description": marker("a", 2)}, "another marker"),
        ({"counts": StatusCounts(all=2, open=0, passed=1, failed=1)}, "got 2 more results"),
        ({"time_spent": 1000}, "time spent"),
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
    applied = run_apply(FakeProvider(run), close(1, "a", recorded=2, has_time=True))

    assert applied.statuses == {"close:1": Status.DONE}


def test_a_complete_run_with_a_new_case_is_stale() -> None:
    run = live(1, "a", counts=StatusCounts(all=3, open=1, passed=2))

    with pytest.raises(StaleError, match="1 open cases again"):
        run_apply(FakeProvider(run), close(1, "a", reason=CloseReason.COMPLETE, recorded=2))


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

    assert provider.log == ["list False", "close 1", "list None"]
    assert applied.statuses == {"close:1": Status.DONE}


def test_a_close_that_did_not_run_is_sent_again_after_another_look() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=LOST)]
    applied = run_apply(provider, close(1, "a"))

    assert provider.writes == ["close 1"] * 2
    assert provider.log[-2:] == ["list False", "close 1"]
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
