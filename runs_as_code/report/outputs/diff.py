"""One change as lines of a diff: `+` is made, `-` is closed or was, `!` needs somebody's eyes.

GitHub and GitLab colour such lines, and each begins with a sign of ours, so that no foreign text
begins a line.
"""

from collections.abc import Iterator

from runs_as_code.model.actions import MakeRun
from runs_as_code.model.plan import Block, Change
from runs_as_code.report.changes import (
    MESSAGE_LIMIT,
    Surroundings,
    detail_lines,
    symbol_of,
    why_words,
)
from runs_as_code.report.fields import both_words, drift_words
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Symbol
from runs_as_code.report.words import TITLE_LIMIT, action_words

MADE, GONE, EYES, PLAIN = "+ ", "- ", "! ", "  "

_SIGNS = {
    Symbol.CREATE: MADE,
    Symbol.CLONE: MADE,
    Symbol.CLOSE: GONE,
    Symbol.REPLACE: EYES,
    Symbol.DECIDE: EYES,
    Symbol.BLOCKED: EYES,
    Symbol.DRIFT: EYES,
}


def change_diff(change: Change, around: Surroundings) -> str:
    """Return everything about a change, a blank line after it."""
    return "".join(f"{line}\n" for line in [*_change_lines(change, around), ""])


def block_diff(block: Block, opening: str = "") -> Iterator[str]:
    """Say which rule stops something, and the ways out."""
    place = "" if block.location is None else f"  ({safe(str(block.location), MESSAGE_LIMIT)})"
    rule, message = safe(block.rule, NAME_LIMIT), safe(block.message, MESSAGE_LIMIT)
    yield f"{EYES}    {opening}{rule}: {message}{'' if block.line else place}"
    if block.line:
        yield f"{PLAIN}      in the file: {safe(block.line, MESSAGE_LIMIT)}{place}"
    if block.flag:
        yield f"{PLAIN}      for this apply: {safe(block.flag, MESSAGE_LIMIT)}"


def _change_lines(change: Change, around: Surroundings) -> Iterator[str]:
    title = safe(change.title, TITLE_LIMIT)
    name = safe(change.key, NAME_LIMIT) + (f": {title}" if title else "")
    yield _SIGNS.get(symbol_of(change), PLAIN) + name
    yield f"{PLAIN}  {why_words(change, around)}"
    if change.location is not None:
        yield f"{PLAIN}  {safe(str(change.location), MESSAGE_LIMIT)}"
    for diff in change.fields:
        live, desired = both_words(diff)
        yield f"{GONE}    {safe(diff.field)}: {live}"
        yield f"{MADE}    {safe(diff.field)}: {desired}"
    yield from _action_lines(change, around)
    for block in change.blocks:
        yield from block_diff(block)
    for diff in change.drift:
        yield f"{EYES}    drift: {drift_words(diff, change)}"
    for note in change.notes:
        yield f"{PLAIN}    note: {safe(note, MESSAGE_LIMIT)}"


def _action_lines(change: Change, around: Surroundings) -> Iterator[str]:
    would = "would " if change.is_withheld or around.is_refused else ""
    for action in change.actions:
        sign = MADE if isinstance(action, MakeRun) else GONE
        yield f"{sign}    {would}{action_words(action, change.title)}"
        for line in detail_lines(change, action, around.names):
            yield f"{PLAIN}      {line}"
