"""Runs of this owner that nothing declares any more: shown, or closed under `prune: close`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from runs_as_code.model.actions import CloseReason, MakeRun
from runs_as_code.model.desired import Prune, RunSpec
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.marking import read_description
from runs_as_code.model.plan import Block, Change, Outcome, Reason
from runs_as_code.model.text import clash_form
from runs_as_code.planning import rules
from runs_as_code.planning.closing import close_action
from runs_as_code.planning.context import Context, Member, Place
from runs_as_code.planning.digest import text_digest
from runs_as_code.planning.ownership import Ownership


def decide_orphans(
    ctx: Context, left_out: Iterable[str], declared: Collection[Place]
) -> list[Change]:
    """Decide about each key that has open runs of this owner but is not declared.

    What is this owner's by alias, and `declared` by the owner whose name it bears, is no orphan.
    """
    why_kept = _why_kept(ctx)
    guard = _guard(left_out)
    return [
        _decide_orphan(ctx, key, members, why_kept, guard)
        for key, members in ctx.orphans().items()
        if (_bearer(members[-1], ctx.owner), key) not in declared
    ]


def _bearer(member: Member, owner: str) -> str:
    return member.marker.owner if member.marker else owner


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
    files = ", ".join(f"`{file}`" for file in sorted(set(left_out)))
    if not files:
        return []
    return [
        Block(
            rule="prune-partial",
            message=f"nothing is pruned while {files} was not read: it is, or may be, of the same"
            " owner and project",
            flag="-f FOLDER, instead of the file",
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


def suspect_renames(
    contexts: Sequence[Context], changes: Mapping[Place, Change]
) -> dict[Place, Change]:
    """Block each key that is to get a run together with the orphans that this run looks like.

    With an irreversible close, a renamed key must never silently become a create and a close.
    """
    looks = _orphan_looks(contexts)
    owners = {ctx.owner: ctx for ctx in contexts}
    result = dict(changes)
    for place in sorted(changes) if looks else ():
        ctx, change = owners[place[0]], changes[place]
        declaration = ctx.declarations.get(place[1])
        if declaration is None:
            continue
        spec = declaration.spec
        is_settled = ctx.is_approved(spec.key) or spec.previous_keys is not None
        # The orphan must not go as long as something else keeps its look-alike from being made.
        if is_settled and not change.is_withheld:
            continue
        for orphan in sorted(_look_alikes(ctx, spec, change, looks)):
            is_closed = bool(result[orphan].actions)
            if orphan[0] != ctx.owner and not is_closed:
                continue
            block = _rename_suspected(ctx, spec, orphan, change)
            # What is unmanaged has no action that could be withheld.
            withheld = [place] if change.outcome is not Outcome.UNMANAGED else []
            for each in [*withheld, orphan] if is_closed else withheld:
                result[each] = replace(result[each], blocks=(*result[each].blocks, block))
    return result


class _Kind(Enum):
    """What a run keeps when its key is renamed."""

    CLASH = auto()
    TITLE = auto()
    SELECTION = auto()


_Look = tuple[_Kind, str]

_WANTING = frozenset(
    {Outcome.CREATE, Outcome.CLONE, Outcome.REPLACE_BY_CREATE, Outcome.REPLACE_BY_CLONE}
)
_WANTING_FIRST = frozenset({Outcome.DECIDE, Outcome.UNMANAGED})
"""Decisions by which a key wants a run as long as it never had one, even if it can't have it."""


def _orphan_looks(contexts: Iterable[Context]) -> dict[_Look, set[Place]]:
    """Index the orphans of all owners by what a renamed run keeps."""
    looks: dict[_Look, set[Place]] = {}
    for ctx in contexts:
        for key, members in ctx.orphans().items():
            for look in {look for member in members for look in _looks_of(member)}:
                looks.setdefault(look, set()).add((ctx.owner, key))
    return looks


def _looks_of(member: Member) -> set[_Look]:
    looks = {(_Kind.CLASH, member.marked.clash)}
    if member.marker is not None:
        looks |= {(_Kind.TITLE, member.marker.title), (_Kind.SELECTION, member.marker.selection)}
    return looks - {(_Kind.SELECTION, UNKNOWN)}


def _look_alikes(
    ctx: Context, spec: RunSpec, change: Change, looks: Mapping[_Look, set[Place]]
) -> set[Place]:
    """Return the orphans that look like the run a key wants, but not like the run it had.

    Titles are unique in a project, so an equal one tells of any owner's run. What two teams select
    is often the same, so a selection tells of the owner's own runs only.
    """
    members = ctx.members(spec)
    if change.outcome not in (_WANTING if members else _WANTING | _WANTING_FIRST):
        return set()
    wanted = {(_Kind.CLASH, clash_form(spec.title)), (_Kind.TITLE, text_digest(spec.title))}
    for action in change.actions:
        # A clone has its source's selection, which says nothing about its own past.
        if isinstance(action, MakeRun) and not action.is_clone:
            marker = read_description(action.marker).marker
            if marker is not None:
                wanted.add((_Kind.SELECTION, marker.selection))
    if members:
        wanted -= _looks_of(members[-1])
    return {
        orphan
        for look in wanted
        for orphan in looks.get(look, ())
        if orphan[0] == ctx.owner or look[0] is not _Kind.SELECTION
    }


def _rename_suspected(ctx: Context, spec: RunSpec, orphan: Place, change: Change) -> Block:
    """A key is to get a run that looks like one under another key, which nothing declares.

    Where it was said already that they are two, the old one waits for the new one all the same.
    """
    old = orphan[1]
    key, gone = spec.key, f"`{old}`"
    line = f"previousKeys: [{old}]"
    if orphan[0] != ctx.owner:
        key, gone = f"{ctx.owner}/{key}", f"`{old}` of owner `{orphan[0]}`"
        line = f"`{old}` in a file of `{orphan[0]}`"
    elif ctx.members(spec):
        line = f"another key with {line}"
    if ctx.is_approved(spec.key) or spec.previous_keys is not None:
        return Block(
            rule="looks-like-rename",
            message=f"{gone}, which is no longer declared, stays open until `{key}` can be made",
            line=f"what the other blocks of `{key}` ask for",
            location=spec.location,
        )
    is_new = "the next run of `{}`" if ctx.members(spec) else "`{}` is new and"
    return Block(
        rule="looks-like-rename",
        message=f"{is_new.format(key)} looks like {gone}, which is no longer declared",
        line=f"{line} if it is the same run, previousKeys: [] if not",
        flag="" if change.is_withheld else rules.approve(key),
        location=spec.location,
    )
