"""Fits a text into a number of bytes: whole pieces or none, and it says how many are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_BYTES = 60_000
"""What fits into one comment of GitHub (65,536 characters) with room for what others add."""

LEAST_BYTES = 8_000
"""More than head and tail ever take."""

_LEFT_OUT = "**... {count} more, see the artifact**\n\n"
_LONGEST_COUNT = 10


@dataclass(frozen=True, slots=True)
class Section:
    """Pieces that stand together: they are kept or left out one by one, in this order.

    `opening` and `closing` are written only around at least one piece. Whether what is left out is
    told depends on `is_counted`.
    """

    opening: str
    pieces: Sequence[str]
    closing: str = ""
    is_counted: bool = True


def fit(head: str, sections: Sequence[Section], tail: str, max_bytes: int) -> str:
    """Return head, as many pieces as fit, and tail, in at most `max_bytes` bytes of UTF-8.

    Head and tail are never cut, so the caller keeps them short. A piece that is too large for what
    is left makes room for the smaller ones after it.
    """
    room = max_bytes - _size(head) - _size(tail) - _size(_LEFT_OUT) - _LONGEST_COUNT
    parts = [head]
    left_out = 0
    for section in sections:
        kept, room = _choose(section, room)
        if kept:
            parts += [section.opening, *kept, section.closing]
        if section.is_counted:
            left_out += len(section.pieces) - len(kept)
    if left_out:
        parts.append(_LEFT_OUT.format(count=left_out))
    return "".join([*parts, tail])


def _choose(section: Section, room: int) -> tuple[list[str], int]:
    kept: list[str] = []
    around = _size(section.opening) + _size(section.closing)
    for piece in section.pieces:
        needed = _size(piece) + (0 if kept else around)
        if needed <= room:
            kept.append(piece)
            room -= needed
    return kept, room


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
