"""Make a plan: list what is live, look up the names that are needed, let planning decide."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from runs_as_code.engine.freezing import frozen_owners
from runs_as_code.errors import NotFoundError, RefusedError
from runs_as_code.model.desired import LeftOut, Manifest, ManifestSet
from runs_as_code.model.live import Catalog, Listing
from runs_as_code.model.plan import Approvals, Plan, ProjectPlan
from runs_as_code.model.provider import Provider
from runs_as_code.model.source import Severity
from runs_as_code.planning.cost import plan_cost
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner, assemble

LONGEST_CODE = 5
"""Characters of a project's code; what is longer is an id [DOC project]."""

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
    *,
    is_logged: bool = False,
) -> Planned:
    """Read all projects of the manifests at once and plan each.

    `is_logged` says that an apply would leave a line in the logs of runs, which costs requests.
    Raises the errors of a provider: AccessError, UnreachableError, ServiceError; and RefusedError
    when two manifests call one project by two names.
    """
    groups = group_by_project(manifests, server_of)
    sessions = await asyncio.gather(
        *(
            read_session(
                open_provider(server, project), tuple(group), manifests, (approvals, created_at)
            )
            for (server, project), group in sorted(groups.items())
        )
    )
    for one, other in same_projects(sessions):
        raise same_project_error(one.given.project, other.given.project)
    plan = assemble((p for session in sessions for p in session.plans), approvals, created_at)
    files = tuple(dict.fromkeys(manifest.file for manifest in manifests.manifests))
    # The slowest of several servers says how long it takes; 0 is no limit at all.
    rate = min((s.provider.rate for s in sessions if s.provider.rate), default=0)
    cost = plan_cost(plan, rate, is_logged=is_logged)
    return Planned(replace(plan, files=files, cost=cost), tuple(sessions))


def group_by_project(
    manifests: ManifestSet, server_of: Callable[[Manifest], str]
) -> dict[tuple[str, str], list[Manifest]]:
    """Group manifests by server and project, so that each project is listed once."""
    groups: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in manifests.manifests:
        groups.setdefault((server_of(manifest), manifest.project), []).append(manifest)
    return groups


def same_projects(sessions: Sequence[Session]) -> Iterator[tuple[Session, Session]]:
    """Yield projects that are called by code in one file and by id in another, or may be."""
    for one, other in combinations(sessions, 2):
        if one.given.server == other.given.server and not (
            is_another(one.given.project, other) or is_another(other.given.project, one)
        ):
            yield one, other


def is_another(name: str, session: Session) -> bool:
    """Whether a name is surely not that of the project that was read; the server is the same."""
    return _is_another(name, session.given.project, session.given.listing)


def same_project_error(one: str, other: str) -> RefusedError:
    """Return the refusal of two names for one project: each would prune the other's runs."""
    return RefusedError(
        f"`{one}` and `{other}` are, or may be, the same project",
        hint="write `project` in the same way in every file",
    )


def _is_another(name: str, project: str, listing: Listing) -> bool:
    """Whether a project is surely not the one that was listed.

    One may be written as a code and the other as an id, and only a project that has runs tells
    both; until then they may be the same.
    """
    known = {word.casefold() for word in (listing.project_id, listing.project_code) if word}
    if name.casefold() in known | {project.casefold()}:
        return False
    is_code, is_listed_code = len(name) <= LONGEST_CODE, len(project) <= LONGEST_CODE
    return len(known) > 1 or is_code == is_listed_code


async def read_session(
    provider: Provider,
    group: tuple[Manifest, ...],
    manifests: ManifestSet,
    asked: tuple[Approvals, str],
) -> Session:
    """Read one project and plan it; `group` are its manifests, `asked` the approvals and the time.

    Raises the errors of a provider.
    """
    approvals, created_at = asked
    try:
        listing = await provider.list_runs()
    except NotFoundError as error:
        places = ", ".join(str(manifest.location) for manifest in group)
        raise NotFoundError(f"{places}: {error.message}", hint=error.hint) from None
    given = ProjectInput(
        server=provider.server,
        project=provider.project,
        manifests=group,
        listing=listing,
        left_out=_left_out(manifests, group, provider.project, listing),
        frozen=frozen_owners(group, created_at),
    )
    planner = ProjectPlanner(given, approvals)
    catalog = await provider.load_catalog(planner.names_needed(), listing)
    return Session(provider, given, catalog, planner.plan(catalog))


def _left_out(
    manifests: ManifestSet, group: tuple[Manifest, ...], project: str, listing: Listing
) -> tuple[LeftOut, ...]:
    """Return the files whose runs would seem undeclared: those not given, those with errors."""
    errors = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
    broken = dict.fromkeys(d.location.file if d.location else "a file" for d in errors)
    owners = sorted({name for m in group for name in (m.owner, *m.owner_aliases)})
    return (
        *(left for left in manifests.left_out if not _is_another(left.project, project, listing)),
        # Whose a file with errors is can't be told, so it may be anybody's.
        *(LeftOut(file, owner, project) for file in broken for owner in owners),
    )


def plan_again(session: Session, listing: Listing, approvals: Approvals) -> Iterable[ProjectPlan]:
    """Plan a project anew on a later listing, with the names that were looked up before."""
    given = replace(session.given, listing=listing)
    return ProjectPlanner(given, approvals).plan(session.catalog)
