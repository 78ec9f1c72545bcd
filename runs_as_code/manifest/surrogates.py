r"""Makes of a JSON text what YAML reads alike.

JSON writes a character beyond U+FFFF as two halves, `\ud83d\udd25`; YAML knows `\U0001f525` alone.
The rest of JSON is YAML. Where a text is not JSON in full, nothing is touched.
"""

import re

_SPACE = r"[ \t\r\n]*+"
_STRING = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+"'
_VALUE_ENDS = rf"(?={_SPACE}[,}}\]])"
# Tells where quotation marks are, which is all that is needed: the parser finds what else is wrong.
# A tree of a hostile file, as `json.loads` makes it, would take gigabytes.
_JSON = re.compile(
    rf"{_SPACE}\{{(?:"
    r"[ \t\r\n{}\[\],]++"
    rf"|{_STRING}(?:{_SPACE}:(?={_SPACE}[\"{{\[0-9tfn-])|{_VALUE_ENDS})"
    rf"|(?:true|false|null|-?[0-9][0-9.eE+-]*+){_VALUE_ENDS}"
    r")*+"
)
_STRINGS = re.compile(_STRING)
_HIGH = r"\\u([dD][89abAB][0-9A-Fa-f]{2})"
_LOW = r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
_PAIR_OR_ESCAPE = re.compile(rf"{_HIGH}{_LOW}|(\\u[dD][89a-fA-F])|\\.")
# As long as a pair, in a string that can't be read anyway: the place of what is wrong stays.
_FILLER = r"\ufffd\ufffd"


def join_pairs(text: str) -> str:
    """Return the text with the pairs of a JSON text joined; nothing else moves by it."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _STRINGS.sub(_join_string, text) if _JSON.fullmatch(text) else text


def _join_string(found: re.Match[str]) -> str:
    string = found[0]
    if "\\ud" not in string and "\\uD" not in string:
        return string
    has_half = any(each[3] for each in _PAIR_OR_ESCAPE.finditer(string))
    joined = _PAIR_OR_ESCAPE.sub(_fill if has_half else _join, string)
    # Blanks behind the string keep the places of all that follows in its line.
    return joined.ljust(len(string))


def _join(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    high, low = int(found[1], 16), int(found[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _fill(found: re.Match[str]) -> str:
    return found[0] if found[1] is None else _FILLER
