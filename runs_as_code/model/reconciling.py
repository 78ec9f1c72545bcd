"""What a reconcile loop sees, round by round, and how it stands with each project."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runs_as_code.errors import ExitCode

Value = str | int | float | bool | None


class Condition(StrEnum):
    """How a project stands.

    `in-sync`: nothing differs. `waiting`: only a policy or a freeze window holds something back.
    `drift`: people changed something that is left alone. `blocked`: a safety rule waits for a
    decision. `failing`: round after round went wrong.
    """

    IN_SYNC = "in-sync"
    WAITING = "waiting"
    DRIFT = "drift"
    BLOCKED = "blocked"
    FAILING = "failing"


class Happening(StrEnum):
    """What is told to people: a project came to be so, `healed` after it was failing."""

    IN_SYNC = "in-sync"
    DRIFT = "drift"
    BLOCKED = "blocked"
    FAILING = "failing"
    HEALED = "healed"


class Ended(StrEnum):
    """How a round ended for a project: `passed` tells nothing, as somebody else was at work."""

    DONE = "done"
    FAILED = "failed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One owner in one project of one server."""

    server: str
    project: str
    owner: str


@dataclass(frozen=True, slots=True)
class Census:
    """The open runs of a project by what they are, and those of other owners by owner."""

    runs: Mapping[str, int] = field(default_factory=dict)
    foreign: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one round showed of one scope; `at` is in seconds since 1970.

    `drift` counts by kind, `blocked` withheld actions by rule, `actions` what was done by kind and
    status. `is_converged`: after the round nothing is left to do. `seconds` is what planning took.
    """

    scope: Scope
    at: float
    ended: Ended
    exit_code: ExitCode = ExitCode.DONE
    error: str = ""
    hint: str = ""
    drift: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    census: Census = field(default_factory=Census)
    is_converged: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a scope stands after its rounds; `told` is the condition that people know of.

    Times are in seconds since 1970, 0 for never.
    """

    condition: Condition | None = None
    told: Condition | None = None
    failures: int = 0
    last_round: float = 0.0
    last_success: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of condition that people should know of.

    `before` is None for the first one, `revision` is that of the files, empty when unknown.
    """

    happening: Happening
    before: Condition | None
    observation: Observation
    revision: str = ""


class Level(StrEnum):
    """How much a line of the log matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of the log: a stable name, words for people, facts for machines."""

    level: Level
    event: str
    message: str
    facts: Mapping[str, Value] = field(default_factory=dict)


Log = Callable[[LogEvent], None]
