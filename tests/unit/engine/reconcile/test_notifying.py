"""Sending beside the rounds: in order, bounded, never in the way."""

import asyncio
from collections.abc import Awaitable, Callable

from runs_as_code.engine.reconcile.notifying import MOST_WAITING, Notifier
from runs_as_code.errors import UsageError
from runs_as_code.model.reconciling import (
    Ended,
    Happening,
    LogEvent,
    Observation,
    Scope,
    Transition,
)


def transition(number: int) -> Transition:
    seen = Observation(Scope("s", "p", f"o{number}"), number, Ended.DONE)
    return Transition(Happening.DRIFT, None, seen)


def play(
    send: Callable[[str], Awaitable[str]], count: int, patience: float = 5.0
) -> tuple[list[LogEvent], Notifier]:
    said: list[LogEvent] = []

    async def run() -> Notifier:
        notifier = Notifier(lambda each: each.observation.scope.owner, send, said.append)
        for number in range(count):
            notifier.told(transition(number))
        await notifier.finish(patience)
        return notifier

    return said, asyncio.run(run())


def test_notifications_arrive_in_order():
    got: list[str] = []

    async def send(body: str) -> str:
        got.append(body)
        return ""

    said, _ = play(send, 3)
    assert got == ["o0", "o1", "o2"]
    assert [event.event for event in said] == ["notification.sent"] * 3


def test_a_broken_receiver_is_said_and_nothing_else():
    async def send(body: str) -> str:
        if body == "o1":
            raise RuntimeError("https://secret")
        if body == "o2":
            raise UsageError("no JSON")
        return "it answered 500"

    said, _ = play(send, 3)
    assert [event.message.partition(": ")[2] for event in said] == [
        "it answered 500",
        "internal error: RuntimeError",
        "no JSON",
    ]


def test_a_receiver_that_hangs_delays_the_end_by_a_bound_only():
    async def send(_body: str) -> str:
        await asyncio.sleep(60)
        return ""

    said, _ = play(send, 2, patience=0.02)
    assert [event.event for event in said] == ["notification.dropped"] * 2


def test_what_waits_is_bounded_and_the_newest_stay():
    got: list[str] = []

    async def send(body: str) -> str:
        got.append(body)
        return ""

    said, _ = play(send, MOST_WAITING + 5)
    assert len([event for event in said if event.event == "notification.dropped"]) == 5
    assert got[-1] == f"o{MOST_WAITING + 4}"
    assert len(got) == MOST_WAITING


def test_telling_waits_for_nobody():
    async def run() -> None:
        started = asyncio.Event()

        async def send(_body: str) -> str:
            started.set()
            await asyncio.sleep(60)
            return ""

        notifier = Notifier(lambda _each: "", send, lambda _event: None)
        notifier.told(transition(1))
        assert not started.is_set()
        await asyncio.wait_for(started.wait(), 1)
        await notifier.finish(0)

    asyncio.run(run())
