"""What waits for what between the keys of a project, whoever owns them.

A clone waits for its source, a close for the clones of the run.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from runs_as_code.model.actions import Action, CloseRun, MakeRun
from runs_as_code.model.desired import OnClosed, RunSpec, State
from runs_as_code.model.plan import Block, Change, ProjectPlan
from runs_as_code.planning.compare import is_title_changed
from runs_as_code.planning.context import Context, Place, name_of, place_of
from runs_as_code.planning.make import Origin, find_origin


def wanted_sources(ctx: Context, changes: dict[str, Change]) -> dict[str, int]:
    """Return the runs that keys want to clone which have no action in this plan.

    They are blocked before they have one, or are no target. Those runs must stay open as well:
    whether a closed run can be cloned is documented nowhere.
    """
    sources = {}
    for key, declaration in ctx.declarations.items():
        spec = declaration.spec
        if spec.clone_from is None or not _is_clone_wanted(ctx, spec, changes.get(key)):
            continue
        origin = find_origin(ctx, spec, spec.clone_from, changes)
        if isinstance(origin, Origin) and origin.run_id is not None:
            sources[key] = origin.run_id
    return sources


def _is_clone_wanted(ctx: Context, spec: RunSpec, change: Change | None) -> bool:
    if spec.state is not State.OPEN:
        return False
    members = ctx.members(spec)
    if change is not None:
        return not members and change.is_withheld and not change.actions
    if not members:
        return True
    newest = members[-1]
    is_renamed = is_title_changed(spec, newest.run, newest.marker)
    return not newest.run.is_open and (is_renamed or spec.on_closed is OnClosed.RECREATE)


def settle(
    changes: Mapping[Place, Change],
    sources: Mapping[Place, int],
    refused: Collection[str] = (),
) -> dict[Place, Change]:
    """Let closes wait for clones of the run, and withhold whatever depends on what is withheld.

    `sources` holds the runs to be cloned by keys that have no action, `refused` the owners whose
    plan is refused: what they would do is not done either.
    """
    clones: dict[int, list[Place]] = {}
    for place in sorted(changes.keys() | sources.keys()):
        makes = _makes(changes[place]) if place in changes else ()
        runs = {make.source_run for make in makes} | {sources.get(place)}
        for run_id in runs - {None}:
            clones.setdefault(run_id or 0, []).append(place)
    result = {place: _wait_for_clones(place, c, clones) for place, c in changes.items()}
    # Each round can only add blocks, and a key gets each of them once, so this ends.
    while True:
        added = {
            place: blocks
            for place, change in result.items()
            if (blocks := _inherited(place, change, result, refused))
        }
        if not added:
            return result
        for place, blocks in added.items():
            result[place] = replace(result[place], blocks=(*result[place].blocks, *blocks))


def awaited_makes(plans: Iterable[ProjectPlan]) -> frozenset[Place]:
    """Return whose new run something of one project's plans waits for: it is proved at once.

    A clone waits for its source, a close for the run that takes its place and for the clones.
    """
    awaited: set[tuple[str, str | None]] = set()
    for plan in plans:
        awaited |= {(plan.owner, make.source_key) for make in plan.makes}
        awaited |= {(plan.owner, close.successor_key) for close in plan.closes}
        awaited |= {place_of(name, plan.owner) for close in plan.closes for name in close.cloned_by}
    return frozenset((owner, key) for owner, key in awaited if key is not None)


def _makes(change: Change) -> Iterable[MakeRun]:
    return (action for action in change.actions if isinstance(action, MakeRun))


def _wait_for_clones(place: Place, change: Change, clones: Mapping[int, list[Place]]) -> Change:
    actions: list[Action] = []
    for action in change.actions:
        if isinstance(action, CloseRun):
            waiting = [clone for clone in clones.get(action.run_id, ()) if clone != place]
            waits = tuple(name_of(clone, place[0]) for clone in waiting)
            actions.append(replace(action, cloned_by=waits) if waits else action)
        else:
            actions.append(action)
    return replace(change, actions=tuple(actions)) if clones else change


def _inherited(
    place: Place, change: Change, changes: Mapping[Place, Change], refused: Collection[str]
) -> list[Block]:
    owner = place[0]
    blocks = []
    for action in change.actions:
        if isinstance(action, MakeRun):
            sources = [action.source_key] if action.source_key else []
            blocks += [
                _source_blocked(change, key) for key in sources if changes[owner, key].is_withheld
            ]
            continue
        for name in action.cloned_by:
            clone = place_of(name, owner)
            if clone not in changes:
                blocks.append(_clone_not_planned(action, name))
            elif changes[clone].is_withheld or (clone[0] != owner and clone[0] in refused):
                blocks.append(_clone_blocked(action, name))
    return [block for block in blocks if block not in change.blocks]


def _source_blocked(change: Change, source: str) -> Block:
    return Block(
        rule="source-blocked",
        message=f"can't clone: its source `{source}` is blocked",
        line=f"what `{source}` asks for",
        location=change.location,
    )


def _clone_blocked(action: CloseRun, clone: str) -> Block:
    """Whether a closed run can still be cloned is documented nowhere, so its close waits."""
    return Block(
        rule="source-of-blocked-clone",
        message=f"run {action.run_id} stays open: `{clone}` is to be cloned from it and is blocked",
        line=f"what `{clone}` asks for",
    )


def _clone_not_planned(action: CloseRun, clone: str) -> Block:
    return Block(
        rule="source-of-blocked-clone",
        message=f"run {action.run_id} stays open: `{clone}` is to be cloned from it and is no"
        " target",
        line=f"nothing; a call without `--target`, or with `--target {clone}` too, clones it first",
    )
