"""What is live right now: listings shared by everybody who needs one that is fresh enough."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import count

from runs_as_code.model.live import Listing
from runs_as_code.model.provider import Provider


class LiveView:
    """Hands out listings of one project that began no earlier than asked.

    Whoever asks while a listing that is too old is in flight waits for the next one and shares it:
    a hundred runs that wait for their proof at once cost two requests, not a hundred. `reading` is
    around each wait for a listing, and may end it.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        closed: bool | None,
        clock: Callable[[], float],
        order: Iterator[int] | None = None,
        reading: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._provider = provider
        self._closed = closed
        self._clock = clock
        self._reading = reading
        self._lock = asyncio.Lock()
        self._listing: Listing | None = None
        self._began = float("-inf")
        # Counts beginnings and ends in all views that share it: the clock can't tell within a tick.
        self._order = count() if order is None else order
        self._span = (-1, -1)

    @property
    def began(self) -> float:
        """When the newest listing began, in seconds of the clock; minus infinity before any."""
        return self._began

    @property
    def newest(self) -> Listing | None:
        """Return the newest listing, however old; nothing is asked of the server."""
        return self._listing

    @property
    def span(self) -> tuple[int, int]:
        """When the newest listing began and ended, in the count of all beginnings and ends."""
        return self._span

    async def since(self, moment: float) -> Listing:
        """Return a listing that began at `moment` or later, in seconds of the clock."""
        if self._listing is not None and self._began >= moment:
            return self._listing
        async with self._reading(), self._lock:
            if self._listing is None or self._began < moment:
                return await self._list()
            return self._listing

    async def now(self) -> Listing:
        """Return a listing that begins after this, be it within the same tick of the clock."""
        asked = next(self._order)
        async with self._reading(), self._lock:
            if self._listing is None or self._span[0] < asked:
                return await self._list()
            return self._listing

    async def _list(self) -> Listing:
        began, number = self._clock(), next(self._order)
        listing = await self._provider.list_runs(closed=self._closed)
        self._listing, self._began = listing, began
        self._span = (number, next(self._order))
        return listing
