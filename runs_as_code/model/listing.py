"""A live run as `qarun list` shows it: whose it is, and what a pipeline's next step needs."""

from dataclasses import dataclass, field
from enum import StrEnum

from runs_as_code.model.live import StatusCounts


class ListedAs(StrEnum):
    """What a run is to the files that were given.

    `managed`: declared, with our marker. `adopted`: declared, without a marker. `orphan`: our
    marker, no longer declared. `former`: the same, and closed. `unmanaged`: nobody's. `foreign`:
    another owner's, or of a marker version we don't know. `copy`: somebody cloned a marked run.
    `damaged`: a marker nobody can read.
    """

    MANAGED = "managed"
    ADOPTED = "adopted"
    ORPHAN = "orphan"
    FORMER = "former"
    UNMANAGED = "unmanaged"
    FOREIGN = "foreign"
    COPY = "copy"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One row of the list; `owner`, `key` and `revision` are None where there is no marker.

    An adopted run has the owner and key of its declaration, and revision 0. `type` is the server's
    word, `closed_at` ISO 8601.
    """

    server: str
    project: str
    run_id: int
    url: str
    title: str
    ownership: ListedAs
    type: str
    owner: str | None = None
    key: str | None = None
    revision: int | None = None
    milestone_id: int | None = None
    milestone_title: str | None = None
    assignee_id: int | None = None
    assignee_email: str | None = None
    counts: StatusCounts = field(default_factory=StatusCounts)
    closed_at: str | None = None

    @property
    def is_open(self) -> bool:
        """Closed is derived from `closed_at`, as for every live run."""
        return self.closed_at is None
