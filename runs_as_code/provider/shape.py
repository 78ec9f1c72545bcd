"""Read parsed JSON strictly: every function takes one member or says what was expected there."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from runs_as_code.errors import BadResponseError
from runs_as_code.provider.text import one_line, without_surrogates

T = TypeVar("T")
Hook = Callable[[dict[str, Any]], Any]
Body = bytes | bytearray

MAX_INTEGER = 2**63 - 1
MAX_STRING = 1024 * 1024
# What a reply may hold: 100,000 runs have half a million objects and five million members. Each
# takes up to some twenty times the memory that it takes in the reply.
MAX_CONTAINERS = 4_000_000
MAX_MEMBERS = 12_000_000
WRONG_ADDRESS_HINT = "check that the server address is that of a QA Sphere, without further path"


class MismatchError(Exception):
    """A member is not what the API promises; `path` grows on the way out."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        super().__init__(path, expected)
        self.path = path
        self.expected = expected
        self.found = found

    def under(self, parent: str) -> "MismatchError":
        """Return the same mismatch seen from one level further out."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return MismatchError(f"{parent}{joint}{self.path}", self.expected, self.found)


def decode(label: str, body: Body, parse: Callable[[Any], T], hook: Hook | None = None) -> T:
    """Parse a reply's body; raise BadResponseError that names the endpoint `label`."""
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS or body.count(b",") > MAX_MEMBERS:
        raise BadResponseError(
            f"reply to `{label}` holds more values than any project has", hint=WRONG_ADDRESS_HINT
        )
    try:
        data = json.loads(body, object_hook=hook)
    except (ValueError, RecursionError):
        raise not_json(label, body) from None
    try:
        return parse(data)
    except MismatchError as mismatch:
        where = f"`{one_line(mismatch.path)}`" if mismatch.path else "the reply"
        message = (
            f"unexpected reply to `{label}`: {where}: expected {mismatch.expected}, "
            f"found {_describe(mismatch.found)}"
        )
        raise BadResponseError(message, hint=WRONG_ADDRESS_HINT) from None


def not_json(label: str, body: Body) -> BadResponseError:
    """Return the error for a body that is not JSON, with at most one line of it."""
    quoted = one_line(body[:20_000].decode("utf-8", "replace"))
    what = f"`{quoted}`" if quoted else "an empty body"
    return BadResponseError(
        f"reply to `{label}` is not JSON: expected an object, found {what}",
        hint=WRONG_ADDRESS_HINT,
    )


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object."""
    if isinstance(value, dict):
        return value
    raise MismatchError("", "an object", value)


def integer(parent: Mapping[str, Any], key: str) -> int:
    """Return a required integer."""
    value = parent.get(key)
    if type(value) is int and abs(value) <= MAX_INTEGER:
        return value
    raise MismatchError(key, "an integer", value)


def optional_integer(parent: Mapping[str, Any], key: str) -> int | None:
    """Return an integer, or None where it is null or missing."""
    return None if parent.get(key) is None else integer(parent, key)


def string(parent: Mapping[str, Any], key: str) -> str:
    """Return a required string."""
    value = parent.get(key)
    if isinstance(value, str) and len(value) <= MAX_STRING:
        return without_surrogates(value)
    expected = f"at most {MAX_STRING} characters" if isinstance(value, str) else "a string"
    raise MismatchError(key, expected, value)


def optional_string(parent: Mapping[str, Any], key: str) -> str | None:
    """Return a string, or None where it is null or missing."""
    return None if parent.get(key) is None else string(parent, key)


def optional_mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object, or an empty one where it is null or missing."""
    value = parent.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise MismatchError(key, "an object or null", value)


def required_mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a required object."""
    value = parent.get(key)
    if isinstance(value, dict):
        return value
    raise MismatchError(key, "an object", value)


def members(parent: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list; null is an empty one [S], but the key itself must be there.

    A reply without the key is another kind of reply, and must not pass for an empty project.
    """
    if key in parent:
        value = parent[key]
        if value is None:
            return []
        if isinstance(value, list):
            return value
    raise MismatchError(key, "a list or null", parent.get(key))


def each(values: list[Any], key: str, parse: Callable[[Any], T]) -> Iterator[T]:
    """Parse each member of the list found under `key`, and put its index into the path."""
    for index, value in enumerate(values):
        try:
            yield parse(value)
        except MismatchError as mismatch:
            raise mismatch.under(f"{key}[{index}]") from None


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str | int | float):
        return f"`{one_line(json.dumps(value, ensure_ascii=False))}`"
    return "something else"
