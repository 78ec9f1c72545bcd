"""What a manifest says about when and how far `qarun` may write: its policy, its freeze windows."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum


class Policy(StrEnum):
    """How far an apply may go, from all to nothing.

    `no-close`: nothing is closed, so nothing is replaced either. `create-only`: a key gets its
    first run and no later one. `observe`: nothing is written.
    """

    SYNC = "sync"
    NO_CLOSE = "no-close"
    CREATE_ONLY = "create-only"
    OBSERVE = "observe"

    @property
    def strictness(self) -> int:
        """The place in the order from all to nothing."""
        return list(Policy).index(self)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week in the order of `date.weekday()`."""

DEFAULT_ZONE = "UTC"
LAST_MINUTE = "24:00"

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """A time in which nothing is written: every week on `days`, or once where there are none.

    `begin` and `end` are times of day (`16:00`) with days, else date-times; `timezone` is the IANA
    name of the zone they are meant in, unless a date-time has an offset of its own.
    """

    begin: str
    end: str
    days: tuple[str, ...] = ()
    timezone: str = DEFAULT_ZONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Frozen:
    """That it is a freeze window now: why, and until when, ISO 8601 in the window's zone."""

    reason: str
    until: str


def parse_time(text: str) -> time:
    """Return a time of day written `HH:MM`; raise ValueError for anything else."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return time(int(found[1]), int(found[2]))


def parse_moment(text: str) -> datetime:
    """Return a date-time, aware only where it has an offset; raise ValueError for anything else."""
    if _MOMENT.fullmatch(text) is None:
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())
