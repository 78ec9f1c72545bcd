"""Who holds a title or a run that a key lays claim to, and what stands against the claim."""

from collections.abc import Collection

from runs_as_code.model.desired import RunSpec, State
from runs_as_code.model.plan import Block
from runs_as_code.planning import rules
from runs_as_code.planning.context import Context, Member
from runs_as_code.planning.ownership import MarkedRun, Ownership


def held_by(ctx: Context, spec: RunSpec, holder: MarkedRun, claimed_by: str | None) -> str:
    """Say for people whose run bears a declared title."""
    marker = holder.marker
    ownership = ctx.ownership(holder)
    state = "open" if holder.run.is_open else f"closed at {holder.run.closed_at}"
    head = f"the title `{spec.title}` belongs to run {holder.run.id} ({state}), "
    if claimed_by is not None:
        return f"{head}which `{claimed_by}` adopts"
    if marker is None:
        unmarked = "which bears a marker of another version of qarun"
        if ownership is not Ownership.FOREIGN:
            unmarked = "which qarun did not make"
        return head + unmarked
    if ownership is Ownership.COPY:
        return f"{head}a copy that somebody made of the run of `{marker.key}`"
    return f"{head}of owner `{marker.owner}`, key `{marker.key}`"


def lost_markers(
    ctx: Context, spec: RunSpec, next_title: str, but: Collection[Member] = ()
) -> list[Block]:
    """Find open runs without a good marker that bear the declared or the next title.

    What shares its title with a run among `but` is none of the key's: no run is made with a title
    that another bears.
    """
    blocks = []
    told_apart = {member.marked.clash for member in but}
    is_to_close = spec.state is State.CLOSED
    or_else = ", or no `title` if it is not this key's run" if is_to_close else ""
    bearers = {
        bearer.run.id: bearer
        for title in (spec.title, next_title)
        for bearer in ctx.titles.bearers(title)
        if bearer.clash not in told_apart
    }
    for run_id in sorted(bearers):
        bearer = bearers[run_id]
        ownership = ctx.ownership(bearer)
        is_lost = ownership in {Ownership.UNMARKED, Ownership.DAMAGED}
        if is_lost and bearer.run.is_open and run_id not in ctx.adopted:
            is_damaged = ownership is Ownership.DAMAGED
            blocks.append(
                rules.marker_lost(
                    spec.key, bearer.run, spec.location, is_damaged=is_damaged, or_else=or_else
                )
            )
    return blocks


def adoption_block(ctx: Context, spec: RunSpec) -> Block | None:
    """Say why the run that `adopt` names can't be this key's."""
    place = spec.locations.get("adopt", spec.location)
    marked = ctx.runs.by_id.get(spec.adopt or 0)
    if marked is None:
        message = f"run {spec.adopt} is not in this project"
        return Block("adopt-not-found", message, "the id of a run of this project", location=place)
    marker = marked.marker
    if ctx.ownership(marked) in {Ownership.UNMARKED, Ownership.DAMAGED}:
        return None
    keys = {spec.key, *(spec.previous_keys or ())}
    if marker is not None and ctx.is_ours(marked) and marker.key in keys:
        return None
    line = "the id of a run that nobody manages"
    whose = "belongs to another version of qarun"
    if marker is not None and ctx.ownership(marked) is Ownership.COPY:
        whose = f"is a copy of the run of key `{marker.key}`, marker and all, and is left alone"
        line += f": run {spec.adopt} is one once the marker is out of its description"
    elif marker is not None:
        whose = f"belongs to owner `{marker.owner}`, key `{marker.key}`"
        if ctx.is_ours(marked) and marker.key not in ctx.declarations:
            line = f"previousKeys: [{marker.key}] instead of `adopt`, or {line}"
    message = f"run {spec.adopt} {whose}"
    return Block("adopt-foreign", message, line, location=place)


def second_runs(ctx: Context, spec: RunSpec, members: Collection[Member]) -> list[Block]:
    """Find open copies that bear the title of their original as well.

    Where titles need not be unique, two applies at once can make the same run. The later one counts
    as a copy and is left alone, but somebody has to close it.
    """
    if ctx.is_approved(spec.key):
        return []
    return [
        Block(
            rule="second-run",
            message=f"run {bearer.run.id} bears the marker and the title of run {member.run.id},"
            " and is left alone; somebody should close it in the web page",
            line="state: unmanaged",
            flag=rules.approve(spec.key),
            location=spec.location,
        )
        for member in members
        if member.marker is not None
        for bearer in ctx.titles.bearers(member.run.title)
        if bearer.is_copy and bearer.run.is_open and bearer.marker == member.marker
    ]
