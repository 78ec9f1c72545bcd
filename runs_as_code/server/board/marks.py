"""The markers of `qarun` in descriptions, read for people: whose run it is, and which revision.

A reader of its own: the server shares no code with the client. A test holds the two together.
"""

import html
import re
from dataclasses import dataclass
from functools import lru_cache

_OPENING = "[qarun:"
_MARKER = re.compile(
    r"\[qarun:1 (?P<owner>[a-z0-9-]{3,32}) (?P<key>[A-Za-z0-9._@=,\[\]-]{1,64})"
    r" r(?P<revision>[0-9]{1,4})(?: [sdtnma][a-z0-9-]{1,10}){6} (?P<flag>[pu])\]"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a marker says to people; `text` is all of it."""

    owner: str
    key: str
    revision: int
    is_protected: bool
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """A description taken apart; `is_damaged` where something looks like a marker and is none."""

    text: str
    mark: Mark | None = None
    is_damaged: bool = False


@lru_cache(maxsize=16_384)
def read_description(description: str) -> Description:
    """Take a description apart into its marker and the text around it."""
    openings = description.count(_OPENING)
    found = _MARKER.search(description) if openings == 1 else None
    if found is None:
        return Description(description.strip(), is_damaged=openings > 0)
    around = (description[: found.start()].rstrip(), description[found.end() :].strip())
    mark = Mark(
        owner=found["owner"],
        key=found["key"],
        revision=int(found["revision"]),
        is_protected=found["flag"] == "p",
        text=html.unescape(found[0]),
    )
    return Description("\n".join(part for part in around if part), mark)
