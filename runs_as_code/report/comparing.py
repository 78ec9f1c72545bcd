"""How one plan differs from another: which actions came, went or changed, and in what bounds.

deepdiff says what differs inside an action; which actions there are is decided by their names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from runs_as_code.model.actions import Action
from runs_as_code.model.live import StatusCounts
from runs_as_code.model.plan import Plan
from runs_as_code.model.restraint import FreezeWindow
from runs_as_code.report.safe import safe

_UNORDERED = frozenset({"members", "known_runs", "cloned_by", "query_plans"})
_SKIPPED = frozenset({"marker"})
"""It is the last line of the description."""

_VALUE_LIMIT = 120

_Place = tuple[str, str, str]


def compare_plans(reviewed: Plan, other: Plan) -> list[str]:
    """Return a line for each action that only one plan has, and for each difference in the rest."""
    before, after = _by_place(reviewed), _by_place(other)
    bounds, new_bounds = _bounds(reviewed), _bounds(other)
    lines: list[str] = []
    for place in sorted(before.keys() | after.keys()):
        found = list(_lines(before.get(place, {}), after.get(place, {})))
        if place in bounds and place in new_bounds:
            found += _bound_lines(bounds[place], new_bounds[place])
        if found:
            server, project, owner = (safe(part, _VALUE_LIMIT) for part in place)
            lines += [f"Server {server}, project {project}, owner {owner}", *found]
    return lines


def _by_place(plan: Plan) -> dict[_Place, dict[str, Action]]:
    """Return the actions by name; one owner's project stands once in a plan."""
    return {
        (p.server, p.project, p.owner): {action.address: action for action in p.actions}
        for p in plan.projects
    }


def _bounds(plan: Plan) -> dict[_Place, dict[str, str]]:
    """Return what bounds an apply of each project: its policy, its freeze windows."""
    return {
        (p.server, p.project, p.owner): {
            "policy": p.policy.value,
            "freeze": ", ".join(map(_window, p.freeze)),
        }
        for p in plan.projects
    }


def _window(window: FreezeWindow) -> str:
    days = f"{'/'.join(window.days)} " if window.days else ""
    return f"{days}{window.begin} to {window.end} {window.timezone}"


def _bound_lines(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name, value in before.items():
        if value != after[name]:
            yield f"  ~ {name}: {_value(value or None)} -> {_value(after[name] or None)}"


def _lines(before: Mapping[str, Action], after: Mapping[str, Action]) -> Iterator[str]:
    for address in sorted(before.keys() | after.keys()):
        name = safe(address, _VALUE_LIMIT)
        if address not in after:
            yield f"  - {name}: not any more"
        elif address not in before:
            yield f"  + {name}: new"
        elif before[address] != after[address]:
            for words in _differences(before[address], after[address]):
                yield f"  ~ {name}: {words}"


def _differences(before: Action, after: Action) -> Iterator[str]:
    # Late, because deepdiff takes as long to import as a plan of a thousand runs to make.
    from deepdiff import DeepDiff  # noqa: PLC0415 -- see above

    # Order-free fields are sets by now: deepdiff's own `ignore_order` is quadratic.
    found = DeepDiff(_data(before), _data(after), view="tree")
    for kind in sorted(found):
        for level in sorted(found[kind], key=lambda level: str(level.path())):
            # An item of a set has no name of its own.
            steps = [str(s) for s in level.path(output_format="list") if isinstance(s, str)]
            yield f"{'.'.join(steps)}: {_value(level.t1)} -> {_value(level.t2)}"


def _data(value: Any) -> Any:
    if isinstance(value, StatusCounts):  # how many cases there are is for people
        return value.results
    if is_dataclass(value):
        return {
            field.name: _unordered(getattr(value, field.name))
            if field.name in _UNORDERED
            else _data(getattr(value, field.name))
            for field in fields(value)
            if field.name not in _SKIPPED
        }
    return value


def _unordered(values: tuple[Any, ...] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)


def _value(value: Any) -> str:
    if value is None or str(value) == "not present":
        return "(none)"
    if is_dataclass(value):
        parts = ((field.name, getattr(value, field.name)) for field in fields(value))
        value = "; ".join(f"{name} {', '.join(map(str, ids))}" for name, ids in parts if ids)
    return safe(str(value), _VALUE_LIMIT)
