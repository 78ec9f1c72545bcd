"""YAML as plain values, with the place of every key and value.

A place is one integer, line and column packed, because a large file has half a million of them;
arrays hold them in a quarter of the memory of lists.
"""

from array import array
from collections.abc import Iterator
from typing import Any

from runs_as_code.model.source import Location

COLUMN_BITS = 26  # more than the largest file has characters
_COLUMN_MASK = (1 << COLUMN_BITS) - 1


class MapNode(dict[str, Any]):
    """A mapping; `places` holds the place of each key and its value, in the order of the keys."""

    __slots__ = ("place", "places")

    def __init__(self, place: int = 0) -> None:
        self.place = place
        self.places = array("q")

    def key_place(self, key: str) -> int:
        """Return the place of a key, or that of the mapping when the key is not in it."""
        return self._find(key, 0)

    def value_place(self, key: str) -> int:
        """Return the place of a value, or that of the mapping when its key is not in it."""
        return self._find(key, 1)

    def entries(self) -> Iterator[tuple[str, Any, int, int]]:
        """Yield key, value, place of the key, place of the value."""
        return zip(self, self.values(), self.places[::2], self.places[1::2], strict=True)

    def _find(self, key: str, offset: int) -> int:
        for index, known in enumerate(self):
            if known == key:
                return self.places[2 * index + offset]
        return self.place


class SeqNode(list[Any]):
    """A list; `places` holds the place of each item."""

    __slots__ = ("place", "places")

    def __init__(self, place: int = 0) -> None:
        self.place = place
        self.places = array("q")


def pack(line: int, column: int) -> int:
    """Return the place of a line and column that count from 0."""
    return line << COLUMN_BITS | column


def locate(file: str, place: int) -> Location:
    """Return the place as a location, which counts from 1."""
    return Location(file, (place >> COLUMN_BITS) + 1, (place & _COLUMN_MASK) + 1)
