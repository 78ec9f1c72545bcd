"""Read what tells which fixed runs would hold other test cases today."""

import asyncio

from runs_as_code.engine.planning import Session
from runs_as_code.model.drift import ProjectDrift
from runs_as_code.model.live import Library, NamesNeeded
from runs_as_code.planning.cases import cases_drift, fixed_runs, with_cases
from runs_as_code.planning.drift import find_drift


async def read_drift(session: Session, *, with_test_cases: bool) -> tuple[ProjectDrift, ...]:
    """Return the drift of each plan of a project.

    `with_test_cases` sends a request for each 1,000 test cases and folders of the project, and one
    for each open run with fixed test cases that were found by folder, tag or priority. Raises the
    errors of a provider.
    """
    found = tuple(find_drift(session.given, plan) for plan in session.plans)
    if not with_test_cases:
        return found
    return await _with_test_cases(session, found)


async def _with_test_cases(
    session: Session, found: tuple[ProjectDrift, ...]
) -> tuple[ProjectDrift, ...]:
    fixed = [fixed_runs(session.given, each.plan, session.catalog) for each in found]
    if not any(fixed):
        return found
    catalog = await session.provider.load_catalog(NamesNeeded(library=True), session.given.listing)
    library = catalog.library or Library((), {})
    runs = [one for each in fixed for one in each]
    read = await asyncio.gather(*(session.provider.list_run_cases(one.run.id) for one in runs))
    members = {one.run.id: cases for one, cases in zip(runs, read, strict=True)}
    code = session.given.listing.project_code
    return tuple(
        with_cases(
            each,
            [
                drift
                for one in ours
                if (drift := cases_drift(one, members[one.run.id], library, code)) is not None
            ],
        )
        for each, ours in zip(found, fixed, strict=True)
    )
