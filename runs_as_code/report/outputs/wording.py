"""Which words of a text changed, so that nobody need compare two long ones by eye."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Pieces = tuple[tuple[bool, str], ...]
"""A text in pieces; each says whether it changed."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.5


def changed_words(old: str, new: str) -> tuple[Pieces, Pieces]:
    """Return two texts in pieces; both in one piece where they have too little in common."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return ((False, old),), ((False, new),)
    steps = matcher.get_opcodes()
    return (
        tuple(_pieces(before, ((tag == "equal", start, end) for tag, start, end, _, _ in steps))),
        tuple(_pieces(after, ((tag == "equal", start, end) for tag, _, _, start, end in steps))),
    )


def _pieces(
    words: Sequence[str], spans: Iterator[tuple[bool, int, int]]
) -> Iterator[tuple[bool, str]]:
    for is_equal, start, end in spans:
        if start < end:
            yield not is_equal, "".join(words[start:end])
