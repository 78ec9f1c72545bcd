"""List the live runs of the manifests' projects with what each of them is to these files."""

import asyncio
from collections.abc import Callable

from runs_as_code.engine.planning import OpenProvider, group_by_project
from runs_as_code.model.desired import Manifest, ManifestSet
from runs_as_code.model.listing import ListedRun
from runs_as_code.model.provider import Provider
from runs_as_code.planning.inventory import Claim, classify_runs


async def take_inventory(
    manifests: ManifestSet, server_of: Callable[[Manifest], str], open_provider: OpenProvider
) -> tuple[ListedRun, ...]:
    """Return every live run of these projects, open and closed, by server, project and id.

    Raises the errors of a provider: AccessError, UnreachableError, ServiceError.
    """
    groups = group_by_project(manifests, server_of)
    rows = await asyncio.gather(
        *(_list(open_provider(*key), group) for key, group in sorted(groups.items()))
    )
    return tuple(row for group in rows for row in group)


async def _list(provider: Provider, manifests: list[Manifest]) -> list[ListedRun]:
    listing = await provider.list_runs()
    return [_row(provider, claim) for claim in classify_runs(listing.runs, manifests)]


def _row(provider: Provider, claim: Claim) -> ListedRun:
    run = claim.run
    return ListedRun(
        server=provider.server,
        project=provider.project,
        run_id=run.id,
        url=provider.run_url(run.id),
        title=run.title,
        ownership=claim.ownership,
        type=run.type,
        owner=claim.owner,
        key=claim.key,
        revision=claim.revision,
        milestone_id=run.milestone_id,
        milestone_title=run.milestone_title,
        assignee_id=run.assignee_id,
        assignee_email=run.assignee_email,
        counts=run.counts,
        closed_at=run.closed_at,
    )
