"""An event loop on which nobody waits: when nothing is under way, time jumps to the next timer.

The program under test keeps all its pauses and time-outs, so what is tried is the real schedule,
only sooner. Work in threads (the embedded server's) is waited for in real time.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

STUCK_SECONDS = 20.0


class StuckError(Exception):
    """Nothing is under way and no timer is set: somebody waits for what can't come."""


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  the platform's
    """Lets the loop's clock jump instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.working = 0

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if self.working or timeout is None:
            events = super().select(STUCK_SECONDS)
            if not events:
                raise StuckError
            return events
        self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, which begins at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now

    @contextmanager
    def real_work(self) -> Iterator[None]:
        """Stop the clock while something is done in a thread."""
        self._jumping.working += 1
        try:
            yield
        finally:
            self._jumping.working -= 1


class VirtualRunner:
    """Runs coroutines one after the other on one virtual loop."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end."""
        return self._runner.run(work)

    def close(self) -> None:
        """Cancel what is left and close the loop."""
        self._runner.close()


@contextmanager
def real_work() -> Iterator[None]:
    """Stop the clock of the running loop if it is a virtual one."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        yield
        return
    with loop.real_work():
        yield
