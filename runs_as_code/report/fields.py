"""Fields that differ, old and new, by name and id."""

from runs_as_code.model.desired import Field
from runs_as_code.model.plan import Change, FieldDiff, Outcome, Value
from runs_as_code.report.safe import ELLIPSIS, quoted, safe

TEXT_LIMIT = 80
WORDS_LIMIT = 300
_LEAD = 20

_TEXTS = frozenset({Field.TITLE.value, Field.DESCRIPTION.value})
_REPLACING = frozenset({Outcome.REPLACE_BY_CLONE, Outcome.REPLACE_BY_CREATE})


def diff_words(diff: FieldDiff) -> str:
    """Say what the file changes: live, then desired."""
    old, new = both_words(diff)
    return f"{safe(diff.field)}: {old} -> {new}"


def drift_words(diff: FieldDiff, change: Change) -> str:
    """Say what people or the server changed: as applied, then live, and what becomes of it."""
    live, desired = both_words(diff)
    if change.outcome is Outcome.ADOPT:
        return f"{safe(diff.field)}: live {live}, file {desired}, left alone"
    return (
        f"{safe(diff.field)}: {desired} -> {live}, changed outside Git, {fate_words(diff, change)}"
    )


def fate_words(diff: FieldDiff, change: Change) -> str:
    """Say what becomes of a drift."""
    if change.outcome not in _REPLACING:
        return "left alone"
    if change.outcome is Outcome.REPLACE_BY_CLONE and diff.field == Field.TYPE:
        return "kept by the clone"
    return "undone by the replacement"


def both_words(diff: FieldDiff) -> tuple[str, str]:
    """Return the two values of a field in words: `old`, which is live, then `new`."""
    if diff.field in _TEXTS:
        old, new = _windows(diff.old.name or "", diff.new.name or "")
        return old, new
    old = _value_words(diff.old)
    if diff.field == Field.QUERY_PLANS and diff.old == Value():
        old = "(not readable)"
    return old, _value_words(diff.new)


def _value_words(value: Value) -> str:
    if value.name is None:
        return "(none)" if value.id is None else f"({value.id})"
    name = safe(value.name, WORDS_LIMIT)
    return name if value.id is None else f"{name} ({value.id})"


def _windows(old: str, new: str) -> tuple[str, str]:
    """Shorten two long texts so that where they begin to differ is still seen."""
    start = 0
    if max(len(old), len(new)) > TEXT_LIMIT:
        start = max(0, _common_length(old, new) - _LEAD)
    return _window(old, start), _window(new, start)


def _window(text: str, start: int) -> str:
    if not text:
        return "(empty)"
    if start == 0:
        return quoted(text, TEXT_LIMIT)
    return quoted(ELLIPSIS + text[start:], TEXT_LIMIT)


def _common_length(old: str, new: str) -> int:
    pairs = zip(old, new, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
