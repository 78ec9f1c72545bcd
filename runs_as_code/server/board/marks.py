"""Descriptions for people: the text line by line, and the marker of `qarun` apart from it."""

from dataclasses import dataclass
from functools import lru_cache

from runs_as_code.model import marking
from runs_as_code.model.marker import Marker
from runs_as_code.model.marking import MarkState


@dataclass(frozen=True, slots=True)
class Description:
    """A description taken apart; `is_damaged` where something looks like a marker and is none."""

    text: str
    mark: Marker | None = None
    is_damaged: bool = False


@lru_cache(maxsize=16_384)
def read_description(description: str) -> Description:
    """Take a description apart into its marker and the text around it."""
    reading = marking.read_description(description)
    if reading.marker is None:
        is_damaged = reading.state is not MarkState.UNMARKED
        return Description(description.strip(), is_damaged=is_damaged)
    before, found, after = description.partition(str(reading.marker))
    if not found:  # its characters stand there as entities; what was read has no lines
        return Description(reading.text, reading.marker)
    around = (before.rstrip(), after.strip())
    return Description("\n".join(part for part in around if part), reading.marker)
