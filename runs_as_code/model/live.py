"""The live side: runs as the server lists them, and the names it knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """How many cases of a run have which status; custom statuses count only in `all` [J]."""

    all: int = 0
    open: int = 0
    passed: int = 0
    failed: int = 0
    blocked: int = 0
    skipped: int = 0

    @property
    def recorded(self) -> int:
        """The number of cases with a recorded result."""
        return self.all - self.open

    @property
    def results(self) -> Mapping[str, int]:
        """The numbers of recorded results by status; `other` are those of custom statuses [J]."""
        known = {
            "passed": self.passed,
            "failed": self.failed,
            "blocked": self.blocked,
            "skipped": self.skipped,
        }
        return known | {"other": self.recorded - sum(known.values())}


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run as the list shows it; query plans are in no reply [SEED].

    `type` is the server's word, `time_spent` in milliseconds [J], times are ISO 8601 strings.
    """

    id: int
    title: str
    description: str
    type: str
    counts: StatusCounts
    milestone_id: int | None = None
    milestone_title: str | None = None
    is_milestone_archived: bool = False
    assignee_id: int | None = None
    assignee_email: str | None = None
    time_spent: int | None = None
    created_at: str = ""
    closed_at: str | None = None
    closed_by: int | None = None

    @property
    def is_open(self) -> bool:
        """Closed is derived from `closedAt` (facts, row 12)."""
        return self.closed_at is None

    @property
    def recorded(self) -> int:
        """The number of cases with a recorded result."""
        return self.counts.recorded

    @property
    def has_results(self) -> bool:
        """Whether anybody's work is in this run."""
        return self.recorded > 0 or bool(self.time_spent)

    @property
    def is_complete(self) -> bool:
        """Whether the run has cases and none of them is open any more."""
        return self.counts.all > 0 and self.counts.open == 0


@dataclass(frozen=True, slots=True)
class Listing:
    """One reply of the run list, with the counters the server may put beside it [S].

    `is_filtered` tells whether the request asked for open (or closed) runs only.
    """

    runs: tuple[LiveRun, ...]
    open_counter: int | None = None
    closed_counter: int | None = None
    project_id: str | None = None
    project_code: str | None = None
    is_filtered: bool = False


@dataclass(frozen=True, slots=True)
class RunCase:
    """A test case inside a run, as `GET run/{id}/tcase` shows it; `folder` only when asked for."""

    id: str
    seq: int
    title: str
    status: str
    version: int = 0
    folder_id: int = 0
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class LibraryCase:
    """A test case of the project that may enter runs."""

    id: str
    seq: int
    folder_id: int
    priority: str
    tag_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Library:
    """The test cases of a project, and the parent of each folder (0 at the root)."""

    cases: tuple[LibraryCase, ...]
    parents: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that has an id and a name: a milestone, a folder (full path), a tag, a user."""

    id: int
    name: str
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class NamesNeeded:
    """Which kinds of names a plan must resolve; test cases and users one by one.

    `library` asks for all test cases of the project, which no plan needs.
    """

    milestones: bool = False
    folders: bool = False
    tags: bool = False
    users: tuple[str, ...] = ()
    tcases: tuple[int | str, ...] = ()
    library: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """The names a project knows; None for a kind that was not looked up.

    `users` holds e-mail addresses whose ids could be found, `are_users_complete` whether those are
    all there are; `tcases` maps each reference that was
    asked for, as written, to the id of the test case, or None where there is none.
    """

    milestones: tuple[Entry, ...] | None = None
    folders: tuple[Entry, ...] | None = None
    tags: tuple[Entry, ...] | None = None
    users: tuple[Entry, ...] | None = None
    are_users_complete: bool = False
    tcases: Mapping[int | str, str | None] = field(default_factory=dict)
    library: Library | None = None
