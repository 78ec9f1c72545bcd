"""What the actions of one project share while they are carried out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from runs_as_code.engine.freezing import find_frozen
from runs_as_code.engine.runlog import RunLog
from runs_as_code.engine.view import LiveView
from runs_as_code.errors import ExitCode
from runs_as_code.model.provider import Provider
from runs_as_code.model.restraint import FreezeWindow

LOOK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds between the looks for a write whose outcome is unknown: replicas may lag behind."""

SEEN_DELAYS = (0.0, 0.5, 1.0, 2.0, 3.0, 3.5)
"""Seconds between the looks for a run that was just made: 10 seconds in all."""

POSTPONED_TRIES = 6
"""Tries of a close that the server provably did not run; each has a look of its own."""

LONGEST_PAUSE = 60.0
"""Seconds between two of them at most."""

CLOSE_LISTING_AGE = 1.0
"""A listing this old in seconds still serves the check before a close."""

PARALLEL_ACTIONS = 8
"""Actions in flight at once; at 20 requests a second more would only wait."""


@dataclass(slots=True)
class StopSignal:
    """Set from outside to stop scheduling; what is in flight finishes.

    A freeze window that begins meanwhile stops it as well: `today` gives the time, None leaves
    windows out because somebody said to ignore them, and `is_frozen` tells that one stopped it.
    """

    requested: ExitCode | None = None
    today: Callable[[], datetime] | None = None
    is_frozen: bool = False

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
    """One project being changed: its provider, what is live in it, when to stop, its log."""

    def __init__(self, provider: Provider, clock: Clock, stop: StopSignal, log: RunLog) -> None:
        self.provider = provider
        self.clock = clock
        self.stop = stop
        self.log = log
        order = count()
        self.all_runs = LiveView(provider, closed=None, clock=clock.now, order=order)
        self.open_runs = LiveView(provider, closed=False, clock=clock.now, order=order)
        self.slots = asyncio.Semaphore(PARALLEL_ACTIONS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the sending of one write ended; `run_id` is set when the run is known.

    `pause` is set, in seconds, where nothing ran and trying again is of use. `is_absent` says of an
    unknown outcome that the last look was good and did not show the run.
    """

    is_done: bool
    message: str = ""
    run_id: int | None = None
    was_there: bool = False
    is_unknown: bool = False
    is_absent: bool = False
    is_stale: bool = False
    pause: float | None = None
    exit_code: ExitCode = field(default=ExitCode.DONE)
