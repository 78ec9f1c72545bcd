"""What waits for what between keys: a clone for its source, a close for the clones of the run."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from runs_as_code.model.actions import Action, CloseRun, MakeRun
from runs_as_code.model.plan import Block, Change


def settle(changes: Mapping[str, Change], sources: Mapping[str, int]) -> dict[str, Change]:
    """Let closes wait for clones of the run, and withhold whatever depends on what is withheld.

    `sources` holds the runs to be cloned by keys that are blocked before they have an action.
    """
    clones: dict[int, list[str]] = {}
    for key in sorted(changes):
        runs = {make.source_run for make in _makes(changes[key])} | {sources.get(key)}
        for run_id in runs - {None}:
            clones.setdefault(run_id or 0, []).append(key)
    result = {key: _wait_for_clones(change, clones) for key, change in changes.items()}
    # Each round can only add blocks, and a key gets each of them once, so this ends.
    while True:
        added = {
            key: blocks for key, change in result.items() if (blocks := _inherited(change, result))
        }
        if not added:
            return result
        for key, blocks in added.items():
            result[key] = replace(result[key], blocks=(*result[key].blocks, *blocks))


def _makes(change: Change) -> Iterable[MakeRun]:
    return (action for action in change.actions if isinstance(action, MakeRun))


def _wait_for_clones(change: Change, clones: Mapping[int, list[str]]) -> Change:
    actions: list[Action] = []
    for action in change.actions:
        if isinstance(action, CloseRun):
            waits = tuple(key for key in clones.get(action.run_id, ()) if key != change.key)
            actions.append(replace(action, cloned_by=waits) if waits else action)
        else:
            actions.append(action)
    return replace(change, actions=tuple(actions)) if clones else change


def _inherited(change: Change, changes: Mapping[str, Change]) -> list[Block]:
    blocks = []
    for action in change.actions:
        if isinstance(action, MakeRun):
            sources = [action.source_key] if action.source_key else []
            blocks += [_source_blocked(change, key) for key in sources if changes[key].is_withheld]
        else:
            blocks += [
                _clone_blocked(action, key) for key in action.cloned_by if changes[key].is_withheld
            ]
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
