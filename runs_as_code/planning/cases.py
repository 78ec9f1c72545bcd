"""Find which fixed runs would hold other test cases, were they made today.

A folder, a tag or a priority is resolved when a static run is made; what they would find later is
drift and never replaces the run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runs_as_code.model import membership
from runs_as_code.model.desired import RunType
from runs_as_code.model.drift import Drift, DriftKind, ProjectDrift
from runs_as_code.model.live import Catalog, Library, LibraryCase, LiveRun, RunCase
from runs_as_code.model.plan import ProjectPlan
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.model.source import Location
from runs_as_code.planning.ownership import ProjectRuns
from runs_as_code.planning.planner import ProjectInput
from runs_as_code.planning.resolve import Resolver

SHOWN_CASES = 5


@dataclass(frozen=True, slots=True)
class FixedRun:
    """An open run with fixed test cases, and the plans it was made of."""

    key: str
    run: LiveRun
    plans: tuple[ResolvedPlan, ...]
    location: Location | None = None


def fixed_runs(given: ProjectInput, plan: ProjectPlan, catalog: Catalog) -> tuple[FixedRun, ...]:
    """Return the runs of a plan whose test cases may have changed since they were made.

    A selection that Git changed since is left out, as another run is to come; so is one that only
    lists test cases, which finds the same ones for ever.
    """
    runs = ProjectRuns(given.listing.runs)
    resolver = Resolver(catalog, given.listing.runs)
    changes = {change.key: change for change in plan.changes}
    found = []
    for manifest in given.manifests:
        for spec in manifest.runs:
            change = changes.get(spec.key)
            live = None if change is None else change.run
            if manifest.owner != plan.owner or change is None or live is None or not live.is_open:
                continue
            resolved, blocks = resolver.resolve(manifest, spec)
            marker = runs.by_id[live.id].marker
            is_applied = marker is not None and marker.selection == resolved.selection
            if spec.type is RunType.LIVE or blocks or not is_applied:
                continue
            if any(map(_has_filters, resolved.plans)):
                found.append(FixedRun(spec.key, live, resolved.plans, change.location))
    return tuple(found)


def selected(plans: Iterable[ResolvedPlan], library: Library) -> dict[str, LibraryCase]:
    """Return the test cases that query plans find today, by id.

    Filters of one plan narrow each other, several plans add up [HELP]; the rest is guessed in
    `runs_as_code.model.membership`.
    """
    folders = {}
    if membership.RUN_FOLDERS_INCLUDE_SUBFOLDERS:
        folders = {folder: _with_ancestors(folder, library.parents) for folder in library.parents}
    return {
        case.id: case
        for plan in plans
        for case in library.cases
        if _is_found(plan, case, folders.get(case.folder_id, {case.folder_id}))
    }


def cases_drift(
    fixed: FixedRun, members: Iterable[RunCase], library: Library, code: str | None
) -> Drift | None:
    """Return the difference between the test cases of a run and those found today, if any.

    `code` is the project's, for markers such as `BD-012`; None where no reply told it.
    """
    today = selected(fixed.plans, library)
    held = {case.id: case.seq for case in members}
    parts = [
        _part([case.seq for case_id, case in today.items() if case_id not in held], "join", code),
        _part([seq for case_id, seq in held.items() if case_id not in today], "be left out", code),
    ]
    said = "; ".join(part for part in parts if part)
    if not said:
        return None
    message = f"if it were made today, {said}"
    return Drift(
        DriftKind.CASES_CHANGED, fixed.key, fixed.run, location=fixed.location, message=message
    )


def with_cases(project: ProjectDrift, more: Iterable[Drift]) -> ProjectDrift:
    """Add drift of test cases behind the other drift of its key."""
    return replace(project, found=tuple(sorted((*project.found, *more), key=lambda d: d.key)))


def _is_found(plan: ResolvedPlan, case: LibraryCase, folders: set[int]) -> bool:
    passes = (
        (not plan.folder_ids or not folders.isdisjoint(plan.folder_ids))
        and (not plan.tag_ids or not case.tag_ids.isdisjoint(plan.tag_ids))
        and (not plan.priorities or case.priority in plan.priorities)
    )
    if not plan.tcase_ids:
        return passes
    is_named = case.id in plan.tcase_ids
    if membership.TCASE_IDS_NARROW_FILTERS:
        return is_named and passes
    return is_named or (_has_filters(plan) and passes)


def _has_filters(plan: ResolvedPlan) -> bool:
    return bool(plan.folder_ids or plan.tag_ids or plan.priorities)


def _with_ancestors(folder: int, parents: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    while folder and folder not in found:
        found.add(folder)
        folder = parents.get(folder, 0)
    return found


def _part(numbers: list[int], words: str, code: str | None) -> str:
    if not numbers:
        return ""
    shown = [f"{code}-{seq:03d}" if code else str(seq) for seq in sorted(numbers)[:SHOWN_CASES]]
    more = f" and {len(numbers) - SHOWN_CASES} more" if len(numbers) > SHOWN_CASES else ""
    noun = "test case" if len(numbers) == 1 else "test cases"
    return f"{noun} {', '.join(shown)}{more} would {words}"
