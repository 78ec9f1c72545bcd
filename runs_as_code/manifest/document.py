"""One loaded file on its way through the checks: its tree, its runs, its findings.

The checks work on the tree and trust no type in it, so that a file shows all its problems at once;
only a file without errors is converted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.tree import MapNode, SeqNode

Entry = tuple[str, Any, int, int]


@dataclass(frozen=True, slots=True)
class RunNode:
    """One run as written; `merged` holds its fields and the defaults it inherits."""

    key: str
    place: int
    fields: MapNode
    defaults: MapNode
    merged: dict[str, Any]

    @property
    def is_open(self) -> bool:
        """Whether the run is wanted open."""
        return bool(self.merged.get("state", "open") == "open")

    def text(self, field: str) -> str | None:
        """Return a field that is a text, None when it is left out or something else."""
        value = self.merged.get(field)
        return value if isinstance(value, str) else None

    def place_of(self, field: str) -> int:
        """Return where a field's value stands, be it in the defaults; else the run's place."""
        for node in (self.fields, self.defaults):
            if field in node:
                return node.value_place(field)
        return self.place


class Document:
    """A file's root taken apart: `top` is everything but the runs, `entries` are the runs."""

    def __init__(self, root: MapNode, findings: Findings) -> None:
        self.root = root
        self.findings = findings
        runs = root.get("runs")
        self.entries: list[Entry] = list(runs.entries()) if isinstance(runs, MapNode) else []
        self.top = _without_runs(root) if isinstance(runs, MapNode) else root
        defaults = root.get("defaults")
        self.defaults = defaults if isinstance(defaults, MapNode) else MapNode(root.place)

    def runs(self) -> Iterator[RunNode]:
        """Yield the runs that are mappings; made anew each time, which costs less than keeping."""
        for key, fields, place, _ in self.entries:
            if isinstance(fields, MapNode):
                yield self._to_run(key, fields, place)

    def take_runs(self) -> Iterator[RunNode]:
        """Yield the runs for the last time and let go of each: a large file has a large tree."""
        self.root["runs"] = MapNode()
        entries = self.entries[::-1]
        self.entries = []
        while entries:
            key, fields, place, _ = entries.pop()
            yield self._to_run(key, fields, place)

    def _to_run(self, key: str, fields: MapNode, place: int) -> RunNode:
        merged = _merge(fields, self.defaults) if self.defaults else fields
        return RunNode(key, place, fields, self.defaults, merged)

    @property
    def file(self) -> str:
        """The file as the user named it."""
        return self.findings.file

    def text(self, key: str) -> str:
        """Return a text of the top level, empty when there is none."""
        value = self.root.get(key)
        return value if isinstance(value, str) else ""

    @property
    def aliases(self) -> list[str]:
        """Return the former names of the owner, as far as they are texts."""
        aliases = self.root.get("ownerAliases")
        items = aliases if isinstance(aliases, SeqNode) else ()
        return [alias for alias in items if isinstance(alias, str)]

    @property
    def scope(self) -> tuple[str, str]:
        """Server and project in a form that can be compared with another file's.

        A file that lacks its project or owner is a scope of its own.
        """
        if not self.text("project") or not self.text("owner"):
            return self.file, ""
        return self.text("server").rstrip("/").casefold(), self.text("project").casefold()


def _without_runs(root: MapNode) -> MapNode:
    top = MapNode(root.place)
    top.update(root)
    top.places = root.places
    runs = MapNode(root.value_place("runs"))
    top["runs"] = runs
    return top


def _merge(fields: MapNode, defaults: MapNode) -> dict[str, Any]:
    """Return the run's fields over the defaults.

    An inherited type counts only beside query plans: a clone or an adopted run has none of its own.
    """
    merged = {**defaults, **fields}
    if "queryPlans" not in fields and "type" not in fields:
        merged.pop("type", None)
    return merged
