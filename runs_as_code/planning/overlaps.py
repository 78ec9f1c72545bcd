"""Runs that two of the given files lay claim to: whoever is right, such a run stays open.

`validate` refuses the files that lead to most of this; here nothing depends on its having seen it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from runs_as_code.model.actions import CloseRun
from runs_as_code.model.desired import LeftOut, State
from runs_as_code.model.plan import Block, Change
from runs_as_code.planning.context import Context, Place, name_of
from runs_as_code.planning.ownership import MarkedRun


def withhold_claimed(
    contexts: Sequence[Context], changes: Mapping[Place, Change], left_out: Iterable[LeftOut]
) -> dict[Place, Change]:
    """Withhold each close of a run that anything but the key it is closed for lays claim to."""
    claims = _Claims(contexts, left_out)
    owners = {ctx.owner: ctx for ctx in contexts}
    result = dict(changes)
    for place, change in changes.items():
        ctx = owners[place[0]]
        blocks = [
            block
            for action in change.actions
            if isinstance(action, CloseRun)
            for block in claims.against(action, ctx.runs.by_id[action.run_id], place, ctx)
        ]
        if blocks:
            result[place] = replace(change, blocks=(*change.blocks, *blocks))
    return result


class _Claims:
    """Who lays claim to a run: declared keys by its marker, keys by `adopt`, files not given.

    An unmanaged key lays claim to no run by its marker: that is how it is handed over.
    """

    def __init__(self, contexts: Sequence[Context], left_out: Iterable[LeftOut]) -> None:
        self._files = {left.owner: left.file for left in left_out}
        self._adopters: dict[int, list[Place]] = {}
        self._keys: list[tuple[Context, dict[str, str]]] = []
        for ctx in contexts:
            keys: dict[str, str] = {}
            for key, declaration in ctx.declarations.items():
                spec = declaration.spec
                if spec.adopt is not None:
                    self._adopters.setdefault(spec.adopt, []).append((ctx.owner, key))
                if spec.state is not State.UNMANAGED:
                    keys |= dict.fromkeys((key, *(spec.previous_keys or ())), key)
            self._keys.append((ctx, keys))

    def against(
        self, action: CloseRun, marked: MarkedRun, place: Place, ctx: Context
    ) -> Iterator[Block]:
        """Yield what the others say against the close of a run for a key."""
        key, is_declared = place[1], place[1] in ctx.declarations
        for other in self._holders(marked):
            if other != place:
                line = "`ownerAliases` without the name of an owner who is still there"
                if not is_declared:
                    line = f"{key}: {{state: unmanaged}}, which hands it over"
                yield _block(action, f"is the run of `{name_of(other, ctx.owner)}` as well", line)
        for other in self._adopters.get(action.run_id, ()):
            if other != place:
                line = "another run for `adopt`, or none"
                if other[0] == ctx.owner and not is_declared:
                    line = f"previousKeys: [{key}] instead of `adopt`"
                yield _block(action, f"is named by `adopt` of `{name_of(other, ctx.owner)}`", line)
        owner = marked.marker.owner if marked.marker else ctx.owner
        if owner != ctx.owner and owner in self._files:
            file = self._files[owner]
            who = f"is of owner `{owner}`, and `{file}`, which is or may be of that owner,"
            yield _block(action, f"{who} was not given", "give that file as well, or remove it")

    def _holders(self, marked: MarkedRun) -> Iterator[Place]:
        for ctx, keys in self._keys:
            key = keys.get(marked.marker.key) if marked.marker else None
            if key is not None and ctx.is_ours(marked):
                yield ctx.owner, key


def _block(action: CloseRun, who: str, line: str) -> Block:
    return Block("claimed-twice", f"run {action.run_id} stays open: it {who}", line)
