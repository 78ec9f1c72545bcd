"""What an apply costs in requests: writes exactly, reads as far as can be told before."""

from runs_as_code.model.desired import RunType
from runs_as_code.model.plan import Cost, Plan, ProjectPlan


def plan_cost(plan: Plan, rate: int, *, is_logged: bool = False) -> Cost:
    """Add up the requests of an apply of this plan, planning itself not counted.

    With `is_logged` each action leaves a line in the log of its run, which is one more write.
    """
    costs = [_project_cost(project) for project in plan.projects]
    return Cost(
        reads=sum(cost.reads for cost in costs),
        writes=sum(cost.writes for cost in costs) * (1 + is_logged),
        rate=rate,
    )


def _project_cost(project: ProjectPlan) -> Cost:
    """One listing before the first close, one when closes begin, one to prove runs, one at the end.

    A fixed run that replaces another is proved by its members, which is one more request, and by
    its source's when it is a clone.
    """
    if not project.actions:
        return Cost()
    awaited = {close.successor_key for close in project.closes}
    awaited |= {make.source_key for make in project.makes}
    proved = [make for make in project.makes if make.key in awaited]
    reads = 1 + 2 * bool(project.closes) + bool(proved)
    for make in proved:
        if make.type != RunType.LIVE and (make.is_clone or make.members is not None):
            reads += 1 + make.is_clone
    return Cost(reads=reads, writes=len(project.actions))
