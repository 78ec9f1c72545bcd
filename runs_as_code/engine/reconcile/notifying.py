"""Sends notifications beside the rounds: in order, bounded, and never in anybody's way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from runs_as_code.engine.reconcile.settings import Audience
from runs_as_code.errors import QarunError
from runs_as_code.model.reconciling import (
    Level,
    Log,
    LogEvent,
    Observation,
    Scope,
    Standing,
    Transition,
    Value,
)

MOST_WAITING = 100
"""Notifications that wait for a receiver; of more the oldest are dropped."""


class Notifier:
    """An audience that tells a receiver of transitions.

    `shape` makes the body, `send` delivers it and returns what went wrong, or nothing.
    """

    def __init__(
        self,
        shape: Callable[[Transition], str],
        send: Callable[[str], Awaitable[str]],
        log: Log,
    ) -> None:
        self._shape = shape
        self._send = send
        self._log = log
        self._waiting: deque[Transition] = deque()
        self._work: asyncio.Task[None] | None = None

    def observed(self, _seen: Observation, _standing: Standing) -> None:
        """Nothing to tell: only transitions are."""

    def gone(self, _scope: Scope) -> None:
        """Nothing to tell."""

    def throttled(self, _seconds: float) -> None:
        """Nothing to tell."""

    def told(self, transition: Transition) -> None:
        """Put a notification in the queue; it is sent beside what goes on."""
        if len(self._waiting) >= MOST_WAITING:
            self._say(Level.WARNING, "dropped", self._waiting.popleft(), "too many wait")
        self._waiting.append(transition)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._deliver())

    async def finish(self, patience: float) -> None:
        """Wait for what is still to be sent, at most so many seconds; what is left is lost."""
        if self._work is None or self._work.done():
            return
        await asyncio.wait({self._work}, timeout=patience)
        if not self._work.done():
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
            for transition in self._waiting:
                self._say(Level.WARNING, "dropped", transition, "the loop ended before")

    async def _deliver(self) -> None:
        while self._waiting:
            transition = self._waiting[0]
            problem = await self._try(transition)
            # It may have been dropped meanwhile.
            if self._waiting and self._waiting[0] is transition:
                self._waiting.popleft()
            if problem:
                self._say(Level.ERROR, "failed", transition, problem)
            else:
                self._say(Level.INFO, "sent", transition, "")

    async def _try(self, transition: Transition) -> str:
        try:
            return await self._send(self._shape(transition))
        except QarunError as error:
            return error.message
        except Exception as error:  # noqa: BLE001 -- a receiver must never stop the loop
            return f"internal error: {type(error).__name__}"

    def _say(self, level: Level, what: str, transition: Transition, problem: str) -> None:
        scope = transition.observation.scope
        facts: dict[str, Value] = {
            "server": scope.server,
            "project": scope.project,
            "owner": scope.owner,
            "happening": transition.happening.value,
        }
        message = f"notification `{transition.happening}` {what}"
        if problem:
            message += f": {problem}"
        self._log(LogEvent(level, f"notification.{what}", message, facts))


class Audiences:
    """Several audiences as one."""

    def __init__(self, audiences: Sequence[Audience]) -> None:
        self._audiences = tuple(audiences)

    def observed(self, seen: Observation, standing: Standing) -> None:
        """Pass it on."""
        for audience in self._audiences:
            audience.observed(seen, standing)

    def told(self, transition: Transition) -> None:
        """Pass it on."""
        for audience in self._audiences:
            audience.told(transition)

    def gone(self, scope: Scope) -> None:
        """Pass it on."""
        for audience in self._audiences:
            audience.gone(scope)

    def throttled(self, seconds: float) -> None:
        """Pass it on."""
        for audience in self._audiences:
            audience.throttled(seconds)
