"""Where output goes: data to stdout, everything else to stderr; and the one place that asks."""

import codecs
import contextlib
import errno
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

from runs_as_code.errors import QarunError
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Colour, Style

MESSAGE_LIMIT = 4_000
_OFF = frozenset({"", "0", "false", "no"})


class OutputClosedError(Exception):
    """The reader of stdout went away, as `head` does; nobody is left to tell."""


@dataclass(slots=True)
class Console:
    """What the options of a call say about output; `arguments` is the call itself."""

    color: str = "auto"
    is_ascii: bool = False
    is_debug: bool = False
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def prepare(self) -> None:
        """Make both streams show what they can't encode instead of failing at it."""
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    @property
    def style(self) -> Style:
        """How text on stdout looks."""
        return self._style(sys.stdout)

    @property
    def message_style(self) -> Style:
        """How text on stderr looks."""
        return self._style(sys.stderr)

    @property
    def is_lively(self) -> bool:
        """Whether stderr is a terminal that can redraw a line."""
        return _is_terminal(sys.stderr) and self.environ.get("TERM") != "dumb"

    @property
    def is_pipeline(self) -> bool:
        """Whether the environment says so by `CI`."""
        return self.environ.get("CI", "").strip().lower() not in _OFF

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer; a pipeline is never asked."""
        return not self.is_pipeline and _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    def data(self, text: str) -> None:
        """Write to stdout.

        Raises OutputClosedError when its reader went away, QarunError when it can't be written to.
        """
        if sys.stdout is None:
            raise QarunError("standard output is closed", hint="redirect it to a file or a pipe")
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            _silence(sys.stdout)
            if error.errno == errno.EPIPE:
                raise OutputClosedError from None
            reason = error.strerror or str(error)
            raise QarunError(f"standard output can't be written to: {reason}") from None

    def say(self, text: str) -> None:
        """Write a line to stderr; what can't be said never stops the work."""
        if sys.stderr is None:
            return
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text if text.endswith("\n") else text + "\n")
            sys.stderr.flush()

    def warn(self, message: str) -> None:
        """Say that something is odd, though not wrong."""
        label = self.message_style.paint("warning", Colour.YELLOW)
        self.say(f"{label}: {safe(message, MESSAGE_LIMIT)}")

    def trace(self, happened: object) -> None:
        """Say what a debug log holds of something that happened."""
        self.say(f"debug: {safe(str(happened), MESSAGE_LIMIT)}")

    def fail(self, message: str, hint: str = "") -> None:
        """Say what is wrong and what to do about it."""
        style = self.message_style
        self.say(f"{style.paint('error', Colour.ALARM)}: {safe(message, MESSAGE_LIMIT)}")
        if hint:
            self.say(f"{style.paint('hint', Colour.CYAN)}: {safe(hint, MESSAGE_LIMIT)}")

    def ask(self, question: str) -> str:
        """Ask on stderr and return the answer, empty when there is none."""
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    def _style(self, stream: TextIO | None) -> Style:
        return Style(
            is_colored=self._is_colored(stream), is_unicode=not self.is_ascii and _is_utf8(stream)
        )

    def _is_colored(self, stream: TextIO | None) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return True
        return _is_terminal(stream) and self.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _is_utf8(stream: TextIO | None) -> bool:
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "ascii").name == "utf-8"
    except LookupError:
        return False


def _silence(stream: TextIO) -> None:
    """Send the rest nowhere: Python flushes at its end and would complain once more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
