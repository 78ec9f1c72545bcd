"""Runs that two of the given files lay claim to: whoever is right, such a run stays open.

`validate` refuses the files that lead to most of this; here nothing depends on its having seen it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runs_as_code.model.actions import CloseRun
from runs_as_code.model.desired import LeftOut
from runs_as_code.model.plan import Block, Change
from runs_as_code.planning.context import Context, Place, name_of
from runs_as_code.planning.ownership import MarkedRun


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who else has a run, in words, and what the files should say instead."""

    who: str
    line: str


def withhold_claimed(
    contexts: Sequence[Context], changes: Mapping[Place, Change], left_out: Iterable[LeftOut]
) -> dict[Place, Change]:
    """Withhold each close of a run that anything but the key it is closed for lays claim to."""
    adopters: dict[int, list[Place]] = {}
    for ctx in contexts:
        for key, declaration in ctx.declarations.items():
            if declaration.spec.adopt is not None:
                adopters.setdefault(declaration.spec.adopt, []).append((ctx.owner, key))
    files = {left.owner: left.file for left in left_out}
    owners = {ctx.owner: ctx for ctx in contexts}
    result = dict(changes)
    for place, change in changes.items():
        ctx = owners[place[0]]
        blocks = [
            _block(action, claim)
            for action in change.actions
            if isinstance(action, CloseRun)
            for claim in (
                *_of_owners(ctx, ctx.runs.by_id[action.run_id], contexts, files),
                *_of_adopters(ctx, place, adopters.get(action.run_id, ())),
            )
        ]
        if blocks:
            result[place] = replace(change, blocks=(*change.blocks, *blocks))
    return result


def _of_owners(
    ctx: Context, marked: MarkedRun, contexts: Sequence[Context], files: Mapping[str, str]
) -> Iterator[_Claim]:
    for other in contexts:
        if other is not ctx and other.is_ours(marked):
            yield _Claim(f"is a run of owner `{other.owner}` as well", _ONE_OWNER)
    marker = marked.marker
    if marker is not None and marker.owner != ctx.owner and marker.owner in files:
        file = files[marker.owner]
        yield _Claim(
            f"is of owner `{marker.owner}`, whose manifest `{file}` was not given", _ONE_OWNER
        )


_ONE_OWNER = "`ownerAliases` without a name that another manifest has"


def _of_adopters(ctx: Context, place: Place, adopters: Iterable[Place]) -> Iterator[_Claim]:
    is_declared = place[1] in ctx.declarations
    for adopter in adopters:
        if adopter == place:
            continue
        line = "another run for `adopt`, or none"
        if adopter[0] == ctx.owner and not is_declared:
            line = f"previousKeys: [{place[1]}] instead of `adopt`"
        yield _Claim(f"is named by `adopt` of `{name_of(adopter, ctx.owner)}`", line)


def _block(action: CloseRun, claim: _Claim) -> Block:
    return Block(
        rule="claimed-twice",
        message=f"run {action.run_id} stays open: it {claim.who}",
        line=claim.line,
    )
