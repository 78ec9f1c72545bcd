"""What a server says is hostile text: this makes it fit for one line of a message."""

LINE_LIMIT = 120


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return the first line that is not blank, at most `limit` characters, nothing unprintable.

    Terminal escapes, bidirectional marks and other control characters are shown as `\x1b`.
    """
    # Four times the limit is enough to fill it, and keeps a huge one-line body cheap.
    line = text[:10_000].strip().split("\n", 1)[0].strip()[: limit * 4]
    visible = "".join(char if char.isprintable() else _escape(char) for char in line)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def without_surrogates(text: str) -> str:
    """Replace half characters, which JSON can carry but no file or terminal can take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 -- one byte
