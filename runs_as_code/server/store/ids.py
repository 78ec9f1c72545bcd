"""String ids in the service's form (hqid7): a UUIDv7 in Bitcoin's Base58, cut by one underscore."""

import secrets
import time

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = 22
_CUT = 9


def encode_id(number: int) -> str:
    """Write a 128 bit number as an id of 23 characters that sorts like the number."""
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    text = "".join(reversed(digits))
    return f"{text[:_CUT]}_{text[_CUT:]}"


def make_id(milliseconds: int, entropy: int) -> str:
    """Build the id of a moment (Unix milliseconds) from 74 bits of entropy."""
    high = entropy >> 62 & 0xFFF
    low = entropy & (1 << 62) - 1
    return encode_id(milliseconds << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def new_id() -> str:
    """Return a fresh id for the present moment."""
    return make_id(time.time_ns() // 1_000_000, secrets.randbits(74))
