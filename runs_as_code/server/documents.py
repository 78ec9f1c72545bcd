"""The one module that reads and writes the server's YAML files, each with its JSON Schema."""

import json
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
_SEED_HEAD = "# yaml-language-server: $schema=seed.v1.schema.json\n"


class DocumentError(DatabaseError):
    """A seed or faults file that can't be used; names the file and every place."""


class _Loader(yaml.SafeLoader):
    """YAML without duplicate keys, which PyYAML would take the last of."""

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


def read_seed(path: Path) -> dict[str, Any]:
    """Read a seed file; raise `DocumentError` with every breach of its schema."""
    return _read(path, SEED_SCHEMA)


def write_seed(document: Mapping[str, Any]) -> str:
    """Write a seed document as YAML."""
    text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)
    return _SEED_HEAD + text


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
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DocumentError(f"`{path}` can't be read: {reason}") from error
    except yaml.YAMLError as error:
        raise DocumentError(f"`{path}` is no YAML: {error}") from error
    problems = list(_problems(document, schema))
    if problems:
        more = len(problems) - _SHOWN
        lines = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise DocumentError(
            f"`{path}` is not what `{schema}` asks for:\n"
            + "\n".join(f"  {line}" for line in lines),
            hint=f"the schema is `schemas/{schema}.schema.json`; docs/server.md has an example",
        )
    return cast("dict[str, Any]", document)


def _problems(document: Any, schema: str) -> Iterator[str]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only files need it, and it is slow

    validator = Draft202012Validator(load_schema(schema))
    for error in sorted(
        validator.iter_errors(document), key=lambda found: list(map(str, found.path))
    ):
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
        )
        yield f"{place.lstrip('.') or 'the file'}: {error.message[:200]}"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one of the server's schemas, from the wheel or from a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "schemas", package.parent / "schemas"):
        path = folder / f"{name}.schema.json"
        if path.is_file():
            return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    raise DocumentError(f"the schema `{name}` is not installed", hint="install the package again")
