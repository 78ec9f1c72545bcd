"""What must be so when the trouble is over: applied in a bounded number of times, then nothing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torture.applier import Applier, Ended, lies
from torture.ground import Ground

MOST_APPLIES = 3

Document = Mapping[str, Any]


async def settle(
    ground: Ground,
    manifests: Sequence[Document],
    *,
    skip_blocked: bool = False,
    approvals: Mapping[str, Any] | None = None,
) -> list[str]:
    """Apply without any trouble until nothing is left; return what is wrong then."""
    ground.wire.actors.clear()
    await ground.wire.quiet()
    problems: list[str] = []
    for _ in range(MOST_APPLIES):
        ended = await _apply(ground, manifests, skip_blocked=skip_blocked, approvals=approvals)
        problems += lies(ground, ended)
        if ended.plan is None:
            return [*problems, f"not converged: {ended.error}"]
        if not ended.plan.actions:
            return problems
        if ended.code == 5 and not skip_blocked:
            return [*problems, f"not converged: {blocks(ended)}"]
    ended = await _apply(ground, manifests, skip_blocked=skip_blocked, approvals=approvals)
    if ended.plan is None or ended.plan.actions:
        problems.append(f"not converged after {MOST_APPLIES} applies: {outcomes(ended)}")
    if ground.ledger.briefs[ended.who].writes:
        problems.append("an apply of a converged project wrote")
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


def one_run_each(ground: Ground, owner: str, keys: Collection[str]) -> list[str]:
    """Return the keys of an owner that don't have exactly one open run, or should have none."""
    found = ground.open_runs(owner)
    wrong = {key: found.get(key, []) for key in keys if len(found.get(key, ())) != 1}
    surplus = {key: runs for key, runs in found.items() if key not in keys}
    return [f"open runs of {owner} by key: {odd}" for odd in (wrong, surplus) if odd]


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
