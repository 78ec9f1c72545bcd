"""Makes a `Manifest` of a file that has no errors."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from runs_as_code.manifest.document import Document, RunNode
from runs_as_code.manifest.tree import MapNode, SeqNode, locate
from runs_as_code.model.desired import (
    CloneSource,
    CloseWhen,
    Field,
    IfExists,
    Limits,
    Manifest,
    Name,
    OnClosed,
    Prune,
    QueryPlan,
    ReplaceMode,
    ReplaceRule,
    RunSpec,
    RunType,
    State,
)
from runs_as_code.model.restraint import DAYS, DEFAULT_ZONE, FreezeWindow, Policy
from runs_as_code.model.source import Location

Converter = Callable[[str, Any, int], Any]


class FieldLocations(Mapping[str, Location]):
    """The locations of a run's fields, made when they are asked for: most never are."""

    __slots__ = ("_fields", "_file", "_places")

    def __init__(self, file: str, places: dict[str, int]) -> None:
        self._file = file
        # Equal for most runs, and then shared: a dict of its own would be the largest part of it.
        self._fields = _shared(tuple(places))
        self._places = array("q", places.values())

    def __getitem__(self, field: str) -> Location:
        if field not in self._fields:
            raise KeyError(field)
        return locate(self._file, self._places[self._fields.index(field)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"FieldLocations({dict(self)})"


@lru_cache(maxsize=1024)
def _shared(fields: tuple[str, ...]) -> tuple[str, ...]:
    return fields


def to_manifest(document: Document) -> Manifest:
    """Return the manifest that a document without errors holds."""
    root, file = document.root, document.file
    server = root.get("server")
    return Manifest(
        file=file,
        project=root["project"],
        owner=root["owner"],
        location=locate(file, root.value_place("project")),
        server=server.rstrip("/") if server else None,
        prune=Prune(root.get("prune", Prune.KEEP)),
        policy=Policy(root.get("policy", Policy.SYNC)),
        policy_location=locate(file, root.value_place("policy")) if "policy" in root else None,
        freeze=tuple(_to_window(window) for window in root.get("freeze", ())),
        limits=Limits(**root.get("limits", {})),
        users=dict(root.get("users", {})),
        owner_aliases=tuple(root.get("ownerAliases", ())),
        runs=_to_specs(document),
    )


def _to_window(window: MapNode) -> FreezeWindow:
    return FreezeWindow(
        begin=window["from"],
        end=window["to"],
        days=tuple(day for day in DAYS if day in window.get("days", ())),
        timezone=window.get("timezone", DEFAULT_ZONE),
        reason=window.get("reason", "").strip(),
    )


def _to_specs(document: Document) -> tuple[RunSpec, ...]:
    file = document.file
    defaults = _places(document.defaults)
    return tuple(_to_spec(run, defaults, file) for run in document.take_runs())


def _to_spec(run: RunNode, defaults: dict[str, int], file: str) -> RunSpec:
    places = {**defaults, **_places(run.fields)}
    values = {
        _ATTRIBUTES[field][0]: _ATTRIBUTES[field][1](file, value, places[field])
        for field, value in run.merged.items()
        if value is not None
    }
    values.setdefault("title", "")
    return RunSpec(
        key=run.key,
        location=locate(file, run.place),
        locations=FieldLocations(file, places),
        **values,
    )


def _places(node: MapNode) -> dict[str, int]:
    return dict(zip(node, node.places[1::2], strict=True))


def _to_text(_file: str, value: Any, _place: int) -> str:
    """Return the text as it is sent: servers trim, and so do we."""
    text: str = value.strip()
    return text


def _to_name(file: str, value: Any, place: int) -> Name:
    return Name(value, locate(file, place))


def _to_plans(file: str, value: SeqNode, _place: int) -> tuple[QueryPlan, ...]:
    return tuple(
        QueryPlan(locate(file, place), **_to_filters(file, plan))
        for plan, place in zip(value, value.places, strict=True)
    )


def _to_filters(file: str, plan: MapNode) -> dict[str, Any]:
    return {
        name: _unique(items) if name == "priorities" else _to_names(file, items)
        for name, items in plan.items()
    }


def _to_names(file: str, items: SeqNode) -> tuple[Name, ...]:
    names = [_to_name(file, *item) for item in zip(items, items.places, strict=True)]
    if len(names) == 1 or len({name.value for name in names}) == len(names):
        return tuple(names)
    first: dict[int | str, Name] = {}
    for name in names:
        first.setdefault(name.value, name)
    return tuple(first.values())


def _unique(items: SeqNode) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def _to_clone_source(file: str, value: Any, place: int) -> CloneSource:
    location = locate(file, place)
    if isinstance(value, str):
        return CloneSource(location, key=value)
    if "run" in value:
        return CloneSource(location, run_id=value["run"])
    return CloneSource(location, title=value["title"].strip())


def _to_replace(_file: str, value: str, _place: int) -> ReplaceRule:
    if value.startswith("r"):
        return ReplaceRule(ReplaceMode.REVISION, int(value[1:]))
    return ReplaceRule(ReplaceMode(value))


# Field of the manifest: attribute of `RunSpec`, and how its value is made.
_ATTRIBUTES: Mapping[str, tuple[str, Converter]] = {
    "title": ("title", _to_text),
    "description": ("description", _to_text),
    "type": ("type", lambda _file, value, _place: RunType(value)),
    "queryPlans": ("query_plans", _to_plans),
    "milestone": ("milestone", _to_name),
    "assignee": ("assignee", _to_name),
    "cloneFrom": ("clone_from", _to_clone_source),
    "adopt": ("adopt", lambda _file, value, _place: value["run"]),
    "state": ("state", lambda _file, value, _place: State(value)),
    "ifExists": ("if_exists", lambda _file, value, _place: IfExists(value)),
    "onClosed": ("on_closed", lambda _file, value, _place: OnClosed(value)),
    "closeWhen": ("close_when", lambda _file, value, _place: CloseWhen(value)),
    "replace": ("replace", _to_replace),
    "replaceTitle": ("replace_title", lambda _file, value, _place: value),
    "ignoreChanges": ("ignore_changes", lambda _file, value, _place: frozenset(map(Field, value))),
    "protect": ("protect", lambda _file, value, _place: value),
    "previousKeys": ("previous_keys", lambda _file, value, _place: _unique(value)),
}
