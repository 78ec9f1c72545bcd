"""What must be so when the trouble is over: applied in a bounded number of times, then nothing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torture.applier import Applier, Ended, lies
from torture.ground import Ground
from torture.problems import Problem, Wrong

MOST_APPLIES = 3
IN_PEACE = frozenset({0, 5})
"""How an apply ends that nobody disturbs: done, or with what a rule withholds."""

Document = Mapping[str, Any]


async def settle(
    ground: Ground,
    manifests: Sequence[Document],
    *,
    skip_blocked: bool = False,
    approvals: Mapping[str, Any] | None = None,
) -> list[Problem]:
    """Apply without any trouble until nothing is left; return what is wrong then."""
    ground.wire.actors.clear()
    await ground.wire.quiet()
    problems: list[Problem] = []
    for _ in range(MOST_APPLIES):
        ended = await _apply(ground, manifests, skip_blocked=skip_blocked, approvals=approvals)
        problems += lies(ground, ended)
        if ended.plan is None:
            return [*problems, Problem(Wrong.CONVERGENCE, f"{ended.error}")]
        if not ended.plan.actions:
            return problems
        if ended.code not in IN_PEACE:
            text = f"exit {ended.code} though nobody disturbed it: {outcomes(ended)}"
            problems.append(Problem(Wrong.CONVERGENCE, text))
        if ended.code == 5 and not skip_blocked:
            return [*problems, Problem(Wrong.CONVERGENCE, f"{blocks(ended)}")]
    ended = await _apply(ground, manifests, skip_blocked=skip_blocked, approvals=approvals)
    if ended.plan is None or ended.plan.actions:
        problems.append(Problem(Wrong.CONVERGENCE, f"{MOST_APPLIES} applies: {outcomes(ended)}"))
    if ground.ledger.briefs[ended.who].writes:
        problems.append(Problem(Wrong.CONVERGENCE, "an apply of a converged project wrote"))
    return problems


async def _apply(
    ground: Ground,
    manifests: Sequence[Document],
    *,
    skip_blocked: bool,
    approvals: Mapping[str, Any] | None,
) -> Ended:
    applier = Applier(ground, manifests, approvals or {}, skip_blocked=skip_blocked)
    return await applier.apply()


def one_run_each(ground: Ground, owner: str, keys: Collection[str]) -> list[Problem]:
    """Return the keys of an owner that don't have exactly one open run, or should have none."""
    found = ground.open_runs(owner)
    problems = []
    for key in sorted({*keys, *found}):
        runs = found.get(key, [])
        if len(runs) > 1:
            problems.append(Problem(Wrong.DUPLICATE, f"{key}: runs {runs} are open"))
        elif len(runs) != (key in keys):
            problems.append(Problem(Wrong.CONVERGENCE, f"{key}: runs {runs} are open"))
    return problems


def blocks(ended: Ended) -> list[str]:
    """Say what withholds anything in a plan."""
    projects = ended.plan.projects if ended.plan else ()
    found = [block for p in projects for block in p.refusals]
    found += [block for p in projects for change in p.changes for block in change.blocks]
    return sorted({f"{block.rule}: {block.message}" for block in found})


def outcomes(ended: Ended) -> list[str]:
    """Say how an apply ended, one line per action."""
    if ended.report is None:
        return [f"exit {ended.code}: {ended.error}"]
    return [f"{r.action.address} {r.status}: {r.message}" for r in ended.results]
