"""What a scalar means: the types of JSON and no others.

Plain scalars follow the core schema of YAML 1.2, a little tighter: a number with a leading zero or
a plus sign, `.inf`, `0x1F`, dates and `yes` are texts.
"""

import re
from typing import Any

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_CONSTANT_STARTS = frozenset(text[:1] for text in _CONSTANTS)
_NUMBER_STARTS = frozenset("-0123456789")
# A number too large for an id is still a number, not a title; Python reads 4,300 digits at most.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,4000})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?")

CORE = "tag:yaml.org,2002:"
_NUMBER_TAGS: dict[str, tuple[type, ...]] = {
    f"{CORE}int": (int,),
    f"{CORE}float": (int, float),
}


def resolve_plain(text: str) -> Any:
    """Return the value of a scalar without quotes and tag."""
    start = text[:1]
    if start in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text
    if start in _CONSTANT_STARTS:
        return _CONSTANTS.get(text, text)
    return text


def resolve_tagged(tag: str, text: str) -> Any:
    """Return the value of a scalar with an explicit tag.

    Raises ValueError for a tag that is not a core one of scalars, or does not fit the text.
    """
    if tag in {"!", f"{CORE}str"}:
        return text
    value = resolve_plain(text)
    if tag == f"{CORE}null" and value is None:
        return None
    if tag == f"{CORE}bool" and isinstance(value, bool):
        return value
    numbers = _NUMBER_TAGS.get(tag)
    if numbers and isinstance(value, numbers) and not isinstance(value, bool):
        return value
    raise ValueError(tag)


def is_container_tag(tag: str, kind: str) -> bool:
    """Whether the tag is the core one of a container, `map` or `seq`."""
    return tag in {"!", f"{CORE}{kind}"}
