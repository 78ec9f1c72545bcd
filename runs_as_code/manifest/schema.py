"""Checks the shape of a manifest against its JSON Schema: types, known keys, allowed values.

The schema is compiled to closures that only say yes or no; jsonschema is imported, and asked why,
for the parts they refuse. What the schema says beyond shape (patterns, conditions by type) is for
editors: `checks` and its neighbours say the same with better words, and a test holds both equal.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.tree import MapNode, SeqNode

Accept = Callable[[Any], bool]

SCHEMA_NAME = "manifest.v1"
SHAPE_KEYWORDS = frozenset(
    {
        "$ref",
        "additionalProperties",
        "enum",
        "items",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "properties",
        "required",
        "type",
    }
)
ANNOTATIONS = frozenset({"$defs", "$id", "default", "description", "examples", "title"})
SAID_BY_CHECKS = frozenset({"allOf", "dependentRequired", "maxLength", "pattern", "propertyNames"})


def load_schema(name: str) -> dict[str, Any]:
    """Return a schema of this project by its name, for example `manifest.v1`.

    Raises FileNotFoundError for a name there is no schema of.
    """
    here = Path(__file__).resolve().parent
    # In a wheel the folder lies inside the package, in a checkout (editable or not) beside it.
    folders = (here.parent / "schemas", here.parents[1] / "schemas")
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    text = (folder / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def shape() -> dict[str, Any]:
    """Return the manifest schema reduced to what it says of shape."""
    reduced: dict[str, Any] = _reduce(load_schema(SCHEMA_NAME))
    return reduced


def check_shape(document: Document) -> None:
    """Report every unknown or missing key, wrong type and value that is not allowed."""
    accept_top, accept_run = _acceptors()
    root = document.root
    refused = [] if accept_top(document.top) else [("", document.top, shape(), root.place)]
    run_shape = shape()["$defs"]["run"]
    refused += [
        (key, value, run_shape, place)
        for key, value, place, _ in document.entries
        if not accept_run(value)
    ]
    if refused:
        from runs_as_code.manifest.explain import explain  # noqa: PLC0415 -- 60 ms, for errors only

        explain(refused, shape(), document.findings)


@cache
def _acceptors() -> tuple[Accept, Accept]:
    """Return the acceptors of a manifest without its runs, and of one run."""
    root = shape()
    return _compile(root, root), _compile(root["$defs"]["run"], root)


def _reduce(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in {"properties", "$defs"}:
            kept[keyword] = {name: _reduce(part) for name, part in value.items()}
        elif keyword in {"items", "additionalProperties"}:
            kept[keyword] = _reduce(value)
        elif keyword in SHAPE_KEYWORDS or keyword in ANNOTATIONS:
            kept[keyword] = value
    return kept


def _compile(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Accept:
    if "$ref" in schema:
        return _compile(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    types = schema["type"]
    by_class: dict[type, Accept] = {}
    for name in [types] if isinstance(types, str) else types:
        by_class.update(_COMPILERS[name](schema, root))
    find = by_class.get

    def accept(value: Any) -> bool:
        accept_class = find(value.__class__)
        return accept_class is not None and accept_class(value)

    return accept


def _compile_object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[type, Accept]:
    known = {name: _compile(part, root) for name, part in schema.get("properties", {}).items()}
    rest = schema["additionalProperties"]
    accept_rest = _compile(rest, root) if rest else None
    required = tuple(schema.get("required", ()))
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", len(known) or None)

    def accept(node: MapNode) -> bool:
        for key, value in node.items():
            accept_value = known.get(key, accept_rest)
            if accept_value is None or not accept_value(value):
                return False
        for key in required:
            if key not in node:
                return False
        return bool(least <= len(node) and (most is None or len(node) <= most))

    return {MapNode: accept}


def _compile_array(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[type, Accept]:
    accept_item = _compile(schema["items"], root)
    least = schema.get("minItems", 0)

    def accept(node: SeqNode) -> bool:
        for item in node:
            if not accept_item(item):
                return False
        return bool(len(node) >= least)

    return {SeqNode: accept}


def _compile_string(schema: Mapping[str, Any], _root: Mapping[str, Any]) -> dict[type, Accept]:
    if "enum" in schema:
        return {str: frozenset(schema["enum"]).__contains__}
    least = schema.get("minLength", 0)
    return {str: lambda text: len(text) >= least}


def _compile_integer(schema: Mapping[str, Any], _root: Mapping[str, Any]) -> dict[type, Accept]:
    least, most = schema["minimum"], schema["maximum"]

    def accept(number: int) -> bool:
        return bool(least <= number <= most)

    # To JSON Schema 1.0 is an integer; to us it is a tag or a title that lacks its quotes.
    return {int: accept}


_COMPILERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[type, Accept]]] = {
    "object": _compile_object,
    "array": _compile_array,
    "string": _compile_string,
    "integer": _compile_integer,
    "boolean": lambda _schema, _root: {bool: lambda _: True},
    "null": lambda _schema, _root: {type(None): lambda _: True},
}
