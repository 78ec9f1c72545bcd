"""Names of ids: actions know milestones and people by id, the rest of a plan by name as well."""

from collections.abc import Iterable

from runs_as_code.model.actions import MakeRun
from runs_as_code.model.desired import Field
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Change, ProjectPlan
from runs_as_code.report.safe import safe

NAME_LIMIT = 80


class Names:
    """The names of milestones, people and runs of one project, as far as its plan shows them.

    Make one for each project: it walks through the whole plan.
    """

    def __init__(self, project: ProjectPlan | None = None) -> None:
        self._milestones: dict[int, str] = {}
        self._people: dict[int, str] = {}
        self._titles: dict[str, str] = {}
        if project is not None:
            self._learn_runs(project.unmanaged)
            self._learn_runs(change.run for change in project.changes if change.run is not None)
            self._titles = {change.key: change.title for change in project.changes}
            for change in project.changes:
                self._learn_fields(change)
                self._learn_makes(change)

    def milestone(self, milestone_id: int) -> str:
        """Return `milestone NAME (ID)`, or without the name where nothing shows it."""
        return f"milestone {_named(self._milestones.get(milestone_id), milestone_id)}"

    def assignee(self, user_id: int) -> str:
        """Return `assignee EMAIL (ID)`, or without the address where nothing shows it."""
        return f"assignee {_named(self._people.get(user_id), user_id)}"

    def person(self, user_id: int | None) -> str:
        """Return a person as far as known."""
        if user_id is None:
            return "somebody"
        name = self._people.get(user_id)
        return f"user {user_id}" if name is None else _named(name, user_id)

    def title(self, key: str) -> str:
        """Return the title of a key's run; empty when the plan has no such key."""
        return self._titles.get(key, "")

    def _learn_runs(self, runs: Iterable[LiveRun]) -> None:
        for run in runs:
            if run.milestone_id is not None and run.milestone_title:
                self._milestones.setdefault(run.milestone_id, run.milestone_title)
            if run.assignee_id is not None and run.assignee_email:
                self._people.setdefault(run.assignee_id, run.assignee_email)

    def _learn_fields(self, change: Change) -> None:
        kinds = {Field.MILESTONE.value: self._milestones, Field.ASSIGNEE.value: self._people}
        for diff in (*change.fields, *change.drift):
            known = kinds.get(diff.field, {})
            for value in (diff.old, diff.new):
                if value.id is not None and value.name:
                    known.setdefault(value.id, value.name)

    def _learn_makes(self, change: Change) -> None:
        for action in change.actions:
            if not isinstance(action, MakeRun):
                continue
            if action.milestone_id is not None and action.milestone_name:
                self._milestones.setdefault(action.milestone_id, action.milestone_name)
            if action.assignee_id is not None and action.assignee_name:
                self._people.setdefault(action.assignee_id, action.assignee_name)


def _named(name: str | None, entry_id: int) -> str:
    return str(entry_id) if name is None else f"{safe(name, NAME_LIMIT)} ({entry_id})"
