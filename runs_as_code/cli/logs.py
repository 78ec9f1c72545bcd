"""The log of a loop on stderr: lines of JSON or of text, with no secret in them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from runs_as_code.cli.console import Console
from runs_as_code.manifest.text import redact
from runs_as_code.model.reconciling import Level, LogEvent
from runs_as_code.provider.credentials import known_keys
from runs_as_code.report.logs import json_line, text_line

SHORTEST_SECRET = 8
NOTIFY_URL = "QARUN_NOTIFY_URL"
"""The variable with the address of a webhook, which is a secret itself."""

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


def scrubber_of(environ: Mapping[str, str], others: Iterable[str | None] = ()) -> Scrubber:
    """Return a scrubber of every key that could be found from here, and of other secrets.

    What is too short would blot out words and is left alone.
    """
    keys: tuple[str, ...] = ()
    with suppress(OSError):  # the working directory is gone
        keys = known_keys(environ, Path.cwd())
    known = {secret.strip() for secret in (*keys, environ.get(NOTIFY_URL), *others) if secret}
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
