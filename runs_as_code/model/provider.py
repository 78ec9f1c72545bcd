"""The seam between the engine and the live side: what a provider of one project can do."""

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


class Provider(Protocol):
    """The live side of one project of one server.

    Every method may raise the errors of `runs_as_code.errors`: AccessError, UnreachableError,
    BadResponseError, NotFoundError. Writes are sent at most once unless the server provably did
    not run them (429, connection refused); they may also raise ConflictError, RejectedError, and
    UnknownOutcomeError when the reply was lost or can't be trusted. A close is sent once in any
    case: NotRunError says that it may be sent again, after another look.
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
        self, fields: RunFields, run_type: str, query_plans: tuple[ResolvedPlan, ...]
    ) -> int:
        """Create a run and return its id."""
        ...

    async def clone_run(self, source_id: int, fields: RunFields) -> int:
        """Clone a run and return the id of the copy."""
        ...

    async def close_run(self, run_id: int) -> None:
        """Close a run; it can't be opened again."""
        ...

    async def add_run_log(self, run_id: int, comment: str) -> None:
        """Add a comment to a run's log, as HTML; nothing can read it back."""
        ...

    def run_url(self, run_id: int) -> str:
        """The address of the run's page."""
        ...
