"""Query parameters: repeated keys for arrays, Go's words for what can't be parsed [DOC, CLI]."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from runs_as_code.server import guesses
from runs_as_code.server.store.clock import write_moment
from runs_as_code.server.web.problems import refuse

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INT_LIMIT = 2**63
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one request; empty values count as absent."""

    pairs: tuple[tuple[str, str], ...]

    def texts(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return [value for key, value in self.pairs if key == name and value]

    def text(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next(iter(self.texts(name)), None)

    def integers(self, name: str) -> list[int]:
        """Return all values of a parameter of whole numbers."""
        return [parse_integer(value) for value in self.texts(name)]

    def integer(self, name: str) -> int | None:
        """Return a whole number that is not negative."""
        number = next(iter(self.integers(name)), None)
        if number is not None and number < 0:
            raise refuse(f"{name} must not be negative")
        return number

    def flag(self, name: str) -> bool | None:
        """Return a boolean in the spellings that Go's `strconv.ParseBool` takes."""
        value = self.text(name)
        if value is None:
            return None
        if value not in _TRUE | _FALSE:
            raise refuse(f'strconv.ParseBool: parsing "{value}": invalid syntax')
        return value in _TRUE

    def moment(self, name: str) -> str | None:
        """Return a moment as the database writes it, from ISO 8601 with or without a time."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value)
            return write_moment(found if found.tzinfo else found.replace(tzinfo=UTC))
        except (ValueError, OverflowError) as error:  # a zone may lead out of the calendar
            raise refuse(f'parsing time "{value}": no date and time of ISO 8601') from error

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """Return a value out of a fixed set."""
        return next(iter(self.choices(name, allowed)), None)

    def choices(self, name: str, allowed: Collection[str]) -> list[str]:
        """Return values that are all out of a fixed set."""
        values = self.texts(name)
        for value in values:
            if value not in allowed:
                raise refuse(f"{name} must be one of {', '.join(sorted(allowed))}")
        return values

    def with_prefix(self, prefix: str) -> dict[str, list[str]]:
        """Return the values of all parameters that start with a prefix, by the rest."""
        names = {key for key, _ in self.pairs if key.startswith(prefix)}
        return {name.removeprefix(prefix): self.texts(name) for name in sorted(names)}


def parse_integer(value: str) -> int:
    """Parse a 64 bit whole number in ASCII digits."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise refuse(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    if len(digits) > len(str(_INT_LIMIT)) or not -_INT_LIMIT <= int(value) < _INT_LIMIT:
        raise refuse(f'strconv.ParseInt: parsing "{value}": value out of range')
    return int(value)


@dataclass(frozen=True, slots=True)
class Page:
    """The window that a request asks for; `limit` is `None` when it asks for everything."""

    offset: int
    limit: int | None
    page: int

    def cut(self, items: list[_Item]) -> list[_Item]:
        """Return the items inside the window."""
        if self.limit is None:
            return items
        return items[self.offset : self.offset + self.limit]

    def reply(self, data: list[dict[str, object]], total: int) -> dict[str, object]:
        """Build the reply; `page` and `limit` are always there, as older clients need them."""
        reply: dict[str, object] = {"data": data, "total": total}
        reply |= {"page": self.page, "limit": self.limit or 0}
        return reply if self.limit is None else reply | {"offset": self.offset}


def read_page(query: Query) -> Page:
    """Read `offset`, `limit` and the older `page`, which an offset overrules [CLI]."""
    return make_page(query.integer("offset"), query.integer("limit"), query.integer("page"))


def make_page(offset: int | None, limit: int | None, page: int | None) -> Page:
    """Build the window from the three numbers, each absent or not negative."""
    if offset is None and limit is None and not page:
        return Page(offset=0, limit=None, page=0)
    size = guesses.DEFAULT_PAGE_SIZE if limit is None else min(limit, guesses.PAGE_SIZE_CAP)
    if offset is None and page:
        return Page(offset=min((page - 1) * size, _INT_LIMIT - 1), limit=size, page=page)
    return Page(offset=offset or 0, limit=size, page=0)
