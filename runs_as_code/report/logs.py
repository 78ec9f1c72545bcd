"""Lines of the log: one JSON object each for machines, or one line each for people."""

import json

from runs_as_code.model.reconciling import Level, LogEvent
from runs_as_code.report.safe import BRACKET_COMMAND, safe
from runs_as_code.report.style import Colour, Style

LIMIT = 2_000
"""Characters of one text in a line; titles and messages of a server can be of any length."""

_COLOURS = {Level.ERROR: Colour.ALARM, Level.WARNING: Colour.YELLOW}
_WHERE = ("server", "project", "owner")


def json_line(event: LogEvent, moment: str) -> str:
    """Return an event as one line of JSON in ASCII; `moment` is ISO 8601 in UTC.

    `ts`, `level`, `event` and `message` come first and are always there; facts that are empty are
    left out.
    """
    data = {"ts": moment, "level": event.level.value, "event": event.event}
    data["message"] = event.message[:LIMIT]
    facts = {
        name: value[:LIMIT] if isinstance(value, str) else value
        for name, value in event.facts.items()
        if name not in data and value is not None and value != ""
    }
    text = json.dumps(data | facts, ensure_ascii=True, allow_nan=False)
    return BRACKET_COMMAND.sub(r"\\u0023", text)


def text_line(event: LogEvent, moment: str, style: Style) -> str:
    """Return an event as one line for people, with nothing hidden in it."""
    label = event.level.value
    if event.level in _COLOURS:
        label = style.paint(label, _COLOURS[event.level])
    where = " ".join(str(event.facts[name]) for name in _WHERE if event.facts.get(name))
    words = f"{where}: {event.message}" if where else event.message
    hint = event.facts.get("hint")
    if hint:
        words += f" (hint: {hint})"
    return f"{moment} {label} {safe(words, LIMIT)}"
