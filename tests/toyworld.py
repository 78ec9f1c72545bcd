"""A live side in plain Python that obeys the facts of the API, and an apply that uses it.

What it is for: properties need thousands of applies, and must not share code with the engine.
"""

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random

from runs_as_code.model.actions import Action, CloseReason, CloseRun, MakeRun
from runs_as_code.model.live import Listing, LiveRun, StatusCounts
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import ProjectPlan
from runs_as_code.model.provider import ResolvedPlan

CLOSED_AT = "2026-03-03T00:00:00.000Z"

EMAILS = {7: "ann@example.com", 8: "bob@example.com"}
MILESTONES = {5: "Sprint 1", 6: "Sprint 2", 4: "Old", 3: "Sprint 1"}
ARCHIVED = frozenset({3, 4})
CASES_OF_FOLDER = {1: 3, 2: 2, 3: 0}


class ConflictError(Exception):
    """The title is taken in the scope of this world."""


class RejectedError(Exception):
    """The API does not do that."""


def keep(text: str) -> str:
    """Store a text as it came."""
    return text


def trim(text: str) -> str:
    """Store a text as careful servers do: without space around it, one space for many."""
    return " ".join(text.split())


def escape_twice(text: str) -> str:
    """Store a text escaped by two layers that don't know of each other."""
    return html.escape(html.escape(text))


def as_paragraphs(text: str) -> str:
    """Store a text as an editor for rich text does."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)


MANGLINGS: tuple[Callable[[str], str], ...] = (keep, trim, html.escape, escape_twice, as_paragraphs)


@dataclass
class World:
    """The runs of one project; `scope` says within what titles are unique."""

    runs: dict[int, LiveRun] = field(default_factory=dict)
    scope: str = "project"
    mangle: Callable[[str], str] = keep
    ignores_assignee: bool = False

    def listing(self) -> Listing:
        """List all runs, newest first as the web page does."""
        return Listing(tuple(self.runs[run_id] for run_id in sorted(self.runs, reverse=True)))

    def copy(self) -> "World":
        """Return a world with a history of its own."""
        return replace(self, runs=dict(self.runs))

    def create(self, action: MakeRun) -> int:
        """Make a run from query plans."""
        if not action.query_plans or action.type is None:
            raise RejectedError("a run needs a type and query plans")
        if action.type != "live" and len(action.query_plans) != 1:
            raise RejectedError("one query plan only")
        return self._add(action, action.type, cases_of(action.query_plans))

    def clone(self, action: MakeRun, source_id: int) -> int:
        """Make a run from another one; every case starts open."""
        source = self.runs[source_id]
        return self._add(action, source.type, source.counts.all)

    def close(self, run_id: int) -> None:
        """Close a run for good."""
        if not self.runs[run_id].is_open:
            raise RejectedError(f"run {run_id} is closed")
        self.runs[run_id] = replace(self.runs[run_id], closed_at=CLOSED_AT)

    def put(self, run: LiveRun) -> None:
        """Let a person edit a run or make one."""
        self.runs[run.id] = run

    def next_id(self) -> int:
        """Return the id of the next run."""
        return max(self.runs, default=0) + 1

    def _add(self, action: MakeRun, run_type: str, cases: int) -> int:
        if not 1 <= len(action.title) <= 255 or len(action.description) > 512:
            raise RejectedError("too long")
        if action.milestone_id in ARCHIVED:
            raise RejectedError("milestone is archived")
        title = self.stored_title(action.title)
        if self.is_taken(title, action.milestone_id):
            raise ConflictError(title)
        run_id = self.next_id()
        assignee = None if self.ignores_assignee else action.assignee_id
        self.runs[run_id] = LiveRun(
            id=run_id,
            title=title,
            description=self.mangle(action.description),
            type=str(run_type),
            counts=StatusCounts(all=cases, open=cases),
            milestone_id=action.milestone_id,
            milestone_title=MILESTONES.get(action.milestone_id or 0),
            assignee_id=assignee,
            assignee_email=EMAILS.get(assignee or 0),
        )
        return run_id

    def stored_title(self, title: str) -> str:
        """Say what becomes of a title; no server makes paragraphs of it."""
        return title.strip() if self.mangle is as_paragraphs else self.mangle(title)

    def is_taken(self, title: str, milestone: int | None) -> bool:
        """Whether a run of the same scope, open or closed, bears the title."""
        return self.scope != "none" and any(
            run.title == title and (self.scope == "project" or run.milestone_id == milestone)
            for run in self.runs.values()
        )


def cases_of(plans: Iterable[ResolvedPlan]) -> int:
    """Say how many cases a selection finds."""
    folders = {folder for plan in plans for folder in plan.folder_ids}
    return sum(CASES_OF_FOLDER.get(folder, 1) for folder in folders)


@dataclass
class Applied:
    """What an apply did, and what it left undone because something was not verified."""

    done: list[Action] = field(default_factory=list)
    skipped: list[Action] = field(default_factory=list)
    unverified: list[MakeRun] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)


def apply_plans(
    plans: Iterable[ProjectPlan],
    world: World,
    order: Random | None = None,
    stop_after: int | None = None,
) -> Applied:
    """Carry out the plans of a project's owners in any legal order, `stop_after` so many actions.

    Actions are told apart by their owner before their address.
    """
    waiting = {f"{plan.owner}/{a.address}": a for plan in plans for a in plan.actions}
    needs = {name: _waits_for(name.partition("/")[0], a, waiting) for name, a in waiting.items()}
    applied = Applied()
    failed: set[str] = set()
    while waiting and (stop_after is None or len(applied.done) < stop_after):
        ready = sorted(name for name in waiting if not needs[name] & waiting.keys())
        assert ready, f"no legal order: {sorted(waiting)}"
        name = order.choice(ready) if order else ready[0]
        action = waiting.pop(name)
        owner = name.partition("/")[0]
        if needs[name] & failed:
            applied.skipped.append(action)
            failed.add(name)
        elif isinstance(action, MakeRun):
            if not _make(action, owner, world, applied):
                failed.add(name)
        else:
            _close(action, owner, world, applied)
    return applied


def _waits_for(owner: str, action: Action, actions: dict[str, Action]) -> set[str]:
    if isinstance(action, MakeRun):
        needs = {f"{owner}/make:{action.source_key}"} if action.source_key else set()
    else:
        clones = [key if "/" in key else f"{owner}/{key}" for key in action.cloned_by]
        needs = {clone.replace("/", "/make:") for clone in clones}
        if action.successor_key:
            needs.add(f"{owner}/make:{action.successor_key}")
        needs |= {
            name
            for name, other in actions.items()
            if isinstance(other, CloseRun)
            and name.startswith(f"{owner}/")
            and other.key == action.key
            and other.run_id < action.run_id
        }
    assert needs <= actions.keys(), f"{action.address} waits for what is not planned: {needs}"
    return needs


def _make(action: MakeRun, owner: str, world: World, applied: Applied) -> bool:
    """Make a run, and say whether it is as it was sent."""
    if action.is_clone:
        source = action.source_run or applied.made[f"{owner}/{action.source_key}"]
        assert world.runs[source].is_open or source not in closed_by(applied)
        run_id = world.clone(action, source)
    else:
        run_id = world.create(action)
    applied.made[f"{owner}/{action.key}"] = run_id
    applied.done.append(action)
    if not _is_as_sent(action, world.runs[run_id]):
        applied.unverified.append(action)
        return False
    return True


def closed_by(applied: Applied) -> set[int]:
    """Return the runs that an apply closed."""
    return {action.run_id for action in applied.done if isinstance(action, CloseRun)}


def _is_as_sent(action: MakeRun, run: LiveRun) -> bool:
    marker = read_description(run.description).marker
    assert str(marker) == action.marker, f"can't read the marker of {run.description!r}"
    return (
        action.type in {None, run.type}
        and action.milestone_id in {None, run.milestone_id}
        and action.assignee_id in {None, run.assignee_id}
        and (run.counts.all > 0 or action.may_be_empty)
    )


def _close(action: CloseRun, owner: str, world: World, applied: Applied) -> None:
    run = world.runs[action.run_id]
    successor = action.successor_run or applied.made.get(f"{owner}/{action.successor_key}")
    if action.successor_run or action.successor_key:
        assert successor is not None
        assert world.runs[successor].is_open, f"run {run.id} would have no open successor"
        assert successor != run.id
    marker = read_description(run.description).marker
    assert (str(marker) if marker else None) == action.marker
    assert run.recorded <= action.recorded
    assert action.reason is not CloseReason.COMPLETE or run.is_complete
    world.close(run.id)
    applied.done.append(action)
