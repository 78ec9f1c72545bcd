"""What a reader asked for in the query of a page; what makes no sense there is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

STATES = ("open", "closed", "all")
NOBODY = "-"
"""Stands for "no owner" where an owner may be chosen; no owner can be called so."""

T = TypeVar("T")

_MAX_TEXT = 255
_MAX_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs of a project to show."""

    text: str = ""
    owner: str = ""
    state: str = STATES[0]
    page: int = 1

    @property
    def is_narrow(self) -> bool:
        """Whether a reader asked for less than what is shown without asking."""
        return bool(self.text or self.owner or self.state != STATES[0])

    def query(self, **changed: Any) -> str:
        """Return the query of a page with these filters, some of them changed."""
        given = {"q": self.text, "owner": self.owner, "state": self.state, "page": 1} | changed
        usual = {"q": "", "owner": "", "state": STATES[0], "page": 1}
        kept = {name: value for name, value in given.items() if value != usual[name]}
        return f"?{urlencode(kept, errors='replace')}" if kept else ""


@dataclass(frozen=True, slots=True)
class Cut:
    """One page of something long; numbers begin with 1."""

    page: int
    pages: int
    first: int
    last: int
    total: int


def read_filters(query: Mapping[str, str]) -> Filters:
    """Read the filters of a list of runs."""
    state = query.get("state", "")
    return Filters(
        text=query.get("q", "").strip()[:_MAX_TEXT],
        owner=query.get("owner", "")[:_MAX_TEXT],
        state=state if state in STATES else STATES[0],
        page=read_page(query),
    )


def read_page(query: Mapping[str, str]) -> int:
    """Read the number of a page."""
    text = query.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return max(1, int(text)) if is_number else 1


def cut(items: Sequence[T], page: int, size: int) -> tuple[Sequence[T], Cut]:
    """Return one page of a sequence; beyond the last page that is the last one."""
    pages = max(1, -(-len(items) // size))
    page = min(page, pages)
    first = (page - 1) * size
    shown = items[first : first + size]
    return shown, Cut(page, pages, first + 1 if shown else 0, first + len(shown), len(items))
