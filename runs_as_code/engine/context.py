"""What the actions of one project share while they are carried out."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Self

from runs_as_code.engine.freezing import find_frozen
from runs_as_code.engine.view import LiveView
from runs_as_code.errors import ExitCode, NotRunError, UnreachableError
from runs_as_code.model.provider import Provider
from runs_as_code.model.restraint import FreezeWindow
from runs_as_code.planning.cost import PARALLEL_ACTIONS

LOOK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds between the looks for a write whose outcome is unknown: replicas may lag behind."""

SEEN_DELAYS = (0.0, 0.5, 1.0, 2.0, 3.0, 3.5)
"""Seconds between the looks for a run that was just made: 10 seconds in all."""

POSTPONED_TRIES = 6
"""Tries of a write that the server provably did not run."""

LONGEST_PAUSE = 60.0
"""Seconds between two of them at most."""

LAST_READ_SECONDS = 5.0
"""How long a read may still take once a signal came; what is under way then is only to be told."""

CLOSE_LISTING_AGE = 1.0
"""A listing this old in seconds still serves the check before a close."""

WHOLE_LISTING_AGE = 10.0
"""So old may the list be that shows what became of closed runs; it is long, and they rest."""


class StopSignal:
    """Set from outside, by `requested`, to stop sending writes; what is in flight finishes.

    A freeze window that begins meanwhile stops it as well: `today` gives the time, None leaves
    windows out because somebody said to ignore them, and `is_frozen` tells that one stopped it.
    """

    def __init__(
        self, requested: ExitCode | None = None, today: Callable[[], datetime] | None = None
    ) -> None:
        self.today = today
        self.is_frozen = False
        self._requested = requested
        self._hurries: set[Callable[[], None]] = set()

    @property
    def requested(self) -> ExitCode | None:
        """The signal that came; setting it, in the event loop, ends all pauses."""
        return self._requested

    @requested.setter
    def requested(self, code: ExitCode | None) -> None:
        is_news = self._requested is None and code is not None
        self._requested = code
        if is_news:
            for hurry in tuple(self._hurries):
                hurry()

    @asynccontextmanager
    async def limited(self, seconds: float) -> AsyncIterator[None]:
        """Let what is inside last so long at most after a signal; raise TimeoutError then."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:

            def hurry() -> None:
                limit.reschedule(loop.time() + seconds)

            self._hurries.add(hurry)
            try:
                if self._requested is not None:
                    hurry()
                yield
            finally:
                self._hurries.discard(hurry)

    def objection(self, windows: tuple[FreezeWindow, ...]) -> str:
        """Say why nothing new may be started now; empty when it may."""
        if self.requested is not None:
            return "interrupted before it was started"
        frozen = find_frozen(windows, self.today()) if self.today and windows else None
        if frozen is None:
            return ""
        self.is_frozen = True
        return f"a freeze window began and lasts until {frozen.until}"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the engine sees it, so that tests need not wait for it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Workplace:
    """One project being changed: its provider, what is live in it, when to stop."""

    def __init__(self, provider: Provider, clock: Clock, stop: StopSignal) -> None:
        self.provider = provider
        self.clock = clock
        self.stop = stop
        read, order = self.reading, count()
        self.all_runs = LiveView(provider, closed=None, clock=clock.now, order=order, reading=read)
        self.open_runs = LiveView(
            provider, closed=False, clock=clock.now, order=order, reading=read
        )
        self.slots = asyncio.Semaphore(PARALLEL_ACTIONS)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until a signal comes."""
        with suppress(TimeoutError):
            async with self.stop.limited(0.0):
                await self.clock.sleep(seconds)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Give up what is read inside, with UnreachableError, a little after a signal came."""
        try:
            async with self.stop.limited(LAST_READ_SECONDS):
                yield
        except TimeoutError:
            seconds = f"{LAST_READ_SECONDS:g} s"
            raise UnreachableError(f"no answer within {seconds} after the signal") from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the sending of one write ended; `run_id` is set when the run is known.

    `pause` is set, in seconds, where nothing ran and trying again is of use; `is_withheld` where
    nothing ran and nothing is to run any more. `is_absent` says of an unknown outcome that the last
    look was good and did not show the run.
    """

    is_done: bool
    message: str = ""
    run_id: int | None = None
    was_there: bool = False
    is_unknown: bool = False
    is_absent: bool = False
    is_stale: bool = False
    is_withheld: bool = False
    pause: float | None = None
    exit_code: ExitCode = field(default=ExitCode.DONE)

    @classmethod
    def postponed(cls, error: NotRunError) -> Self:
        """Return the outcome of a write that provably did not run and may be tried again."""
        return cls(
            is_done=False, pause=error.pause, message=error.message, exit_code=error.exit_code
        )
