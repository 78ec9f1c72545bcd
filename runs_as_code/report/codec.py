"""Values to JSON data and back, driven by their type hints; decoding is strict and never crashes.

Keys are the fields' names in camelCase, enumerations their values, tuples arrays. A union of
dataclasses is told apart by `kind`. What a value derives from its fields is written, never read.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from runs_as_code.model.actions import CloseRun, MakeRun
from runs_as_code.model.plan import Change, ProjectPlan

MAX_INTEGER = 2**63 - 1

KINDS: Mapping[type, str] = {MakeRun: "make", CloseRun: "close"}
"""The classes that stand in unions, by the word that tells them apart."""

_DERIVED: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    MakeRun: {"address": lambda make: make.address},
    CloseRun: {
        "address": lambda close: close.address,
        "recorded": lambda close: close.recorded,
        "hasTime": lambda close: close.has_time,
    },
    Change: {"isWithheld": lambda change: change.is_withheld},
    ProjectPlan: {"isWithheld": lambda project: project.is_withheld},
}

_Decoder = Callable[[Any], Any]


class DecodeError(Exception):
    """The data does not have the shape that was asked for; `path` grows on the way up."""

    def __init__(self, expected: str, found: str, *, is_missing: bool = False) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found
        self.is_missing = is_missing
        self.path = ""

    def below(self, step: str) -> "DecodeError":
        """Return this error as seen from one level higher."""
        self.path = step + self.path
        return self


def encode(value: Any) -> Any:
    """Return a value of the model as JSON data."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, str | int):
        return value
    cls: Any = type(value)
    data = {key: encode(getattr(value, name)) for name, key in _keys(cls)}
    data |= {key: derive(value) for key, derive in _DERIVED.get(cls, {}).items()}
    if cls in KINDS:
        data["kind"] = KINDS[cls]
    return data


def decode(hint: Any, data: Any) -> Any:
    """Return the value that JSON data stands for; raise DecodeError where it stands for none."""
    return _decoder(hint)(data)


def camel(name: str) -> str:
    """Return a field's name as the key it has in JSON."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@cache
def _keys(cls: Any) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, camel(field.name)) for field in fields(cls))


@cache
def _decoder(hint: Any) -> _Decoder:
    if get_origin(hint) is UnionType:
        return _union_decoder(hint)
    if get_origin(hint) is tuple:
        return _tuple_decoder(hint)
    if is_dataclass(hint):
        return _dataclass_decoder(hint)
    if issubclass(hint, Enum):
        return _enum_decoder(hint)
    return _PLAIN[hint]


def _union_decoder(hint: Any) -> _Decoder:
    options = [option for option in get_args(hint) if option is not NoneType]
    inner = _decoder(options[0]) if len(options) == 1 else _kind_decoder(options)
    if len(options) == len(get_args(hint)):
        return inner
    return lambda data: None if data is None else inner(data)


def _kind_decoder(options: list[Any]) -> _Decoder:
    by_kind = {KINDS[option]: _decoder(option) for option in options}

    def decode_kind(data: Any) -> Any:
        kind = _object(data).get("kind")
        if not isinstance(kind, str) or kind not in by_kind:
            expected = " or ".join(f"`{name}`" for name in sorted(by_kind))
            raise DecodeError(expected, describe(kind)).below(".kind")
        return by_kind[kind](data)

    return decode_kind


def _tuple_decoder(hint: Any) -> _Decoder:
    item_decoder = _decoder(get_args(hint)[0])

    def decode_tuple(data: Any) -> Any:
        if not isinstance(data, list):
            raise DecodeError("an array", describe(data))
        result = []
        for number, item in enumerate(data):
            try:
                result.append(item_decoder(item))
            except DecodeError as error:
                raise error.below(f"[{number}]") from None
        return tuple(result)

    return decode_tuple


def _dataclass_decoder(cls: Any) -> _Decoder:
    hints = get_type_hints(cls)
    parts = [(name, key, _decoder(hints[name])) for name, key in _keys(cls)]

    def decode_object(data: Any) -> Any:
        given = _object(data)
        values = {}
        for name, key, decoder in parts:
            if key not in given:
                raise DecodeError("a value", "nothing", is_missing=True).below(f".{key}")
            try:
                values[name] = decoder(given[key])
            except DecodeError as error:
                raise error.below(f".{key}") from None
        return cls(**values)

    return decode_object


def _enum_decoder(hint: Any) -> _Decoder:
    members = {member.value: member for member in hint}

    def decode_enum(data: Any) -> Any:
        # A boolean would pass for 0 or 1, a list can't be looked up at all.
        if isinstance(data, bool) or not isinstance(data, str | int) or data not in members:
            expected = "one of " + ", ".join(f"`{value}`" for value in members)
            raise DecodeError(expected, describe(data))
        return members[data]

    return decode_enum


def _string(data: Any) -> str:
    if not isinstance(data, str):
        raise DecodeError("a string", describe(data))
    # JSON can carry half a character, which no request, file or terminal can.
    if not data.isascii() and any("\ud800" <= char <= "\udfff" for char in data):
        raise DecodeError("text", "half a character")
    return data


def _boolean(data: Any) -> bool:
    if not isinstance(data, bool):
        raise DecodeError("true or false", describe(data))
    return data


def _integer(data: Any) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise DecodeError("an integer", describe(data))
    if abs(data) > MAX_INTEGER:
        raise DecodeError("an integer of at most 64 bits", "a larger one")
    return data


_PLAIN: Mapping[Any, _Decoder] = {str: _string, bool: _boolean, int: _integer}


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise DecodeError("an object", describe(data))
    return data


def describe(data: Any) -> str:
    """Say what kind of JSON value this is, without quoting what may be long or hostile."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return str(data).lower()
    names = {str: "a string", int: "a number", float: "a number", list: "an array"}
    return names.get(type(data), "an object")
