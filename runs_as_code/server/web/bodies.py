"""JSON bodies, read the way a Go service reads them.

Unknown keys are ignored, `null` counts as absent and as the zero value inside a list, a wrong type
is named in Go's own words:
`json: cannot unmarshal string into Go struct field CreateTCaseRequest.folderId of type int` [3P].
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from runs_as_code.server.web.problems import refuse

_INT_LIMIT = 2**63
_TITLE_LIMIT = 255


@dataclass(frozen=True, slots=True)
class ListOf:
    """A JSON array whose items are of one kind."""

    item: "Kind"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A JSON object of free keys whose values are of one kind."""

    item: "Kind"


@dataclass(frozen=True, slots=True)
class Struct:
    """A JSON object with known fields, under the name that messages give it."""

    name: str
    fields: Mapping[str, "Kind"] = field(default_factory=dict)


Kind = str | ListOf | MapOf | Struct
"""`string`, `int`, `bool`, a list, a map or a struct."""


def parse_json(raw: bytes) -> Any:
    """Parse a body; raise a 400 with Go's message when it is no JSON."""
    text = raw.decode("utf-8", "replace")
    if not text.strip():
        raise refuse("EOF")
    try:
        return _clean(json.loads(text, parse_constant=_refuse_constant), text)
    except json.JSONDecodeError as error:
        raise refuse(_explain(text, error)) from error
    except RecursionError as error:
        raise refuse("exceeded max depth") from error
    except ValueError as error:
        raise refuse("json: cannot unmarshal number into Go value of type int") from error


def _refuse_constant(word: str) -> NoReturn:
    raise refuse(f"invalid character '{word[0]}' looking for beginning of value")


def _explain(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip()
    if not rest or error.msg.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    if error.msg == "Extra data":
        return f"invalid character '{rest[0]}' after top-level value"
    return f"invalid character '{rest[0]}' looking for beginning of value"


def _clean(value: Any, text: str) -> Any:
    # Go turns halves of surrogate pairs into U+FFFD; SQLite could not store them.
    return _mend(value) if "\\ud" in text.lower() else value


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value


def decode(value: Any, struct: Struct) -> dict[str, Any]:
    """Check a parsed body against a struct and return its known, non-null fields."""
    if not isinstance(value, dict):
        raise refuse(f"json: cannot unmarshal {_word(value)} into Go value of type {struct.name}")
    return _read_struct(value, struct, ())


def _read_struct(value: dict[str, Any], struct: Struct, path: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: _read(value[name], kind, struct.name, (*path, name))
        for name, kind in struct.fields.items()
        if value.get(name) is not None
    }


def _read(value: Any, kind: Kind, owner: str, path: tuple[str, ...]) -> Any:
    if isinstance(kind, Struct):
        if isinstance(value, dict):
            return _read_struct(value, kind, path)
    elif isinstance(kind, ListOf):
        if isinstance(value, list):
            return [_read_item(item, kind.item, owner, path) for item in value]
    elif isinstance(kind, MapOf):
        if isinstance(value, dict):
            items = value.items()
            return {key: _read_item(item, kind.item, owner, path) for key, item in items}
    elif _fits(value, kind):
        return value
    raise refuse(
        f"json: cannot unmarshal {_word(value, kind)} into Go struct field "
        f"{owner}.{'.'.join(path)} of type {_type_name(kind)}"
    )


def _read_item(value: Any, kind: Kind, owner: str, path: tuple[str, ...]) -> Any:
    return _zero(kind) if value is None else _read(value, kind, owner, path)


def _zero(kind: Kind) -> Any:
    if isinstance(kind, str):
        return {"string": "", "int": 0, "bool": False}[kind]
    return [] if isinstance(kind, ListOf) else {}


def _fits(value: Any, kind: str) -> bool:
    if kind == "int":
        is_int = isinstance(value, int) and not isinstance(value, bool)
        return is_int and -_INT_LIMIT <= value < _INT_LIMIT
    return isinstance(value, str if kind == "string" else bool)


def _word(value: Any, kind: Kind = "") -> str:
    """Name a JSON value as Go does; a number itself is shown where an integer was wanted."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if kind == "int" else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _type_name(kind: Kind) -> str:
    if isinstance(kind, ListOf):
        return f"[]{_type_name(kind.item)}"
    if isinstance(kind, MapOf):
        return f"map[string]{_type_name(kind.item)}"
    return kind.name if isinstance(kind, Struct) else kind


def check_path(titles: Sequence[str], name: str) -> None:
    """Refuse a folder path that is empty or has a title of a wrong length."""
    if not titles or not all(1 <= len(title) <= _TITLE_LIMIT for title in titles):
        raise refuse(f"{name} must have at least one title of 1-{_TITLE_LIMIT} characters")


def check_length(body: Mapping[str, Any], name: str, minimum: int, maximum: int) -> None:
    """Refuse a text field whose number of characters is out of bounds."""
    text = body.get(name, "")
    if minimum and not text:
        raise refuse(f"{name} is required")
    if not minimum <= len(text) <= maximum:
        if minimum:
            raise refuse(f"{name} must be {minimum}-{maximum} characters long")
        raise refuse(f"{name} must be at most {maximum} characters long")
