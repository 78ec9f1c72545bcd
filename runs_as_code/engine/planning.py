"""Make a plan: list what is live, look up the names that are needed, let planning decide."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from runs_as_code.errors import RefusedError
from runs_as_code.model.desired import LeftOut, Manifest, ManifestSet
from runs_as_code.model.live import Catalog, Listing
from runs_as_code.model.plan import Approvals, Plan, ProjectPlan
from runs_as_code.model.provider import Provider
from runs_as_code.model.source import Severity
from runs_as_code.planning.cost import plan_cost
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner, assemble

OpenProvider = Callable[[str, str], Provider]
"""Gives the provider of a project on a server."""


@dataclass(frozen=True, slots=True)
class Session:
    """One project of a call: how to reach it, what was read, which names were looked up."""

    provider: Provider
    given: ProjectInput
    catalog: Catalog
    plans: tuple[ProjectPlan, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan together with what it was made from, so that it can be made again.

    Not shown by `repr`: until Python 3.11.7 `asyncio.run` asks for that of what it returns, which
    took as long as all the planning of a large project.
    """

    plan: Plan = field(repr=False)
    sessions: tuple[Session, ...] = field(repr=False)


async def make_plan(
    manifests: ManifestSet,
    server_of: Callable[[Manifest], str],
    open_provider: OpenProvider,
    approvals: Approvals,
    created_at: str,
) -> Planned:
    """Read all projects of the manifests at once and plan each.

    Raises the errors of a provider: AccessError, UnreachableError, ServiceError; and RefusedError
    when two manifests call one project by two names.
    """
    groups = group_by_project(manifests, server_of)
    sessions = await asyncio.gather(
        *(
            _read(open_provider(server, project), tuple(group), manifests, approvals)
            for (server, project), group in sorted(groups.items())
        )
    )
    _check_names_of_projects(sessions)
    plan = assemble((p for session in sessions for p in session.plans), approvals, created_at)
    files = tuple(dict.fromkeys(manifest.file for manifest in manifests.manifests))
    return Planned(replace(plan, files=files, cost=plan_cost(plan)), tuple(sessions))


def group_by_project(
    manifests: ManifestSet, server_of: Callable[[Manifest], str]
) -> dict[tuple[str, str], list[Manifest]]:
    """Group manifests by server and project, so that each project is listed once."""
    groups: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in manifests.manifests:
        groups.setdefault((server_of(manifest), manifest.project), []).append(manifest)
    return groups


def _check_names_of_projects(sessions: Iterable[Session]) -> None:
    """Refuse a project by code in one file and by id in another: each would prune the other's."""
    names: dict[tuple[str, str], str] = {}
    for session in sessions:
        given = session.given
        if given.listing.project_id is None:
            continue
        name = names.setdefault((given.server, given.listing.project_id), given.project)
        if name != given.project:
            raise RefusedError(
                f"`{name}` and `{given.project}` are the same project",
                hint="write `project` in the same way in every file",
            )


async def _read(
    provider: Provider,
    group: tuple[Manifest, ...],
    manifests: ManifestSet,
    approvals: Approvals,
) -> Session:
    listing = await provider.list_runs()
    given = ProjectInput(
        server=provider.server,
        project=provider.project,
        manifests=group,
        listing=listing,
        left_out=_left_out(manifests, group, provider.project),
    )
    planner = ProjectPlanner(given, approvals)
    catalog = await provider.load_catalog(planner.names_needed(), listing)
    return Session(provider, given, catalog, planner.plan(catalog))


def _left_out(
    manifests: ManifestSet, group: tuple[Manifest, ...], project: str
) -> tuple[LeftOut, ...]:
    """Return the files whose runs would seem undeclared: those not given, those with errors."""
    errors = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
    broken = dict.fromkeys(d.location.file if d.location else "a file" for d in errors)
    owners = sorted({manifest.owner for manifest in group})
    return (
        *(left for left in manifests.left_out if left.project.casefold() == project.casefold()),
        # Whose a file with errors is can't be told, so it may be anybody's.
        *(LeftOut(file, owner, project) for file in broken for owner in owners),
    )


def plan_again(session: Session, listing: Listing, approvals: Approvals) -> Iterable[ProjectPlan]:
    """Plan a project anew on a later listing, with the names that were looked up before."""
    given = replace(session.given, listing=listing)
    return ProjectPlanner(given, approvals).plan(session.catalog)
