"""Whose run is it: every live run of a project classified, first for all, then for one owner."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.marking import MarkState, Reading, read_description
from runs_as_code.model.text import clash_form
from runs_as_code.planning.digest import text_digest


class Ownership(StrEnum):
    """What a run is to one owner.

    `copy`: a run with a lower id carries this very marker, so somebody cloned ours.
    `foreign`: another owner, or a marker version we don't know.
    """

    OURS = "ours"
    ALIAS = "alias"
    COPY = "copy"
    FOREIGN = "foreign"
    UNMARKED = "unmarked"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class MarkedRun:
    """A live run with what its description says; `clash` is its title as titles clash.

    `doubt` says why a run that bears a good marker may not be what it seems; empty when it is.
    """

    run: LiveRun
    reading: Reading
    clash: str
    is_copy: bool = False
    doubt: str = ""

    @property
    def marker(self) -> Marker | None:
        """The run's marker, if it has exactly one that can be read."""
        return self.reading.marker


class ProjectRuns:
    """The live runs of a project, read once and looked up by id and by title."""

    def __init__(self, runs: Iterable[LiveRun]) -> None:
        ordered = sorted(runs, key=lambda run: run.id)
        readings = [read_description(run.description) for run in ordered]
        clashes = [clash_form(run.title) for run in ordered]
        count = Counter(clashes)
        seen: set[Marker] = set()
        self.all: list[MarkedRun] = []
        self.by_id: dict[int, MarkedRun] = {}
        self.by_title: dict[str, list[MarkedRun]] = {}
        for run, reading, clash in zip(ordered, readings, clashes, strict=True):
            marker = reading.marker
            marked = MarkedRun(
                run=run,
                reading=reading,
                clash=clash,
                is_copy=marker in seen,
                doubt=_doubt(run, marker, count[clash]),
            )
            if marker is not None:
                seen.add(marker)
            self.all.append(marked)
            self.by_id[run.id] = marked
            self.by_title.setdefault(clash, []).append(marked)

    def ownership(self, marked: MarkedRun, owner: str, aliases: Iterable[str] = ()) -> Ownership:
        """Say what a run is to an owner."""
        marker = marked.marker
        if marker is None:
            return _WITHOUT_MARKER[marked.reading.state]
        if marker.owner != owner and marker.owner not in aliases:
            return Ownership.FOREIGN
        if marked.is_copy:
            return Ownership.COPY
        return Ownership.OURS if marker.owner == owner else Ownership.ALIAS


_WITHOUT_MARKER = {
    MarkState.UNMARKED: Ownership.UNMARKED,
    MarkState.DAMAGED: Ownership.DAMAGED,
    MarkState.UNKNOWN_VERSION: Ownership.FOREIGN,
}


def _doubt(run: LiveRun, marker: Marker | None, bearers: int) -> str:
    if marker is None:
        return ""
    if text_digest(run.title) != marker.own_title:
        return "was renamed by hand"
    if bearers > 1:
        return "shares its title with another run"
    return ""
