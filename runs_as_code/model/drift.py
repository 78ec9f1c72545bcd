"""What people or the server changed, kept apart from what Git wants to change."""

from dataclasses import dataclass, replace
from enum import StrEnum

from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import FieldDiff, ProjectPlan
from runs_as_code.model.source import Location


class DriftKind(StrEnum):
    """What was done to a run; values may be added.

    `closed-by-hand`: the file wants the run open. `successor-closed`: the newest run of a key was
    closed and an older one is open. `marker-lost`: an open run bears the key's title and no good
    marker any more. `marker-damaged`: our marker is in a description and can't be read.
    `title-taken`: an open run that `qarun` did not make bears the title. `in-doubt`: our marker is
    in a run that was renamed or shares its title. `copied`: somebody cloned the run, marker and
    all, and the copy is open. `cases-changed`: the run holds the test cases of its creation, and
    its selection would find others today.
    """

    TITLE_CHANGED = "title-changed"
    DESCRIPTION_CHANGED = "description-changed"
    MILESTONE_CHANGED = "milestone-changed"
    ASSIGNEE_CHANGED = "assignee-changed"
    TYPE_CHANGED = "type-changed"
    CLOSED_BY_HAND = "closed-by-hand"
    SUCCESSOR_CLOSED = "successor-closed"
    MARKER_LOST = "marker-lost"
    MARKER_DAMAGED = "marker-damaged"
    TITLE_TAKEN = "title-taken"
    IN_DOUBT = "in-doubt"
    COPIED = "copied"
    CASES_CHANGED = "cases-changed"


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that was changed: `run` is the run it was done to, or that was made by it.

    `diff` has the two values of a field, live as `old` and declared as `new`. `message` says more
    where the kind does not say it all. `key` is empty where a damaged marker does not tell it.
    """

    kind: DriftKind
    key: str
    run: LiveRun | None = None
    diff: FieldDiff | None = None
    location: Location | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class ProjectDrift:
    """The drift of one owner's runs in one project, by key.

    `checked` are the declared keys that have a run, `unclear` those with a name in the file that
    could not be resolved, so that a field of theirs was not compared.
    """

    plan: ProjectPlan
    checked: tuple[str, ...] = ()
    found: tuple[Drift, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The drift of all projects of one call; `created_at` is ISO 8601 in UTC."""

    created_at: str
    projects: tuple[ProjectDrift, ...] = ()

    @property
    def found(self) -> tuple[Drift, ...]:
        """All drift, over all projects."""
        return tuple(drift for project in self.projects for drift in project.found)

    def without(self, kinds: frozenset[DriftKind]) -> "DriftReport":
        """Return the same report without some kinds of drift."""
        projects = tuple(
            replace(each, found=tuple(drift for drift in each.found if drift.kind not in kinds))
            for each in self.projects
        )
        return replace(self, projects=projects)
