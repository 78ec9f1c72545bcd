"""The log of a loop on stderr: lines of JSON or of text, with no secret in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runs_as_code.cli.console import Console
from runs_as_code.manifest.text import redact
from runs_as_code.model.reconciling import Level, LogEvent
from runs_as_code.report.logs import json_line, text_line

SHORTEST_SECRET = 8
SECRET = "(secret)"  # noqa: S105 -- what stands in the place of one


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes known secrets, and what looks like a key, out of a text."""

    secrets: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        for secret in self.secrets:
            text = text.replace(secret, SECRET)
        return redact(text)


def scrubber_of(secrets: Iterable[str | None]) -> Scrubber:
    """Return a scrubber; what is too short would blot out words and is left alone."""
    known = {secret.strip() for secret in secrets if secret}
    long = (secret for secret in known if len(secret) >= SHORTEST_SECRET)
    return Scrubber(tuple(sorted(long, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class LogWriter:
    """Writes events to the console; what can't be written never stops the loop."""

    console: Console
    is_json: bool
    is_verbose: bool
    scrub: Scrubber
    today: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self, event: LogEvent) -> None:
        """Write one event, unless it is of no news and nobody asked for such."""
        if event.level is Level.DEBUG and not self.is_verbose:
            return
        clean = replace(
            event,
            message=self.scrub(event.message),
            facts={
                name: self.scrub(value) if isinstance(value, str) else value
                for name, value in event.facts.items()
            },
        )
        moment = self.today().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self.is_json:
            self.console.say(json_line(clean, moment))
        else:
            self.console.say(text_line(clean, moment, self.console.message_style))

    def warn(self, message: str) -> None:
        """Say that something is odd, though not wrong."""
        self(LogEvent(Level.WARNING, "warning", message))

    def trace(self, happened: object) -> None:
        """Say what a debug log holds of something that happened."""
        clean = replace(self, is_verbose=True)
        clean(LogEvent(Level.DEBUG, "http", str(happened)))
