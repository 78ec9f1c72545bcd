"""The loop of a pod: a round, a pause with jitter, until somebody asks it to stop."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from runs_as_code.engine.reconcile.project import explain
from runs_as_code.engine.reconcile.rounds import Reconciler
from runs_as_code.errors import ExitCode
from runs_as_code.model.reconciling import Level, Log, LogEvent

LONGEST_REST = 1800.0
"""Seconds that a failing project rests at most, unless the interval is longer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a round begins: `interval` seconds after the last one ended, give or take `jitter`.

    `jitter` is a share of the interval, so that several loops don't all call at once.
    """

    interval: float
    jitter: float = 0.0
    random: Callable[[], float] = random.random

    @property
    def longest_rest(self) -> int:
        """How many rounds a failing project rests at most."""
        return int(LONGEST_REST // self.interval)

    def pause(self) -> float:
        """Return the seconds until the next round."""
        return self.interval * (1.0 + self.jitter * (2.0 * self.random() - 1.0))


class ReconcileLoop:
    """Runs rounds until `stop`; an error that nobody foresaw ends a round, never the loop."""

    def __init__(
        self, reconciler: Reconciler, pace: Pace, log: Log, after_round: Callable[[], None]
    ) -> None:
        self._reconciler = reconciler
        self._pace = pace
        self._log = log
        self._after_round = after_round
        self._stopping = asyncio.Event()

    def stop(self, code: ExitCode) -> None:
        """Let what is in flight finish, start nothing new, and return from `run`."""
        self._stopping.set()
        self._reconciler.stop(code)

    async def run(self) -> None:
        """Run until somebody calls `stop`."""
        while not self._stopping.is_set():
            try:
                await self._reconciler.run_round()
            except Exception as error:  # noqa: BLE001 -- the next round may well go better
                self._tell(error)
            try:
                self._after_round()
            except Exception as error:  # noqa: BLE001 -- the same
                self._tell(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._pace.pause())

    def _tell(self, error: Exception) -> None:
        message, hint, code = explain(error)
        facts = {"hint": hint, "exit_code": code.value}
        self._log(LogEvent(Level.ERROR, "round.failed", message, facts))
