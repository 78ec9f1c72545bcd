"""Short digests for the marker, and the one form of data that is digested.

Rules of marker version 1: a change of any of them needs another version.
"""

import json
from base64 import b32encode
from hashlib import sha256
from typing import Any

from runs_as_code.model.marker import DIGEST_LENGTH
from runs_as_code.model.text import normal_form

_DIGEST_BYTES = DIGEST_LENGTH * 5 // 8  # base32 says five bits with each character
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


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
