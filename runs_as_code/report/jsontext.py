"""JSON as bytes that are always the same, and back: bounded, no floats, no key twice."""

import json
import re
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring as _quote
from typing import Any, NoReturn

from runs_as_code.errors import UsageError
from runs_as_code.report.safe import BRACKET_COMMAND, is_unsafe

MAX_BYTES = 128 * 1024 * 1024
# What a file may hold: a plan of the largest size has a third of it. Each takes up to some twenty
# times the memory that it takes in the file.
MAX_CONTAINERS = 3_000_000
MAX_MEMBERS = 12_000_000

_PLAIN = {None: "null", True: "true", False: "false"}


def dump_json(document: Any) -> str:
    r"""Return JSON text: sorted keys, two spaces, LF, a line feed at the end, UTF-8 as it is.

    Characters that a terminal would act on or not show are written as `\u009b`, and so is one of
    what a pipeline's runner would take for a command.
    """
    parts: list[str] = []
    _write(document, "\n", parts.append)
    parts.append("\n")
    text = "".join(parts)
    unsafe = sorted(char for char in set(text) if char != "\n" and is_unsafe(char))
    if unsafe:
        # Outside of strings JSON has only ASCII, so replacing everywhere keeps it the same data.
        any_unsafe = re.compile("[" + re.escape("".join(unsafe)) + "]")
        text = any_unsafe.sub(lambda found: _escape(found[0]), text)
    return BRACKET_COMMAND.sub(r"\\u0023", text) if "##" in text else text


def parse_json(content: bytes, *, hint: str = "") -> Any:
    """Return the data of a JSON file; raise UsageError for everything that is none."""
    if len(content) > MAX_BYTES:
        raise UsageError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB", hint=hint)
    if content.count(b"[") + content.count(b"{") > MAX_CONTAINERS or (
        content.count(b",") > MAX_MEMBERS
    ):
        raise UsageError("the file holds more values than any plan has", hint=hint)
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except UnicodeDecodeError:
        raise UsageError("the file is not UTF-8 text", hint=hint) from None
    except RecursionError:
        raise UsageError("the file is nested too deeply", hint=hint) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"the file is not JSON: {error.msg} at {place}", hint=hint) from None
    except ValueError as error:
        raise UsageError(f"the file can't be read: {error}", hint=hint) from None


def _write(data: Any, line_feed: str, write: Callable[[str], None]) -> None:
    """Write data as `json.dumps(indent=2, sort_keys=True)` would, in less than half the time."""
    if isinstance(data, str):
        write(_quote(data))
    elif isinstance(data, dict):
        _write_all(
            ((f"{_quote(key)}: ", data[key]) for key in sorted(data)), "{}", line_feed, write
        )
    elif isinstance(data, list):
        _write_all((("", item) for item in data), "[]", line_feed, write)
    else:
        write(_PLAIN[data] if data is None or isinstance(data, bool) else int.__repr__(data))


def _write_all(
    items: Iterable[tuple[str, Any]], brackets: str, line_feed: str, write: Callable[[str], None]
) -> None:
    deeper = line_feed + "  "
    separator = brackets[0] + deeper
    for prefix, item in items:
        write(separator + prefix)
        _write(item, deeper, write)
        separator = "," + deeper
    write(brackets if separator[0] != "," else line_feed + brackets[1])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return data


def _refuse(_literal: str) -> NoReturn:
    raise ValueError("it holds a number that is no integer")


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:  # noqa: PLR2004 -- what four digits hold
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
