"""The desired side: what a manifest says, with names as they were written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runs_as_code.model.restraint import FreezeWindow, Policy
from runs_as_code.model.source import Diagnostic, Location


class RunType(StrEnum):
    """How a run keeps its test cases [SEED]."""

    STATIC = "static"
    STATIC_STRUCT = "static_struct"
    LIVE = "live"


class State(StrEnum):
    """What a manifest wants of a run."""

    OPEN = "open"
    CLOSED = "closed"
    UNMANAGED = "unmanaged"


class IfExists(StrEnum):
    """What to do when an unmarked open run bears the title of a run to be created."""

    FAIL = "fail"
    ADOPT = "adopt"


class OnClosed(StrEnum):
    """What to do when somebody closed the run of a key."""

    LEAVE = "leave"
    RECREATE = "recreate"


class CloseWhen(StrEnum):
    """Whether a run is closed when no case of it is open any more."""

    NEVER = "never"
    COMPLETE = "complete"


class Prune(StrEnum):
    """What happens to runs that their owner no longer declares."""

    KEEP = "keep"
    CLOSE = "close"


class ReplaceMode(StrEnum):
    """When a run may be replaced: `revision` approves one revision only."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"
    REVISION = "revision"


class Field(StrEnum):
    """The fields of a run that are compared, by their manifest names."""

    TITLE = "title"
    DESCRIPTION = "description"
    MILESTONE = "milestone"
    ASSIGNEE = "assignee"
    TYPE = "type"
    QUERY_PLANS = "queryPlans"


DEFAULT_REPLACE_TITLE = "{title} (r{revision})"
DEFAULT_LIMIT_CLOSE = 25
DEFAULT_LIMIT_PERCENT = 30


@dataclass(frozen=True, slots=True)
class Name:
    """A reference as written: a string is a name, an integer an id."""

    value: int | str
    location: Location


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """One selection of test cases; the filters of a plan are combined with AND."""

    location: Location
    tcases: tuple[Name, ...] = ()
    folders: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    priorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloneSource:
    """What a run is cloned from: exactly one of a key of the same file, a run id, a title."""

    location: Location
    key: str | None = None
    run_id: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ReplaceRule:
    """The `replace` setting; `revision` is set only for the mode of that name."""

    mode: ReplaceMode = ReplaceMode.AUTO
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One desired run, defaults already merged in.

    `title` is empty only where `state` is not open and the file gives none.
    `type` is None and `query_plans` empty for a clone, and may be for an adopted run.
    `None` for milestone, assignee and description means that the file does not manage them.
    `previous_keys` is None where the file does not say, `()` where it says that there are none.
    `locations` holds the place of each field written on the run or in the defaults.
    """

    key: str
    title: str
    location: Location
    description: str | None = None
    type: RunType | None = None
    query_plans: tuple[QueryPlan, ...] = ()
    milestone: Name | None = None
    assignee: Name | None = None
    clone_from: CloneSource | None = None
    adopt: int | None = None
    state: State = State.OPEN
    if_exists: IfExists = IfExists.FAIL
    on_closed: OnClosed = OnClosed.LEAVE
    close_when: CloseWhen = CloseWhen.NEVER
    replace: ReplaceRule = field(default_factory=ReplaceRule)
    replace_title: str = DEFAULT_REPLACE_TITLE
    ignore_changes: frozenset[Field] = frozenset()
    protect: bool = False
    previous_keys: tuple[str, ...] | None = None
    locations: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many runs one apply may close without a word: a number, and a percentage."""

    close: int = DEFAULT_LIMIT_CLOSE
    percent: int = DEFAULT_LIMIT_PERCENT


@dataclass(frozen=True, slots=True)
class Manifest:
    """One file: the runs that one owner wants in one project.

    `project` is a code or an id, `location` where the file names it; `server` is an address,
    `embedded`, or None when the file has none.
    `policy_location` is where the file says its policy; None for the default, and where the command
    line tightened it.
    """

    file: str
    project: str
    owner: str
    location: Location
    server: str | None = None
    prune: Prune = Prune.KEEP
    policy: Policy = Policy.SYNC
    policy_location: Location | None = None
    freeze: tuple[FreezeWindow, ...] = ()
    limits: Limits = field(default_factory=Limits)
    users: Mapping[str, int] = field(default_factory=dict)
    owner_aliases: tuple[str, ...] = ()
    runs: tuple[RunSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A manifest that lies beside a given one but was not given itself."""

    file: str
    owner: str
    project: str


@dataclass(frozen=True, slots=True)
class ManifestSet:
    """What reading the given paths brought: the manifests, and everything wrong with them.

    `broken` are the files with errors, their owner and project empty where that can't be told.
    """

    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    broken: tuple[LeftOut, ...] = ()
