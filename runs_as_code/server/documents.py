"""The one module that reads and writes the server's YAML files, each with its JSON Schema."""

import json
import math
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from runs_as_code.server.store.database import DatabaseError
from runs_as_code.server.web.faults import Fault

SEED_SCHEMA = "seed.v1"
FAULTS_SCHEMA = "faults.v1"
_SHOWN = 10
_LARGEST = 64 * 1024 * 1024  # bytes; `/dev/zero` has no end
_MOST_VALUES = 2_000_000
_RARE_BREAKS = frozenset("\x85\u2028\u2029")
_SEED_HEAD = "# yaml-language-server: $schema=seed.v1.schema.json\n"


class DocumentError(DatabaseError):
    """A seed or faults file that can't be used; names the file and every place."""


_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """YAML without duplicate keys, which PyYAML would take the last of; `2024-01-31` is a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's own
    ) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            raise yaml.constructor.ConstructorError(
                "while reading a mapping", node.start_mark, "a key stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """YAML whose rarer line breaks are escaped: PyYAML folds them away when it reads them bare."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        style = '"' if _RARE_BREAKS.intersection(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_str)


def read_seed(path: Path) -> dict[str, Any]:
    """Read a seed file; raise `DocumentError` with every breach of its schema."""
    return _read(path, SEED_SCHEMA)


def write_seed(document: Mapping[str, Any]) -> str:
    """Write a seed document as YAML."""
    text = yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return _SEED_HEAD + str(text)


def read_faults(path: Path | str) -> tuple[tuple[Fault, ...], int]:
    """Read a faults file; return its faults and the seed of their chances."""
    document = _read(Path(path), FAULTS_SCHEMA)
    faults = tuple(
        Fault(**{name.replace("retryAfter", "retry_after"): value for name, value in item.items()})
        for item in document["faults"]
    )
    return faults, document.get("seed", 0)


def _read(path: Path, schema: str) -> dict[str, Any]:
    try:
        document = yaml.load(_read_text(path), Loader=_Loader)  # noqa: S506 - a safe loader, see above
        if _has_too_many_values(document):
            raise DocumentError(f"`{path}` can't be read: its aliases make it endless or huge")
        problems = list(_problems(document, schema))
    except (yaml.YAMLError, ValueError) as error:  # the second for a number or day that is none
        raise DocumentError(f"`{path}` is no YAML: {_explain(error)}") from error
    except RecursionError as error:
        raise DocumentError(f"`{path}` can't be read: it is nested too deeply") from error
    if problems:
        more = len(problems) - _SHOWN
        lines = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise DocumentError(
            f"`{path}` is not what `{schema}` asks for: {'; '.join(lines)}",
            hint=f"the schema is `schemas/{schema}.schema.json`; docs/server.md has an example",
        )
    return cast("dict[str, Any]", document)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"`{path}` can't be read: it is no UTF-8 text") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(f"`{path}` can't be read: {reason}") from error
    if len(raw) > _LARGEST:
        raise DocumentError(f"`{path}` can't be read: it has more than {_LARGEST} bytes")
    return text


def _explain(error: yaml.YAMLError | ValueError) -> str:
    """Say in one line what PyYAML says in several."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem}, line {mark.line + 1}" if mark is not None else problem


def _has_too_many_values(document: Any) -> bool:
    """Say whether aliases make a document larger than any that was written out could be."""
    waiting = [document]
    seen = 0
    while waiting and seen <= _MOST_VALUES:
        item = waiting.pop()
        if isinstance(item, dict | list):
            seen += len(item)
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return seen > _MOST_VALUES


def _problems(document: Any, schema: str) -> Iterator[str]:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - only files need it, and it is slow
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - the same

    # To JSON Schema, `.nan` and `.inf` are numbers that no limit excludes.
    checker = Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number)
    extend: Any = validators.extend  # jsonschema has no types
    validator = extend(Draft202012Validator, type_checker=checker)(load_schema(schema))
    for error in sorted(
        validator.iter_errors(document), key=lambda found: list(map(str, found.path))
    ):
        clearest = best_match([error]) or error  # inside of alternatives as well
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in clearest.absolute_path
        )
        message = clearest.message[:200]
        if clearest.validator == "pattern" and "examples" in clearest.schema:
            examples = " or ".join(f"`{example}`" for example in clearest.schema["examples"])
            message = f"{clearest.instance[:100]!r} is not of the form {examples}"
        yield f"{place.lstrip('.') or 'the file'}: {message}"


def _is_number(_checker: object, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(cast("float", value))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one of the server's schemas, from the wheel or from a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "schemas", package.parent / "schemas"):
        path = folder / f"{name}.schema.json"
        if path.is_file():
            return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    raise DocumentError(f"the schema `{name}` is not installed", hint="install the package again")
