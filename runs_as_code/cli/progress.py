"""What an apply says while it works: a bar on a terminal, plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runs_as_code.cli.console import Console
from runs_as_code.engine.context import StopSignal
from runs_as_code.errors import ExitCode
from runs_as_code.model.events import (
    ActionFinished,
    ActionStarted,
    ApplyStarted,
    Event,
    Interrupted,
    Listener,
    VerificationStarted,
)
from runs_as_code.report.applied import event_line
from runs_as_code.report.safe import safe

Show = Callable[[Event, str | None], None]


class Progress:
    """Hears the events of an apply, knows what is not begun yet, and stops it when told to."""

    def __init__(self, console: Console, show: Show) -> None:
        self._style = console.message_style
        self._show = show
        self._total = 0
        self._begun: set[tuple[str, str, str, str]] = set()
        self.stop_signal = StopSignal()

    @property
    def listener(self) -> Listener:
        """What the engine tells its events."""
        return self._hear

    def stop(self, code: ExitCode) -> None:
        """Let what is under way finish and start nothing more."""
        self.stop_signal.requested = code
        self._hear(Interrupted(self._total - len(self._begun)))

    def _hear(self, event: Event) -> None:
        if isinstance(event, ApplyStarted):
            self._total = event.total
        elif isinstance(event, ActionStarted):
            self._begun.add((event.server, event.project, event.owner, event.action.address))
        elif isinstance(event, ActionFinished):
            done = event.result
            self._begun.add((done.server, done.project, done.owner, done.action.address))
        # A terminal that went away must not stop an apply half-way.
        with contextlib.suppress(OSError, ValueError):
            self._show(event, event_line(event, self._style))


@contextmanager
def showing_progress(console: Console) -> Iterator[Progress]:
    """Give the progress of one apply; the bar is gone at its end."""
    if not console.is_lively:
        yield Progress(console, lambda _event, line: console.say(line) if line else None)
        return
    with _bar(console) as show:
        yield Progress(console, show)


@contextmanager
def _bar(console: Console) -> Iterator[Show]:
    import rich.console  # noqa: PLC0415 -- only terminals need it, and it takes 30 ms
    import rich.progress  # noqa: PLC0415 -- the same
    import rich.text  # noqa: PLC0415 -- the same

    terminal = rich.console.Console(
        file=sys.stderr, no_color=not console.message_style.is_colored, highlight=False
    )
    columns = (
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("{task.description}", markup=False),
    )
    bar = rich.progress.Progress(
        *columns, console=terminal, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    task = bar.add_task("", total=None)

    def show(event: Event, line: str | None) -> None:
        if isinstance(event, ApplyStarted):
            bar.update(task, total=event.total, refresh=True)
        elif isinstance(event, ActionStarted):
            bar.update(task, description=safe(event.action.address))
            return
        elif isinstance(event, ActionFinished):
            bar.update(task, advance=1, refresh=True)
        elif isinstance(event, VerificationStarted):
            bar.update(task, description="reading back")
        if line:
            terminal.print(rich.text.Text.from_ansi(line), soft_wrap=True)

    with bar:
        yield show
