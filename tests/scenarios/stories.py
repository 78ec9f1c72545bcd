"""Read scenario files, and the variants of the server that each of them runs against."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from runs_as_code.server import ServerOptions

FOLDER = Path(__file__).parent
SCHEMA = json.loads((FOLDER / "scenario.schema.json").read_text("utf-8"))

EVERY = {
    f"{scope}-{text}": {"title_scope": scope, "mangle_text": text}
    for scope in ("project", "milestone", "none")
    for text in ("none", "trim", "escape")
}
USUAL = ("project-none", "milestone-trim", "none-escape")  # each scope and each way with text once
VARIANTS: Mapping[str, Mapping[str, Any]] = (
    EVERY if os.environ.get("SCENARIO_TESTS") == "all" else {name: EVERY[name] for name in USUAL}
)


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario; `server` are options of the embedded server in every variant."""

    name: str
    title: str
    given: list[dict[str, Any]]
    desired: list[dict[str, Any]]
    beside: list[dict[str, Any]]
    approvals: dict[str, Any]
    meanwhile: list[dict[str, Any]]
    expect: dict[str, Any]
    differs: list[dict[str, Any]]
    server: dict[str, Any]

    def options(self, variant: str) -> ServerOptions:
        """Return the server's options in a variant."""
        return ServerOptions(**{**VARIANTS[variant], **self.server})

    def expected(self, variant: str) -> dict[str, Any]:
        """Return what must hold in a variant: `differs` replaces parts in some title scopes."""
        expected = dict(self.expect)
        for difference in self.differs:
            if self.options(variant).title_scope in difference["in"]:
                expected |= difference["expect"]
        return expected


def story_files() -> list[Path]:
    """Return all scenario files, by name."""
    return sorted(FOLDER.glob("*.yaml"))


@cache
def read_story(path: Path) -> Story:
    """Read one file; raise where it does not follow the schema."""
    data = yaml.safe_load(path.read_text("utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    return Story(
        name=path.stem,
        title=data["name"],
        given=data.get("given", []),
        desired=as_list(data.get("desired", {"runs": {}})),
        beside=as_list(data.get("beside", [])),
        approvals=data.get("approvals", {}),
        meanwhile=data.get("meanwhile", []),
        expect=data["expect"],
        differs=data.get("differs", []),
        server=data.get("server", {}),
    )


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, anything else as the only item of one."""
    return value if isinstance(value, list) else [value]
