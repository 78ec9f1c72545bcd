"""Counts of statuses as a stacked bar, and in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runs_as_code.server.rules.statuses import OPEN

WIDTH = 1_000
"""The width of a bar in its own units."""

_FIRST = ("passed", "failed", "blocked", "skipped")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: a status, its name for people, its colour, and where it stands."""

    status: str
    label: str
    tone: str
    count: int
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Bar:
    """How far a run has come; `percent` is rounded down: only what is complete reads 100."""

    parts: tuple[Part, ...]
    total: int
    recorded: int
    percent: int

    @property
    def words(self) -> str:
        """All of it in one line, for those who don't see the colours."""
        return ", ".join(f"{part.count} {part.label}" for part in self.parts) or "no test cases"


@dataclass(frozen=True, slots=True)
class Label:
    """How a status is called and coloured."""

    name: str
    tone: str


def make_bar(counts: Mapping[str, int], labels: Mapping[str, Label]) -> Bar:
    """Build the bar of some counts: what is recorded first, what is open last."""
    others = [name for name in counts if name not in _FIRST and name != OPEN]
    order = [*_FIRST, *sorted(others), OPEN]
    numbers = {name: counts.get(name, 0) for name in order}
    total = sum(numbers.values())
    parts = []
    before = 0
    for name, number in numbers.items():
        if number > 0:
            start = before * WIDTH // total
            before += number
            label = labels.get(name, Label(name, "gray"))
            width = before * WIDTH // total - start
            parts.append(Part(name, label.name, label.tone, number, start, width))
    recorded = total - numbers[OPEN]
    return Bar(tuple(parts), total, recorded, recorded * 100 // total if total else 0)


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add the counts of several runs."""
    total: dict[str, int] = {}
    for each in counts:
        for name, number in each.items():
            total[name] = total.get(name, 0) + number
    return total
