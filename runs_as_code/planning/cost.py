"""What an apply costs in requests: writes exactly, reads as far as can be told before."""

from collections.abc import Sequence
from itertools import groupby

from runs_as_code.model.desired import RunType
from runs_as_code.model.plan import Cost, Plan, ProjectPlan
from runs_as_code.planning.dependencies import awaited_makes

PARALLEL_ACTIONS = 8
"""Actions of a project in flight at once; at 20 requests a second more would only wait."""


def plan_cost(plan: Plan, rate: int, *, is_logged: bool = False) -> Cost:
    """Add up the requests of an apply of this plan, planning itself not counted.

    With `is_logged` each action leaves a line in the log of its run, which is one more write.
    """
    places = groupby(sorted(plan.projects, key=_place_of), key=_place_of)
    costs = [_project_cost(list(plans)) for _, plans in places]
    return Cost(
        reads=sum(cost.reads for cost in costs),
        writes=sum(cost.writes for cost in costs) * (1 + is_logged),
        rate=rate,
    )


def _place_of(plan: ProjectPlan) -> tuple[str, str]:
    return plan.server, plan.project


def _project_cost(plans: Sequence[ProjectPlan]) -> Cost:
    """One listing before the first write when anything is closed, and one at the end.

    Between them one for as many new runs to prove, and one for as many closes, as are in flight
    at once. A fixed run that something waits for is proved by its members, which is one more
    request, and by its source's when it is a clone.
    """
    actions = sum(len(plan.actions) for plan in plans)
    if not actions:
        return Cost()
    awaited = awaited_makes(plans)
    proved = [make for plan in plans for make in plan.makes if (plan.owner, make.key) in awaited]
    closes = sum(len(plan.closes) for plan in plans)
    reads = 1 + bool(closes) + _waves(len(proved)) + _waves(closes)
    for make in proved:
        if make.type != RunType.LIVE and (make.is_clone or make.members is not None):
            reads += 1 + make.is_clone
    return Cost(reads=reads, writes=actions)


def _waves(actions: int) -> int:
    return -(-actions // PARALLEL_ACTIONS)
