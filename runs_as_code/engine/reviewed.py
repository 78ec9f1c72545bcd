"""Apply a plan that was reviewed before: exactly what it says, or nothing.

Staleness depends on live data only, so a plan can be applied twice: what is there already is
already done, and what no longer fits is explained run by run.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from runs_as_code.engine.applying import Job
from runs_as_code.engine.checks import close_objection
from runs_as_code.engine.executor import successor_of
from runs_as_code.engine.planning import OpenProvider
from runs_as_code.errors import RefusedError, StaleError
from runs_as_code.model.actions import Action, MakeRun
from runs_as_code.model.live import Listing
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.model.provider import Provider
from runs_as_code.model.report import ActionResult, Status
from runs_as_code.model.text import clash_form
from runs_as_code.planning.context import Place
from runs_as_code.planning.dependencies import awaited_makes
from runs_as_code.planning.ownership import ProjectRuns
from runs_as_code.planning.policy import incomplete_listing


@dataclass(frozen=True, slots=True)
class _Reviewed:
    """A project's plan with what is left to do, what was done, and what no longer fits.

    `made` are runs that were made before but must be proved again, because a close waits for them.
    """

    plan: ProjectPlan
    done: tuple[ActionResult, ...]
    made: Mapping[str, int]
    problems: tuple[str, ...]


class _Live:
    """What is live, read once for all actions: the marked runs by marker and by owner and key."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.closed_ids = frozenset(run.id for run in listing.runs if not run.is_open)
        self.runs = ProjectRuns(listing.runs)
        self.by_marker: dict[str, int] = {}
        self.by_key: dict[tuple[str, str], list[int]] = {}
        for marked in self.runs.all:
            marker, run_id = marked.marker, marked.run.id
            # A copy that somebody made stands for nothing, whenever it was made.
            if marker is not None and not marked.is_copy:
                self.by_marker[str(marker)] = run_id
                self.by_key.setdefault((marker.owner, marker.key), []).append(run_id)


async def review_plan(plan: Plan, open_provider: OpenProvider) -> tuple[Plan, list[Job]]:
    """Hold a plan against what is live now; return what is left of it, and the jobs to do it.

    Raises StaleError, with a line per run, when any action no longer fits, RefusedError when a
    listing is incomplete; nothing was written.
    """
    groups: dict[tuple[str, str], list[ProjectPlan]] = {}
    for project in plan.projects:
        groups.setdefault((project.server, project.project), []).append(project)
    providers = {where: open_provider(*where) for where in groups}
    listings = await asyncio.gather(*(providers[where].list_runs() for where in groups))
    for listing in listings:
        for block in incomplete_listing(listing):
            raise RefusedError(block.message, hint=block.line)
    jobs: list[Job] = []
    problems: list[str] = []
    for (where, projects), listing in zip(groups.items(), listings, strict=True):
        live = _Live(listing)
        # A close that is left must not trust a run that nobody proved: that one stays in the plan.
        awaited = awaited_makes(_without_closed(project, live) for project in projects)
        reviewed = [_review(providers[where], project, live, awaited) for project in projects]
        problems += [problem for part in reviewed for problem in part.problems]
        jobs.append(
            Job(
                provider=providers[where],
                plans=tuple(part.plan for part in reviewed),
                done=tuple(result for part in reviewed for result in part.done),
                made={
                    (part.plan.owner, key): run_id
                    for part in reviewed
                    for key, run_id in part.made.items()
                },
            )
        )
    if problems:
        raise StaleError("the plan is stale: " + "; ".join(problems), hint="plan again")
    left = tuple(project for job in jobs for project in job.plans)
    return replace(plan, projects=left), jobs


def _review(
    provider: Provider, project: ProjectPlan, live: _Live, awaited: Collection[Place]
) -> _Reviewed:
    closed = [close for close in project.closes if close.run_id in live.closed_ids]
    found = {make.key: live.by_marker.get(make.marker) for make in project.makes}
    made = {key: run_id for key, run_id in found.items() if run_id is not None}
    left = _without_closed(project, live)
    proved_again = {key for owner, key in awaited if owner == project.owner}
    done = [_already(provider, project, close, close.run_id) for close in closed]
    done += [
        _already(provider, project, make, made[make.key])
        for make in project.makes
        if make.key in made and make.key not in proved_again
    ]
    return _Reviewed(
        plan=_without(left, {result.action.address for result in done}),
        done=tuple(done),
        made={key: run_id for key, run_id in made.items() if key in proved_again},
        problems=(
            *_make_problems(project, made, live),
            *_close_problems(left, made, live.listing),
        ),
    )


def _without_closed(project: ProjectPlan, live: _Live) -> ProjectPlan:
    closed = {close.address for close in project.closes if close.run_id in live.closed_ids}
    return _without(project, closed)


def _make_problems(project: ProjectPlan, made: Mapping[str, int], live: _Live) -> list[str]:
    found = {m.key: _make_problem(m, live) for m in project.makes if m.key not in made}
    return [f"`{key}`: {problem}" for key, problem in found.items() if problem]


def _close_problems(left: ProjectPlan, made: Mapping[str, int], listing: Listing) -> list[str]:
    problems = []
    for close in left.closes:
        # Those that were made before were found by their markers, in this very listing.
        successor = successor_of(close, made, {})
        problem = close_objection(
            close, listing, successor, is_successor_known=successor.run_id is not None
        )
        if problem:
            problems.append(f"`{close.key}`: run {close.run_id} {problem}")
    return problems


def _make_problem(make: MakeRun, live: _Live) -> str:
    """Say why a run must not be made any more; its title must be free and its key unchanged."""
    ours = read_description(make.marker).marker
    of_key = live.by_key.get((ours.owner, ours.key), []) if ours else []
    for run_id in of_key:
        if run_id not in make.known_runs:
            return f"run {run_id} was made for this key meanwhile"
    if bearers := live.runs.by_title.get(clash_form(make.title)):
        return f"run {bearers[0].run.id} took the title `{make.title}` meanwhile"
    if make.source_run is not None and make.source_run not in live.runs.by_id:
        return f"run {make.source_run}, which it is cloned from, is not in the project"
    return ""


def _already(provider: Provider, project: ProjectPlan, action: Action, run_id: int) -> ActionResult:
    return ActionResult(
        server=project.server,
        project=project.project,
        owner=project.owner,
        action=action,
        status=Status.ALREADY_DONE,
        run_id=run_id,
        url=provider.run_url(run_id),
    )


def _without(project: ProjectPlan, finished: Iterable[str]) -> ProjectPlan:
    """Return the plan without the actions whose effect is already there."""
    gone = set(finished)
    if not gone:
        return project
    changes = tuple(
        replace(change, actions=tuple(a for a in change.actions if a.address not in gone))
        for change in project.changes
    )
    return replace(project, changes=changes)
