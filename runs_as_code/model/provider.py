"""The seam between the engine and the live side: what a provider of one project can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runs_as_code.model.live import Catalog, Listing, NamesNeeded, RunCase

EMBEDDED = "embedded"
"""The name of the server that lives in the process, instead of an address."""


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A query plan with ids only, each tuple sorted and without repetition."""

    tcase_ids: tuple[str, ...] = ()
    folder_ids: tuple[int, ...] = ()
    tag_ids: tuple[int, ...] = ()
    priorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFields:
    """The fields that create and clone send alike; None is left out of the request."""

    title: str
    description: str
    milestone_id: int | None = None
    assignee_id: int | None = None


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a write: its number, counted from 1, and whether it may still be sent.

    `may_go` is asked last of all, when only the sending itself is left to do.
    """

    number: int = 1
    may_go: Callable[[], bool] = _always


FIRST = Attempt()
"""The first try of a write that nothing stops."""


class Provider(Protocol):
    """The live side of one project of one server.

    Every method may raise the errors of `runs_as_code.errors`: AccessError, UnreachableError,
    BadResponseError, NotFoundError. Writes may also raise ConflictError, RejectedError, and
    UnknownOutcomeError when the reply was lost or can't be trusted. Reads are repeated where that
    is of use; a write is sent at most once: NotRunError says that it provably did not run (429,
    connection refused, not to be sent any more), and after which pause it may be tried again.
    """

    @property
    def server(self) -> str:
        """The address people know the server by, or `embedded`."""
        ...

    @property
    def project(self) -> str:
        """The project's code or id, as the manifest has it."""
        ...

    @property
    def rate(self) -> int:
        """How many requests a second are sent at most, 0 for no limit."""
        ...

    @property
    def calls(self) -> int:
        """How many requests were sent so far, repeated ones included."""
        ...

    async def list_runs(self, *, closed: bool | None = None) -> Listing:
        """List the runs: all, only the closed, or only the open ones."""
        ...

    async def load_catalog(self, needed: NamesNeeded, listing: Listing) -> Catalog:
        """Look up the kinds of names that are needed, each kind once."""
        ...

    async def list_run_cases(self, run_id: int) -> tuple[RunCase, ...]:
        """List the test cases of a run."""
        ...

    async def create_run(
        self,
        fields: RunFields,
        run_type: str,
        query_plans: tuple[ResolvedPlan, ...],
        attempt: Attempt = FIRST,
    ) -> int:
        """Create a run and return its id."""
        ...

    async def clone_run(self, source_id: int, fields: RunFields, attempt: Attempt = FIRST) -> int:
        """Clone a run and return the id of the copy."""
        ...

    async def close_run(self, run_id: int, attempt: Attempt = FIRST) -> None:
        """Close a run; it can't be opened again."""
        ...

    async def add_run_log(self, run_id: int, comment: str, attempt: Attempt = FIRST) -> None:
        """Add a comment to a run's log, as HTML; nothing can read it back."""
        ...

    def run_url(self, run_id: int) -> str:
        """The address of the run's page."""
        ...
