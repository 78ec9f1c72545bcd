"""Close runs of a key, and the rules that withhold that."""

from collections.abc import Sequence
from dataclasses import replace

from runs_as_code.model.actions import CloseReason, CloseRun
from runs_as_code.model.desired import CloseWhen, ReplaceMode, RunSpec
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.plan import Block
from runs_as_code.planning import rules
from runs_as_code.planning.context import Context, Member


def close_action(
    member: Member,
    key: str,
    reason: CloseReason,
    *,
    spec: RunSpec | None = None,
    successor_key: str | None = None,
) -> CloseRun:
    """Build the action that closes a run, with what the plan saw of it and what allows it.

    `spec` is the declaration under whose rules it is replaced. A run in doubt is closed only when
    somebody approved that; else its action is withheld.
    """
    run = member.run
    is_pruned_complete = reason is CloseReason.PRUNED and run.has_results and not run.counts.open
    is_replaced_complete = spec is not None and is_due(spec, run)
    return CloseRun(
        key=key,
        run_id=run.id,
        title=run.title,
        reason=reason,
        marker=str(member.marker) if member.marker else None,
        counts=run.counts,
        time_spent=run.time_spent,
        needs_complete=reason is CloseReason.COMPLETE or is_pruned_complete or is_replaced_complete,
        is_doubted=bool(member.marked.doubt),
        successor_key=successor_key,
    )


def is_due(spec: RunSpec, run: LiveRun) -> bool:
    """Whether the file wants this run closed because it is complete."""
    return spec.close_when is CloseWhen.COMPLETE and run.is_complete


def close_older(
    ctx: Context,
    spec: RunSpec,
    members: Sequence[Member],
    revision: int,
    *,
    keep: Member | None,
    is_replaced: bool = False,
) -> tuple[list[CloseRun], list[Block]]:
    """Close the open runs of a key but `keep`, under the rules of a replacement.

    Their successor is `keep`, or with `is_replaced` the run of `revision` that this plan makes.
    """
    older = [member for member in members if member.run.is_open and member is not keep]
    successor = None if is_replaced else keep
    replaced = replaced_by(ctx, spec, members, revision, successor)
    key = spec.key if is_replaced else None
    closes = [
        close_action(member, spec.key, CloseReason.OLDER, spec=spec, successor_key=key)
        for member in older
    ]
    if successor is not None:
        marker = None if ctx.is_approved(spec.key) else successor.marker
        words = str(marker) if marker else None
        closes = [
            replace(close, successor_run=successor.run.id, successor_marker=words)
            for close in closes
        ]
    blocks = doubts(ctx, spec, older)
    for member in older:
        is_of_revision = member.run.id in replaced
        blocks += replacement_blocks(ctx, spec, member, revision, is_of_revision=is_of_revision)
    return closes, blocks


def protection(spec: RunSpec, members: Sequence[Member]) -> list[Block]:
    """Withhold the close of runs whose key the file protects."""
    if not spec.protect:
        return []
    place = spec.locations.get("protect", spec.location)
    return [rules.is_protected(member.run, place, is_declared=True) for member in members]


def replaced_by(
    ctx: Context, spec: RunSpec, members: Sequence[Member], revision: int, made: Member | None
) -> frozenset[int]:
    """Return the ids of the runs that the making of a revision replaced, or will replace.

    `made` is the run of that revision, None where this plan makes it. Earlier revisions of its key
    were the key's then. Of a run of a previous key, of an alias, or adopted, only the number tells:
    the revision follows the run that has the number before it, unless a run of its own has that.
    """
    words = made.marker if made else None
    if made is not None and (words is None or words.revision != revision):
        return frozenset()
    whose = (words.owner, words.key) if words else (ctx.owner, spec.key)
    earlier = [
        member
        for member in members
        if member.revision < revision and (made is None or member.run.id < made.run.id)
    ]
    found = [m for m in earlier if m.marker and (m.marker.owner, m.marker.key) == whose]
    before = [member for member in earlier if member.revision == revision - 1]
    if before and not any(member in found for member in before):
        found.append(before[-1])
    return frozenset(member.run.id for member in found)


def replacement_blocks(
    ctx: Context, spec: RunSpec, member: Member, revision: int, *, is_of_revision: bool
) -> list[Block]:
    """The rules of a replacement: protection, `replace: never`, recorded results.

    The results of a run that may be closed for being complete stand in no way. `is_of_revision`
    tells whether the making of the revision replaced the run, so that `replace: rN` can approve it.
    """
    place = spec.locations.get("replace", spec.location)
    if spec.protect:
        return protection(spec, [member])
    is_approved = is_of_revision and is_revision_approved(spec, revision)
    if is_approved or ctx.is_approved(spec.key):
        return []
    blocks = []
    may_go = is_due(spec, member.run) or spec.replace.mode is ReplaceMode.ALWAYS
    if spec.replace.mode is ReplaceMode.NEVER:
        blocks = [rules.never_replaced(spec.key, member.run, revision, place)]
    elif member.run.has_results and not may_go:
        blocks = [rules.has_results(spec.key, member.run, revision, place)]
    line = f"replace: r{revision}" if is_of_revision else "replace: always"
    return [replace(block, line=line) for block in blocks]


def is_revision_approved(spec: RunSpec, revision: int) -> bool:
    """Whether the file approves the replacement that makes exactly this revision."""
    return spec.replace.mode is ReplaceMode.REVISION and spec.replace.revision == revision


def doubts(ctx: Context, spec: RunSpec, members: Sequence[Member]) -> list[Block]:
    """Withhold what would close runs that are in doubt, until somebody approves the key."""
    if ctx.is_approved(spec.key):
        return []
    return [
        rules.in_doubt(spec.key, member, spec.location) for member in members if member.marked.doubt
    ]


def unverified(
    ctx: Context, spec: RunSpec, members: Sequence[Member], successor: Member
) -> list[Block]:
    """Ask of a kept successor what verification asks of a new one, as far as the list shows it."""
    if successor.marker is None or ctx.is_approved(spec.key):
        return []
    has_cases = any(m.run.is_open and m.run.counts.all for m in members)
    why = successor_fault(successor.marker, successor.run, follows_cases=has_cases)
    return [rules.unverified_successor(spec.key, successor.run, why, spec.location)] if why else []


def successor_fault(marker: Marker, run: LiveRun, *, follows_cases: bool) -> str:
    """Say what of a run is not as its marker says it was sent; empty when all is."""
    if marker.milestone is not None and marker.milestone != run.milestone_id:
        return "has another milestone than it was given"
    if marker.assignee is not None and marker.assignee != run.assignee_id:
        return "has another assignee than it was given"
    return "is empty" if run.counts.all == 0 and follows_cases else ""
