"""One normal form for text that a server or an editor may have changed, and its digests."""

import html
import json
import re
import unicodedata
from base64 import b32encode
from hashlib import sha256
from typing import Any

from runs_as_code.model.marker import DIGEST_LENGTH

# A tag never reaches over `[`, so that an unclosed `<` cannot swallow a marker behind it.
_BLOCK_TAG = re.compile(
    r"</?(?:address|article|blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|section|table|td|th|tr|ul)"
    r"(?:[\s/][^<>\[]*)?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\[]*>|<!--[^<>\[]*-->")

# Each round undoes one level of escaping; nobody escapes a text twenty times, and a hostile text
# must not cost more than that.
_MAX_ROUNDS = 20

_DIGEST_BYTES = DIGEST_LENGTH * 5 // 8  # base32 says five bits with each character
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def normal_form(text: str) -> str:
    """Return the text without tags, entities and superfluous white space, in NFC.

    `normal_form(escape(x)) == normal_form(x)`: what a server escapes or trims compares equal.
    """
    for _ in range(_MAX_ROUNDS):
        plain = html.unescape(text) if "&" in text else text
        # Tags go when nothing is left to decode, else escaping would change what is a tag; letters
        # are composed when no tag is left, else a stroke behind one would be composed with its `>`.
        if plain == text and "<" in text:
            plain = _TAG.sub("", _BLOCK_TAG.sub(" ", text))
        if plain == text:
            plain = unicodedata.normalize("NFC", text)
        if plain == text:
            break
        text = plain
    return " ".join(text.split())


def clash_form(title: str) -> str:
    """Return the form in which two titles clash: the normal form without regard to case."""
    return unicodedata.normalize("NFC", normal_form(title).casefold())


def text_digest(text: str) -> str:
    """Return the short digest of a text's normal form."""
    return _short(normal_form(text).encode("utf-8", "surrogatepass"))


def data_digest(data: Any) -> str:
    """Return the short digest of JSON data; the order of object keys does not count."""
    return _short(canonical_json(data))


def canonical_json(data: Any) -> bytes:
    """Return the one byte string that stands for this JSON data."""
    return _CANONICAL.encode(data).encode("ascii")


def _short(data: bytes) -> str:
    return b32encode(sha256(data).digest()[:_DIGEST_BYTES]).decode("ascii").lower()
