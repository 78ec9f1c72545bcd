"""The plan: for each key what is desired, what is live, what apply would do, and what stops it."""

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from runs_as_code.model.actions import Action, CloseRun, MakeRun
from runs_as_code.model.live import LiveRun
from runs_as_code.model.provider import EMBEDDED
from runs_as_code.model.restraint import FreezeWindow, Policy
from runs_as_code.model.source import Location


class Outcome(StrEnum):
    """What the decision table says about a key."""

    CREATE = "create"
    CLONE = "clone"
    REPLACE_BY_CLONE = "replace-by-clone"
    REPLACE_BY_CREATE = "replace-by-create"
    CLOSE = "close"
    KEEP = "keep"
    STAY_CLOSED = "stay-closed"
    ADOPT = "adopt"
    ORPHAN = "orphan"
    DECIDE = "decide"
    UNMANAGED = "unmanaged"


class Reason(StrEnum):
    """Why the decision table says so; values may be added, readers treat unknown ones alike."""

    NOT_FOUND = "not-found"
    UNCHANGED = "unchanged"
    FIELDS_CHANGED = "fields-changed"
    SELECTION_CHANGED = "selection-changed"
    TITLE_CHANGED = "title-changed"
    REPLACE_REQUESTED = "replace-requested"
    CLOSED_BY_SOMEBODY = "closed-by-somebody"
    RECREATED = "closed-and-recreated"
    DECLARED_CLOSED = "declared-closed"
    NOTHING_TO_CLOSE = "nothing-to-close"
    COMPLETE = "complete"
    COMPLETED = "closed-when-complete"
    OLDER_REVISIONS = "older-revisions"
    NO_LONGER_DECLARED = "no-longer-declared"
    ADOPTED = "adopted"
    NOT_ADOPTABLE = "not-adoptable"
    TITLE_HELD = "title-held"
    MARKER_LOST = "marker-lost"
    SUCCESSOR_CLOSED = "successor-closed"
    SECOND_RUN = "second-run"
    DECLARED_UNMANAGED = "declared-unmanaged"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a field: by name and by id where it has both."""

    name: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field that differs: what it is now and what it should be."""

    field: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Block:
    """A safety rule that withholds actions: its id, the reason, and the two ways out.

    `line` is what to write into the file, `flag` what to add to one apply; either may be empty.
    `run_id` is the run that stands in the way, where that is not the run of the decision.
    """

    rule: str
    message: str
    line: str = ""
    flag: str = ""
    location: Location | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The decision about one key: the row of the table, its reason, its actions, its blocks.

    `fields` were changed by Git, `drift` by people or the server.
    """

    key: str
    outcome: Outcome
    reason: Reason
    title: str
    location: Location | None = None
    run: LiveRun | None = None
    fields: tuple[FieldDiff, ...] = ()
    drift: tuple[FieldDiff, ...] = ()
    actions: tuple[Action, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_withheld(self) -> bool:
        """Whether a safety rule withholds what would be done."""
        return bool(self.blocks)

    @property
    def is_pending(self) -> bool:
        """Whether live does not yet agree with the file."""
        return bool(self.actions or self.blocks)


@dataclass(frozen=True, slots=True)
class ProjectPlan:
    """The plan of one owner in one project of one server.

    `refusals` stop the whole project. `unmanaged` are live open runs that nobody's file declares.
    `policy` was in force when it was made, `freeze` are the windows in which nothing of it is done.
    """

    server: str
    project: str
    owner: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[Block, ...] = ()
    unmanaged: tuple[LiveRun, ...] = ()
    notes: tuple[str, ...] = ()
    policy: Policy = Policy.SYNC
    freeze: tuple[FreezeWindow, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """What apply would do: nothing of a refused project, nothing that is withheld."""
        if self.refusals:
            return ()
        return tuple(a for c in self.changes if not c.is_withheld for a in c.actions)

    @property
    def makes(self) -> tuple[MakeRun, ...]:
        """The runs that apply would create or clone."""
        return tuple(a for a in self.actions if isinstance(a, MakeRun))

    @property
    def closes(self) -> tuple[CloseRun, ...]:
        """The runs that apply would close."""
        return tuple(a for a in self.actions if isinstance(a, CloseRun))

    @property
    def is_pending(self) -> bool:
        """Whether something is to be done or decided."""
        return bool(self.refusals) or any(c.is_pending for c in self.changes)

    @property
    def is_withheld(self) -> bool:
        """Whether a safety rule withholds anything."""
        return bool(self.refusals) or any(c.is_withheld for c in self.changes)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an apply costs at most: requests that read, requests that write.

    `rate` is how many of them are sent in a second, 0 for no limit.
    """

    reads: int = 0
    writes: int = 0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Database:
    """The embedded server's database that a plan was made on.

    `folder` is where it lies, as the manifest's path was given; None where the call named the file.
    """

    id: str
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all projects of one call.

    `created_at` is ISO 8601 in UTC; `files` are the manifests, as their paths were given;
    `database` is None for a plan that touches no embedded server.
    """

    created_at: str
    projects: tuple[ProjectPlan, ...] = ()
    files: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    database: Database | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether any of it is for the embedded server."""
        return any(p.server == EMBEDDED for p in self.projects)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What apply would do, over all projects."""
        return tuple(a for p in self.projects for a in p.actions)

    @property
    def is_pending(self) -> bool:
        """Whether something is to be done or decided."""
        return any(p.is_pending for p in self.projects)

    @property
    def is_withheld(self) -> bool:
        """Whether a safety rule withholds anything."""
        return any(p.is_withheld for p in self.projects)


@dataclass(frozen=True, slots=True)
class Approvals:
    """What a person approved for one plan or apply.

    `keys` lifts the run-level blocks that can be lifted, `closes` the limits for exactly this
    number, `replace` asks for a new revision of these keys, `targets` are glob patterns of keys,
    `ignore_freeze` is the reason to write in a freeze window, empty when there is none.
    """

    keys: frozenset[str] = frozenset()
    closes: int | None = None
    replace: frozenset[str] = frozenset()
    allow_empty: bool = False
    targets: tuple[str, ...] = ()
    ignore_freeze: str = ""


def matches_target(key: str, pattern: str) -> bool:
    """Tell whether `--target` means this key; a key with signs of a pattern in it means itself."""
    return key == pattern or fnmatchcase(key, pattern)
