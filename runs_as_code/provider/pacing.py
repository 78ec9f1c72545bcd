"""Pacing: at most `rate` requests in any second at the server, without drawing a 429."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

HOLD_SECONDS = 1.005
UNPACED_SLOTS = 20

Later = Callable[[float, Callable[[], None]], object]


def call_later(delay: float, action: Callable[[], None]) -> None:
    """Call `action` in `delay` seconds on the running event loop."""
    asyncio.get_running_loop().call_later(delay, action)


@dataclass(slots=True)
class Slot:
    """The right to send one request; who does not use it after all delays nobody else."""

    is_used: bool = True


class Pacer:
    """Slots that are taken before sending and given back a second after the answer.

    The server counts arrivals, which a client can't see; an answer proves that its request has
    arrived. Pacing by the time of sending draws 429s as soon as the way there jitters.
    `rate` 0 turns pacing off; then the slots only bound how much is in flight.
    """

    def __init__(self, rate: int, later: Later = call_later) -> None:
        self._slots = asyncio.Semaphore(rate or UNPACED_SLOTS)
        self._hold = HOLD_SECONDS if rate else 0.0
        self._later = later

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Hold a slot while a request is under way."""
        await self._slots.acquire()
        slot = Slot()
        try:
            yield slot
        finally:
            # Also after a fault or a cancellation: the request may have arrived.
            if self._hold and slot.is_used:
                self._later(self._hold, self._slots.release)
            else:
                self._slots.release()
