"""One event loop for a call, and what signals do to it."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, Self, TypeVar

from runs_as_code.cli.ending import NOTHING_WRITTEN, InterruptionError
from runs_as_code.engine.connecting import Connections, ConnectionSettings
from runs_as_code.errors import ExitCode

SIGNALS = {signal.SIGINT: ExitCode.SIGINT, signal.SIGTERM: ExitCode.SIGTERM}

Result = TypeVar("Result")


class Loop:
    """Runs coroutines one after the other; between them signals do what Python does."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, Result], message: str = NOTHING_WRITTEN) -> Result:
        """Run what only reads, until a signal: then cancel and raise InterruptionError."""
        return self._runner.run(_watched(work, None, message))

    def run_gracefully(
        self, work: Coroutine[Any, Any, Result], stop: Callable[[ExitCode], None], message: str
    ) -> Result:
        """Run to the end; the first signal calls `stop`, the second cancels."""
        return self._runner.run(_watched(work, stop, message))


async def _watched(
    work: Coroutine[Any, Any, Result], stop: Callable[[ExitCode], None] | None, message: str
) -> Result:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    received: list[ExitCode] = []

    def hear(code: ExitCode) -> None:
        received.append(code)
        if stop is not None and len(received) == 1:
            stop(code)
        elif task is not None:
            task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows
        for number, code in SIGNALS.items():
            loop.add_signal_handler(number, hear, code)
    try:
        return await work
    except asyncio.CancelledError:
        if received:
            raise InterruptionError(message, received[0]) from None
        raise
    finally:
        with contextlib.suppress(NotImplementedError):  # Windows
            for number in SIGNALS:
                loop.remove_signal_handler(number)


@contextmanager
def connected(
    loop: Loop, settings: ConnectionSettings, first_file: str | None
) -> Iterator[Connections]:
    """Give the connections of a call, and close them at its end."""
    stack = AsyncExitStack()
    connections = loop.run(stack.enter_async_context(Connections(settings, first_file)))
    try:
        yield connections
    finally:
        loop.run(stack.aclose(), "interrupted at the end")
