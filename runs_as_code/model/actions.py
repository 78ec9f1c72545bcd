"""What apply can do to the live side: make a run (create or clone it), close a run."""

from dataclasses import dataclass, field
from enum import StrEnum

from runs_as_code.model.live import StatusCounts
from runs_as_code.model.provider import ResolvedPlan


class CloseReason(StrEnum):
    """Why a run is closed."""

    DECLARED = "declared-closed"
    COMPLETE = "complete"
    REPLACED = "replaced"
    OLDER = "older-revision"
    PRUNED = "no-longer-declared"


LIMITED_REASONS = frozenset({CloseReason.REPLACED, CloseReason.OLDER, CloseReason.PRUNED})
"""The closes that the limits count; what a reviewed line of the file closes does not count."""


@dataclass(frozen=True, slots=True)
class MakeRun:
    """Create a run, or clone one when `source_run` or `source_key` is set.

    `description` is sent as it is, its last line is `marker`. `source_key` names the key whose run
    is made by the same plan and cloned then. `type` is what verification expects; None when the
    source of a clone will tell. `members` are the test cases it must have, None when unknown.
    `known_runs` are the ids that the key had when the plan was made. `milestone_name`,
    `assignee_name` and `selection` say the ids for people.
    """

    key: str
    revision: int
    marker: str
    title: str
    description: str
    type: str | None
    milestone_id: int | None = None
    assignee_id: int | None = None
    query_plans: tuple[ResolvedPlan, ...] = ()
    source_run: int | None = None
    source_key: str | None = None
    members: tuple[str, ...] | None = None
    may_be_empty: bool = False
    known_runs: tuple[int, ...] = ()
    milestone_name: str | None = None
    assignee_name: str | None = None
    selection: str = ""

    @property
    def is_clone(self) -> bool:
        """Whether the run is cloned instead of created."""
        return self.source_run is not None or self.source_key is not None

    @property
    def address(self) -> str:
        """The action's name inside its project."""
        return f"make:{self.key}"


@dataclass(frozen=True, slots=True)
class CloseRun:
    """Close a run. It can't be undone, so what allowed it is kept to be checked again.

    `marker` is None for an adopted run. `counts` and `time_spent` (milliseconds [J]) are what the
    plan saw of people's work. `needs_complete` says that it may go because no case of it is open,
    `is_doubted` that it was in doubt and somebody approved that. The run is closed after
    `successor_key` was made and verified, or while `successor_run` is open, and after the clones
    of `cloned_by` were made from it; other owners' keys stand there as `OWNER/KEY`.
    `successor_marker` is what `successor_run` must still bear, None where it has none or the key
    was approved.
    """

    key: str
    run_id: int
    title: str
    reason: CloseReason
    marker: str | None
    counts: StatusCounts = field(default_factory=StatusCounts)
    time_spent: int | None = None
    needs_complete: bool = False
    is_doubted: bool = False
    successor_run: int | None = None
    successor_marker: str | None = None
    successor_key: str | None = None
    cloned_by: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The action's name inside its project."""
        return f"close:{self.run_id}"

    @property
    def recorded(self) -> int:
        """The number of cases that had a result."""
        return self.counts.recorded

    @property
    def has_time(self) -> bool:
        """Whether time had been spent on it."""
        return bool(self.time_spent)

    @property
    def counts_to_limit(self) -> bool:
        """Whether the limits count this close."""
        return self.reason in LIMITED_REASONS


Action = MakeRun | CloseRun
