"""Writes that did not run: how often they are tried, and what ends their pauses."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unit.engine.support import (
    LOST,
    Applied,
    FakeClock,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    project_plan,
    run_apply,
    run_plans,
)

from runs_as_code.engine.context import LAST_READ_SECONDS, LONGEST_PAUSE, POSTPONED_TRIES, Clock
from runs_as_code.engine.context import StopSignal as Signal
from runs_as_code.errors import ExitCode, NotRunError
from runs_as_code.model.actions import Action
from runs_as_code.model.events import Event, Noted
from runs_as_code.model.live import Listing
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.report import Status
from runs_as_code.model.restraint import FreezeWindow

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = FreezeWindow(begin="2026-01-01T00:00:30", end="2026-01-02T00:00")
INTERRUPTED = "interrupted before it was started"
ACTIONS: dict[str, Callable[[], Action]] = {
    "create": lambda: make("a"),
    "clone": lambda: make("a", source_run=1, query_plans=()),
    "close": lambda: close(1, "old"),
}


@pytest.fixture(params=ACTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def throttled(pause: float = 1.0, **more: Any) -> Trouble:
    return Trouble(before=NotRunError("429, too many requests", pause=pause), **more)


def throttling(kind: str, times: int = 99, pause: float = 1.0) -> FakeProvider:
    """Return a live side that keeps refusing one kind of write."""
    provider = FakeProvider(live(1, "old"))
    provider.trouble[kind] = [throttled(pause) for _ in range(times)]
    return provider


def only(applied: Applied) -> tuple[Status, str]:
    (result,) = applied.report.results
    return result.status, result.message


def test_a_write_that_did_not_run_is_tried_again(kind: str) -> None:
    provider = throttling(kind, times=POSTPONED_TRIES - 1)
    applied = run_apply(provider, ACTIONS[kind]())

    assert only(applied) == (Status.DONE, "")
    assert provider.attempts == [*range(1, POSTPONED_TRIES + 1)]
    assert applied.clock.slept == [1.0] * (POSTPONED_TRIES - 1)


def test_a_write_that_never_runs_fails_in_the_end(kind: str) -> None:
    provider = throttling(kind)
    applied = run_apply(provider, ACTIONS[kind]())

    assert only(applied) == (Status.FAILED, "429, too many requests")
    assert provider.attempts == [*range(1, POSTPONED_TRIES + 1)]
    assert applied.report.exit_code is ExitCode.UNREACHABLE


def test_no_pause_is_longer_than_the_longest(kind: str) -> None:
    provider = throttling(kind, times=2, pause=LONGEST_PAUSE + 15)
    applied = run_apply(provider, ACTIONS[kind]())

    assert applied.clock.slept == [LONGEST_PAUSE] * 2


class SlowClock(FakeClock):
    """Time in which something happens at a moment, even while somebody sleeps."""

    def __init__(self, moment: float, then: Callable[[], None]) -> None:
        super().__init__()
        self._moment = moment
        self._then = then

    async def sleep(self, seconds: float) -> None:
        end = self.time + seconds
        if self.time < self._moment <= end:
            self.time = self._moment
            self._then()
            await asyncio.sleep(0.01)  # long enough for who wants to end it
        self.time = end
        self.slept.append(seconds)


def interrupted(provider: FakeProvider, *actions: Action, **settings: Any) -> Applied:
    """Apply, and interrupt ten seconds later."""
    stop = Signal()
    clock = SlowClock(10, lambda: setattr(stop, "requested", ExitCode.SIGTERM))
    return run_apply(provider, *actions, stop=stop, clock=clock, **settings)


def test_a_signal_ends_the_pause_of_a_write_and_the_write(kind: str) -> None:
    provider = throttling(kind, pause=30)
    applied = interrupted(provider, ACTIONS[kind]())

    assert only(applied) == (Status.SKIPPED, INTERRUPTED)
    assert [provider.log[-1]] == provider.writes  # not even looked at again
    assert applied.clock.time == 10
    assert applied.report.exit_code is ExitCode.SIGTERM


def test_a_freeze_window_ends_the_tries_of_a_write(kind: str) -> None:
    provider = throttling(kind, times=1, pause=40)
    clock = FakeClock()
    stop = Signal(today=lambda: BEGINNING + timedelta(seconds=clock.time))
    plan = project_plan(ACTIONS[kind](), freeze=(WINDOW,))
    applied = run_plans(provider, plan, stop=stop, clock=clock)

    status, message = only(applied)
    assert status is Status.SKIPPED
    assert "a freeze window began" in message
    assert len(provider.writes) == 1
    assert applied.report.exit_code is ExitCode.REFUSED


def test_a_window_of_one_owner_holds_no_other_up() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [throttled(40), throttled(40)]
    clock = FakeClock()
    stop = Signal(today=lambda: BEGINNING + timedelta(seconds=clock.time))
    frozen = project_plan(make("a"), freeze=(WINDOW,))
    applied = run_plans(
        provider, frozen, project_plan(make("b"), owner="others"), stop=stop, clock=clock
    )

    assert applied.statuses == {"make:a": Status.SKIPPED, "make:b": Status.DONE}


def test_a_write_that_waits_for_its_turn_is_not_sent_after_a_signal(kind: str) -> None:
    """The action was begun, but the rate of the key kept its request back."""
    provider = FakeProvider(live(1, "old"))
    stop = Signal()

    async def wait() -> None:
        stop.requested = ExitCode.SIGINT

    provider.queue = wait
    applied = run_apply(provider, ACTIONS[kind](), stop=stop)

    assert only(applied) == (Status.SKIPPED, INTERRUPTED)
    assert provider.writes == []
    assert applied.clock.slept == []


def test_a_signal_during_the_look_before_a_close_ends_it() -> None:
    provider = FakeProvider(live(1, "old"))
    stop = Signal()
    clock = FakeClock()
    # The first look is that of the check before the first write, and gets too old.
    provider.trouble["list"] = [Trouble(then=lambda: setattr(clock, "time", 9.0))]
    listed = provider.list_runs

    async def hang(*, closed: bool | None = None) -> Listing:
        if provider.count("list"):
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: setattr(stop, "requested", ExitCode.SIGINT))
            await asyncio.sleep(2)
            raise AssertionError
        return await listed(closed=closed)

    provider.list_runs = hang  # type: ignore[method-assign]  # scripted
    applied = run_apply(provider, close(1, "old"), stop=stop, clock=clock)

    assert only(applied) == (Status.SKIPPED, INTERRUPTED)
    assert provider.writes == []


@pytest.mark.parametrize("kind", ["create", "clone"])
def test_an_unknown_outcome_is_not_tried_again_after_a_signal(kind: str) -> None:
    provider = FakeProvider(live(1, "old"))
    stop = Signal()
    provider.trouble[kind] = [Trouble(before=LOST)]
    provider.trouble["list"] = [Trouble(then=lambda: setattr(stop, "requested", ExitCode.SIGINT))]
    applied = run_apply(provider, ACTIONS[kind](), stop=stop)

    status, message = only(applied)
    assert status is Status.UNKNOWN
    assert message.endswith(f"not sent again: {INTERRUPTED}")
    assert len(provider.writes) == 1


def test_an_unknown_close_is_not_tried_again_after_a_signal() -> None:
    provider = FakeProvider(live(1, "old"))
    provider.trouble["close"] = [Trouble(before=LOST)]
    stop = Signal()
    clock = SlowClock(2, lambda: setattr(stop, "requested", ExitCode.SIGINT))
    applied = run_apply(provider, close(1, "old"), stop=stop, clock=clock)

    status, message = only(applied)
    assert status is Status.UNKNOWN
    assert message.endswith(f"not sent again: {INTERRUPTED}")
    assert provider.writes == ["close 1"]


def test_a_line_in_a_log_that_is_throttled_ends_with_a_signal() -> None:
    provider = throttling("log", pause=30)
    heard: list[Event] = []
    where = Provenance((("commit", "3f2c"),))
    applied = interrupted(provider, make("a"), provenance=where, listener=heard.append)

    assert only(applied)[0] is Status.DONE
    assert provider.count("log") == 1
    assert applied.clock.time == 10
    notes = [event.message for event in heard if isinstance(event, Noted)]
    assert notes == [f"where this apply comes from is not in the log of run 2: {INTERRUPTED}"]


def test_a_line_in_a_log_is_tried_again() -> None:
    provider = throttling("log", times=2)
    run_apply(provider, make("a"), provenance=Provenance((("commit", "3f2c"),)))
    assert [run_id for run_id, _ in provider.lines] == [2]


def test_a_signal_before_the_first_write_leaves_nothing_to_read_back() -> None:
    provider = FakeProvider(live(1, "old"))
    stop = Signal()
    provider.trouble["list"] = [Trouble(then=lambda: setattr(stop, "requested", ExitCode.SIGINT))]
    applied = run_apply(provider, close(1, "old"), make("a"), stop=stop, verified=True)

    assert set(applied.statuses.values()) == {Status.SKIPPED}
    assert provider.log == ["list None"]
    assert applied.report.exit_code is ExitCode.SIGINT


@pytest.mark.parametrize("is_before", [True, False])
def test_a_server_that_does_not_answer_after_a_signal_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, *, is_before: bool
) -> None:
    """What is read back then is only to be told: the report says that nobody knows."""
    monkeypatch.setattr("runs_as_code.engine.context.LAST_READ_SECONDS", 0.05)
    assert LAST_READ_SECONDS <= 5
    provider = FakeProvider()
    stop = Signal()

    async def hang(*, closed: bool | None = None) -> Listing:
        stop.requested = ExitCode.SIGINT
        await asyncio.sleep(60)
        raise AssertionError(closed)

    if is_before:
        provider.trouble["create"] = [
            Trouble(then=lambda: setattr(stop, "requested", ExitCode.SIGINT))
        ]
    provider.list_runs = hang  # type: ignore[method-assign]  # scripted
    applied = run_apply(provider, make("a"), stop=stop, verified=True)

    assert only(applied) == (
        Status.UNVERIFIED,
        "could not be read back: no answer within 0.05 s after the signal",
    )
    assert not applied.report.is_read_back
    assert applied.report.exit_code is ExitCode.SIGINT


def test_a_pause_without_a_signal_lasts_as_long_as_it_should() -> None:
    provider = throttling("create", times=1, pause=0.05)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        slept.append(seconds)

    clock = FakeClock()
    clock.sleep = sleep  # type: ignore[method-assign]  # real time
    applied = run_apply(provider, make("a"), clock=clock)
    assert only(applied)[0] is Status.DONE
    assert slept == [0.05]
    assert isinstance(clock.clock, Clock)
