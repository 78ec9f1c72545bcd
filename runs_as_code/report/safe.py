"""Makes text of a server or a manifest fit for a terminal: it may hold anything."""

import re
import unicodedata

DEFAULT_LIMIT = 200
ELLIPSIS = "..."

_BACKSLASHED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MAX_STACKED = 3

# What a pipeline's runner acts on in a log: `##[error]`, `##vso[task.complete]`, `##teamcity[...]`
# anywhere in a line, `::error::` at its beginning.
BRACKET_COMMAND = re.compile(r"(?<=#)#(?=[A-Za-z]{0,20}\[)")
_COLON_COMMAND = re.compile(r"\A( *)::")

# Drawn as nothing or as a blank, though Unicode calls them letters, marks or symbols. U+FE0E and
# U+FE0F stay: every second emoji carries one.
_BLANKS = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}.union(
        range(0x180B, 0x1810), range(0xFE00, 0xFE0E), range(0xE0000, 0xE1000)
    )
)


def safe(text: str, limit: int = DEFAULT_LIMIT) -> str:
    r"""Return the text as at most `limit` characters of one line, with nothing hidden in it.

    Control characters, line breaks, terminal escapes, bidirectional controls, invisible characters
    and halves of characters are shown as `\n`, `\x1b`, `\u202e`; of marks that are stacked on one
    letter all but the first three are. So is what a pipeline's runner would take for a command.
    What is cut off ends in `...`.
    """
    shown = text
    if len(text) > limit or not (text.isascii() and text.isprintable()):
        shown = _fit(_visible(text[: limit + 1]), limit)
    if "##" in shown:
        shown = BRACKET_COMMAND.sub(r"\\x23", shown)
    if "::" in shown:
        shown = _COLON_COMMAND.sub(r"\1\\x3a:", shown)
    return shown if len(shown) <= limit else _fit(list(shown), limit)


def quoted(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return the text made safe, as a literal in backticks."""
    return f"`{safe(text, limit)}`"


def is_unsafe(char: str) -> bool:
    """Whether a character would not be seen, or would change how others are seen."""
    return not char.isprintable() or ord(char) in _BLANKS


def width(text: str) -> int:
    """Return how many columns of a terminal a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if _is_mark(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _visible(text: str) -> list[str]:
    """Return the pieces of the visible text, one for each character."""
    pieces = []
    stacked = 0
    for char in text:
        stacked = stacked + 1 if _is_mark(char) else 0
        if unicodedata.category(char) == "Zs":
            pieces.append(" ")
        elif is_unsafe(char) or stacked > _MAX_STACKED:
            pieces.append(_escape(char))
        else:
            pieces.append(char)
    return pieces


def _fit(pieces: list[str], limit: int) -> str:
    text = "".join(pieces)
    if len(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    kept = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + ELLIPSIS


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"}


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004 -- what fits into two digits
        return _BACKSLASHED.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 -- four digits
