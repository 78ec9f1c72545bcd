"""Close runs of a key, and the rules that withhold that."""

from collections.abc import Sequence
from dataclasses import replace

from runs_as_code.model.actions import CloseReason, CloseRun
from runs_as_code.model.desired import CloseWhen, ReplaceMode, RunSpec
from runs_as_code.model.live import LiveRun
from runs_as_code.model.plan import Block
from runs_as_code.planning import rules
from runs_as_code.planning.context import Context, Member


def close_action(
    member: Member,
    key: str,
    reason: CloseReason,
    *,
    successor_run: int | None = None,
    successor_key: str | None = None,
) -> CloseRun:
    """Build the action that closes a run, with what the plan saw of it."""
    run = member.run
    return CloseRun(
        key=key,
        run_id=run.id,
        title=run.title,
        reason=reason,
        marker=str(member.marker) if member.marker else None,
        recorded=run.recorded,
        has_time=bool(run.time_spent),
        counts=run.counts,
        successor_run=successor_run,
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
    replaced = replaced_by(ctx, spec, members, revision, None if is_replaced else keep)
    closes = [
        close_action(
            member,
            spec.key,
            CloseReason.OLDER,
            successor_run=keep.run.id if keep and not is_replaced else None,
            successor_key=spec.key if is_replaced else None,
        )
        for member in older
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
    marker = successor.marker
    if marker is None or ctx.is_approved(spec.key):
        return []
    run = successor.run
    why = ""
    if marker.milestone is not None and marker.milestone != run.milestone_id:
        why = "has another milestone than it was given"
    elif marker.assignee is not None and marker.assignee != run.assignee_id:
        why = "has another assignee than it was given"
    elif run.counts.all == 0 and any(m.run.is_open and m.run.counts.all for m in members):
        why = "is empty"
    return [rules.unverified_successor(spec.key, run, why, spec.location)] if why else []
