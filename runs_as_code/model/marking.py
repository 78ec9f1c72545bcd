"""Write a marker into a description, and find it again in what a server made of that."""

import re
from dataclasses import dataclass
from enum import StrEnum

from runs_as_code.model.marker import (
    DIGEST_LENGTH,
    MARKER_OPENING,
    MARKER_SEPARATOR,
    MARKER_VERSION,
    UNKNOWN,
    Marker,
)
from runs_as_code.model.text import normal_form

_DIGEST = rf"([a-z2-7]{{{DIGEST_LENGTH}}}|{UNKNOWN})"
_MARKER = re.compile(
    rf"\[qarun:{MARKER_VERSION} ([a-z0-9-]{{3,32}}) ([A-Za-z0-9._@=,\[\]-]{{1,64}})"
    rf" r([0-9]{{1,4}}) s{_DIGEST} d{_DIGEST} t{_DIGEST} n{_DIGEST}"
    rf" m([0-9]{{1,10}}|{UNKNOWN}) a([0-9]{{1,10}}|{UNKNOWN}) ([pu])\]"
)
_VERSION = re.compile(r"\[qarun:([0-9]{1,9})[ \]]")


class MarkState(StrEnum):
    """What a description says about ownership."""

    UNMARKED = "unmarked"
    MARKED = "marked"
    DAMAGED = "damaged"
    UNKNOWN_VERSION = "unknown-version"


@dataclass(frozen=True, slots=True)
class Reading:
    """A description taken apart: its marker, and the text around it in normal form."""

    state: MarkState
    text: str
    marker: Marker | None = None


def compose_description(text: str | None, marker: Marker) -> str:
    """Return the description to send: the declared text, then the marker as the last line."""
    body = (text or "").rstrip()
    return f"{body}{MARKER_SEPARATOR}{marker}" if body else str(marker)


def read_description(description: str) -> Reading:
    """Find the marker anywhere in a description, escaped or wrapped in tags as it may be.

    Exactly one opening that reads as a marker counts; anything else that looks like one is damaged.
    """
    text = normal_form(description)
    openings = text.count(MARKER_OPENING)
    if openings == 0:
        return Reading(MarkState.UNMARKED, text)
    if openings > 1:
        return Reading(MarkState.DAMAGED, text)
    found = _MARKER.search(text)
    if found:
        rest = f"{text[: found.start()]} {text[found.end() :]}"
        return Reading(MarkState.MARKED, normal_form(rest), _to_marker(found))
    version = _VERSION.search(text)
    if version and int(version[1]) != MARKER_VERSION:
        return Reading(MarkState.UNKNOWN_VERSION, text)
    return Reading(MarkState.DAMAGED, text)


def _to_marker(found: re.Match[str]) -> Marker:
    owner, key, revision, selection, description, title, own_title, milestone, assignee, flag = (
        found.groups()
    )
    return Marker(
        owner=owner,
        key=key,
        revision=int(revision),
        selection=selection,
        description=description,
        title=title,
        own_title=own_title,
        milestone=None if milestone == UNKNOWN else int(milestone),
        assignee=None if assignee == UNKNOWN else int(assignee),
        is_protected=flag == "p",
    )
