"""Runs of this owner that nothing declares any more: shown, or closed under `prune: close`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from runs_as_code.model.actions import CloseReason, MakeRun
from runs_as_code.model.desired import Prune, RunSpec
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import Block, Change, Outcome, Reason
from runs_as_code.model.text import clash_form
from runs_as_code.planning import rules
from runs_as_code.planning.closing import close_action
from runs_as_code.planning.context import Context, Member
from runs_as_code.planning.digest import text_digest
from runs_as_code.planning.ownership import Ownership


def decide_orphans(ctx: Context, left_out: Iterable[str]) -> list[Change]:
    """Decide about each key that has open runs of this owner but is not declared."""
    why_kept = _why_kept(ctx)
    guard = _guard(left_out)
    return [
        _decide_orphan(ctx, key, members, why_kept, guard) for key, members in ctx.orphans().items()
    ]


def _decide_orphan(
    ctx: Context, key: str, members: list[Member], why_kept: str, guard: list[Block]
) -> Change:
    newest = members[-1]
    change = Change(
        key=key,
        outcome=Outcome.ORPHAN,
        reason=Reason.NO_LONGER_DECLARED,
        title=newest.run.title,
        run=newest.run,
    )
    if any(ctx.ownership(member.marked) is Ownership.ALIAS for member in members):
        owner = newest.marker.owner if newest.marker else ""
        note = f"it carries the alias `{owner}`, and what is ours by alias is never pruned"
        return replace(change, notes=(note,))
    if why_kept:
        return replace(change, notes=(why_kept,))
    return replace(
        change,
        outcome=Outcome.CLOSE,
        actions=tuple(close_action(m, key, CloseReason.PRUNED) for m in members),
        blocks=(*guard, *_prune_blocks(ctx, key, members)),
    )


def _why_kept(ctx: Context) -> str:
    prunes = {manifest.prune for manifest in ctx.manifests}
    if prunes == {Prune.CLOSE}:
        return "nothing is pruned under --target" if ctx.approvals.targets else ""
    if Prune.CLOSE in prunes:
        return "prune: close counts only if every manifest of this owner and project has it"
    return "prune: keep; `state: closed` closes it, `prune: close` closes all such runs"


def _guard(left_out: Iterable[str]) -> list[Block]:
    files = ", ".join(f"`{file}`" for file in sorted(left_out))
    if not files:
        return []
    return [
        Block(
            rule="prune-partial",
            message=f"nothing is pruned while {files} of the same owner and project was not given",
            line="give the folder instead of the file: -f FOLDER",
        )
    ]


def _prune_blocks(ctx: Context, key: str, members: list[Member]) -> list[Block]:
    blocks = []
    for member in members:
        run = member.run
        if member.marker is not None and member.marker.is_protected:
            blocks.append(rules.is_protected(run, None, is_declared=False))
        if ctx.is_approved(key):
            continue
        if member.marked.doubt:
            blocks.append(rules.in_doubt(key, member, None))
        if run.has_results and run.counts.open:
            blocks.append(rules.prune_has_results(key, run))
    return blocks


def suspect_renames(ctx: Context, changes: Mapping[str, Change]) -> dict[str, Change]:
    """Block each new key together with the orphan that it looks like.

    With an irreversible close, a renamed key must never silently become a create and a close.
    """
    looks = _orphan_looks(ctx)
    result = dict(changes)
    for key, change in sorted(changes.items()) if looks else ():
        declaration = ctx.declarations.get(key)
        if declaration is None or not _is_new(ctx, change, declaration.spec):
            continue
        spec = declaration.spec
        is_settled = ctx.is_approved(key) or spec.previous_keys is not None
        # The orphan must not go as long as something else keeps its look-alike from being made.
        if is_settled and not change.is_withheld:
            continue
        for orphan in sorted({o for look in _looks(spec, change) for o in looks.get(look, ())}):
            block = rules.rename_suspected(
                key, orphan, spec.location, is_approvable=not change.is_withheld
            )
            result[key] = replace(result[key], blocks=(*result[key].blocks, block))
            if result[orphan].actions:
                blocks = (*result[orphan].blocks, block)
                result[orphan] = replace(result[orphan], blocks=blocks)
    return result


def _is_new(ctx: Context, change: Change, spec: RunSpec) -> bool:
    """Whether a run is wanted for a key that never had one, even if it can't have it yet."""
    is_wanted = change.outcome in {Outcome.CREATE, Outcome.CLONE, Outcome.DECIDE}
    return is_wanted and not ctx.members(spec)


_Look = tuple[str, str]


def _orphan_looks(ctx: Context) -> dict[_Look, set[str]]:
    """Index the orphans by what a renamed run keeps: its title, its selection."""
    looks: dict[_Look, set[str]] = {}
    for key, members in ctx.orphans().items():
        for member in members:
            looks.setdefault(("clash", member.marked.clash), set()).add(key)
            if member.marker is not None:
                looks.setdefault(("title", member.marker.title), set()).add(key)
                looks.setdefault(("selection", member.marker.selection), set()).add(key)
    return looks


def _looks(spec: RunSpec, change: Change) -> set[_Look]:
    looks = {("clash", clash_form(spec.title)), ("title", text_digest(spec.title))}
    for action in change.actions:
        # A clone has its source's selection, which says nothing about its own past.
        if isinstance(action, MakeRun) and not action.is_clone:
            marker = read_description(action.marker).marker
            if marker is not None and marker.selection != UNKNOWN:
                looks.add(("selection", marker.selection))
    return looks
