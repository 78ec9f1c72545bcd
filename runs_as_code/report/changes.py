"""One change as lines of text: what is decided, why, what differs, what is done, what stops it."""

from collections.abc import Iterator
from dataclasses import dataclass

from runs_as_code.model.actions import Action, CloseRun, MakeRun
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Block, Change, Outcome, Reason
from runs_as_code.report.fields import diff_words, drift_words
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Colour, Style, Symbol
from runs_as_code.report.words import (
    OUTCOMES,
    TITLE_LIMIT,
    action_details,
    action_words,
    counts_words,
    description_words,
    reason_words,
)

MESSAGE_LIMIT = 500
NOTHING_DONE = frozenset({Outcome.KEEP, Outcome.UNMANAGED})
"""What is only counted, unless something else is to be said of it."""

_SYMBOLS = {
    Outcome.CREATE: Symbol.CREATE,
    Outcome.CLONE: Symbol.CLONE,
    Outcome.REPLACE_BY_CLONE: Symbol.REPLACE,
    Outcome.REPLACE_BY_CREATE: Symbol.REPLACE,
    Outcome.CLOSE: Symbol.CLOSE,
    Outcome.ADOPT: Symbol.ADOPT,
    Outcome.ORPHAN: Symbol.DECIDE,
    Outcome.DECIDE: Symbol.DECIDE,
}
_NEW = frozenset({Outcome.CREATE, Outcome.CLONE})
_UNKNOWN_NAMES = frozenset({"unresolved-name", "ambiguous-name"})
_INDENT = " " * 4
_DEEPER = " " * 6


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a change is shown in: the style, the project's names, whether all of it is refused."""

    style: Style
    names: Names
    is_refused: bool = False


def symbol_of(change: Change) -> Symbol:
    """Return the sign of a change."""
    if change.is_withheld and change.outcome is not Outcome.DECIDE:
        return Symbol.BLOCKED
    if change.outcome in NOTHING_DONE and change.drift:
        return Symbol.DRIFT
    return _SYMBOLS.get(change.outcome, Symbol.NOTHING)


def is_quiet(change: Change) -> bool:
    """Whether there is nothing to say of a key but that it is there."""
    return (
        change.outcome in NOTHING_DONE
        and not change.is_pending
        and not change.drift
        and not change.notes
    )


def own_run(change: Change) -> LiveRun | None:
    """Return the run of a key; None for a run that only stands in its way, which may be anybody's.

    A title that a live run holds stops a create or a clone; a run without its marker can't be told
    to be ours.
    """
    is_held = change.reason is Reason.TITLE_HELD and change.outcome is not Outcome.DECIDE
    return None if is_held or change.reason is Reason.MARKER_LOST else change.run


def is_made_known(change: Change) -> bool:
    """Whether what would be sent is known in full: not with a name that has no id yet."""
    return not any(block.rule in _UNKNOWN_NAMES for block in change.blocks)


def detail_lines(change: Change, action: Action, names: Names) -> list[str]:
    """Say what an action gives a new run, or what a close waits for.

    A replacement says of its description only what differs, among the fields.
    """
    if not is_made_known(change):
        return []
    lines = action_details(action, names)
    if (
        isinstance(action, MakeRun)
        and change.outcome in _NEW
        and (words := description_words(action))
    ):
        lines.append(words)
    return lines


def change_lines(change: Change, around: Surroundings) -> Iterator[str]:
    """Say everything about a change."""
    style = around.style
    key = style.paint(safe(change.key, NAME_LIMIT), Colour.BOLD)
    title = safe(change.title, TITLE_LIMIT)
    yield f"{style.column(symbol_of(change))} {key}" + (f": {title}" if title else "")
    yield _INDENT + why_words(change, around)
    if change.location is not None:
        yield _INDENT + style.paint(safe(str(change.location), MESSAGE_LIMIT), Colour.DIM)
    for diff in change.fields:
        yield _DEEPER + diff_words(diff)
    yield from _action_lines(change, around)
    for block in change.blocks:
        yield from block_lines(block, style, _DEEPER)
    for diff in change.drift:
        yield f"{_DEEPER}{style.sign(Symbol.DRIFT)} {drift_words(diff, change)}"
    for note in change.notes:
        yield f"{_DEEPER}note: {safe(note, MESSAGE_LIMIT)}"


def brief_line(change: Change, style: Style) -> str:
    """Say of an unchanged key which run it has."""
    run = f" (run {change.run.id})" if change.run is not None else ""
    key, title = safe(change.key, NAME_LIMIT), safe(change.title, TITLE_LIMIT)
    return f"{style.column(Symbol.NOTHING)} {key}" + (f": {title}" if title else "") + run


def block_lines(block: Block, style: Style, opening: str) -> Iterator[str]:
    """Say which rule stops something, and the ways out, which stand deeper."""
    rule = style.paint(safe(block.rule, NAME_LIMIT), Colour.ALARM)
    place = "" if block.location is None else f"  ({safe(str(block.location), MESSAGE_LIMIT)})"
    message = f"{opening}{rule}: {safe(block.message, MESSAGE_LIMIT)}"
    yield message if block.line else message + place
    if block.line:
        yield f"{_DEEPER}  in the file: {safe(block.line, MESSAGE_LIMIT)}{place}"
    if block.flag:
        yield f"{_DEEPER}  for this apply: {safe(block.flag, MESSAGE_LIMIT)}"


def why_words(change: Change, around: Surroundings) -> str:
    """Say what is decided about a key, and why."""
    words = f"{_what(change)}: {reason_words(change, around.names)}"
    if symbol_of(change) is Symbol.DRIFT:
        words = "drift: somebody or the server changed what was applied, the file did not change"
    run = change.run
    if run is None or change.actions or not run.is_open or change.outcome is Outcome.DECIDE:
        return words
    return f"{words}; run {run.id} is open: {counts_words(run.counts)}"


def _what(change: Change) -> str:
    words = OUTCOMES[change.outcome]
    if not change.is_withheld or change.outcome is Outcome.DECIDE:
        return words
    return "blocked" if change.outcome in NOTHING_DONE else f"blocked, would {words}"


def _action_lines(change: Change, around: Surroundings) -> Iterator[str]:
    would = "would " if change.is_withheld or around.is_refused else ""
    for action in change.actions:
        words = would + action_words(action, change.title)
        if isinstance(action, CloseRun):
            words = around.style.paint(words, Colour.RED)
        yield _DEEPER + words
        lines = detail_lines(change, action, around.names)
        yield from (f"{_DEEPER}  {line}" for line in lines)
