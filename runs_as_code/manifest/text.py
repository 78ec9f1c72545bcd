"""What can be said of a text offline: is it fit to print, is it a secret, does it hold a marker."""

import re
from typing import Any

from runs_as_code.model.marker import MARKER_OPENING
from runs_as_code.model.text import normal_form

MAX_QUOTED = 60
_MAX_LOOKED_AT = 1_000  # of a text that is shortened anyway; longer than any API key

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Invisible as well, and able to make a printed line read as something else.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)

# `{tenantId}.{apiKeyId}.{token}`, the middle in the form of an id (facts, section 2.2). It begins
# with the dot, so that the search over a whole file stays cheap.
_API_KEY_TAIL = re.compile(r"\.[A-Za-z0-9]{9}_[A-Za-z0-9]{13}\.[A-Za-z0-9_-]{4,}")
_LONGEST_TENANT = 64
_TENANT = re.compile(r"[A-Za-z0-9_-]+\Z")
_API_KEY = re.compile(rf"[A-Za-z0-9_-]{{0,{_LONGEST_TENANT}}}{_API_KEY_TAIL.pattern}")
_SECRET_KEY = re.compile(
    r"(?:access|api|auth|bearer|qas|qasapi)?(?:secret|token)|(?:access|api|qasapi)key"
    r"|auth|authorization|bearer|credentials|passwd|password"
)


def has_control_character(text: str, *, lines: bool = False) -> bool:
    """Whether the text holds control characters; with `lines`, tab and line feed are none."""
    return (_CONTROL_BUT_LINES if lines else _CONTROL).search(text) is not None


def has_marker(text: str) -> bool:
    """Whether the text holds a marker's opening, be it escaped or broken up by tags."""
    return MARKER_OPENING in normal_form(text).casefold()


def find_secret(text: str) -> int:
    """Return the index of the first thing in the text that looks like an API key, or -1."""
    found = _API_KEY_TAIL.search(text)
    if not found:
        return -1
    # Backwards from the dot: a search from the front would try every word of the file.
    start = found.start()
    tenant = _TENANT.search(text[max(0, start - _LONGEST_TENANT) : start])
    return start - len(tenant[0]) if tenant else start


def is_secret_key(key: str) -> bool:
    """Whether a key of this name usually holds a secret."""
    return _SECRET_KEY.fullmatch(re.sub(r"[-_. ]", "", key).lower()) is not None


def redact(text: str) -> str:
    """Return the text without anything that looks like an API key."""
    return _API_KEY.sub("(secret)", text) if "_" in text else text


def quote(value: Any) -> str:
    """Return a value from a file as a short printable literal in backticks."""
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower() if value is not None else 'null'}`"
    text = redact(str(value)[:_MAX_LOOKED_AT])
    if len(text) > MAX_QUOTED:
        text = text[: MAX_QUOTED - 1] + "…"
    return "`" + _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "`"
