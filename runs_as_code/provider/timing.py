"""Time-outs, and the clocks that tests replace."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runs_as_code.provider.pacing import Later, call_later


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a request may take, in seconds, and where the time comes from.

    `total` bounds one try as a whole, so that a server that drips its reply can't hold a
    pipeline; the other four are httpx's.
    """

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 30.0
    total: float = 150.0
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    later: Later = call_later


DEFAULT_TIMING = Timing()
