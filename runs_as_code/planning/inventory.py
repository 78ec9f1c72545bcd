"""Say of every live run of a project what it is to the given files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runs_as_code.model.desired import IfExists, Manifest
from runs_as_code.model.listing import ListedAs
from runs_as_code.model.live import Catalog, LiveRun
from runs_as_code.model.plan import Approvals
from runs_as_code.planning.context import Context, Titles
from runs_as_code.planning.ownership import MarkedRun, Ownership, ProjectRuns
from runs_as_code.planning.resolve import Resolver


@dataclass(frozen=True, slots=True)
class Claim:
    """A live run with what it is; owner, key and revision where it has or gets them."""

    run: LiveRun
    ownership: ListedAs
    owner: str | None = None
    key: str | None = None
    revision: int | None = None


def classify_runs(live: Iterable[LiveRun], manifests: Sequence[Manifest]) -> list[Claim]:
    """Classify all runs of a project, by id; the manifests may have several owners."""
    runs = ProjectRuns(live)
    owners: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        owners.setdefault(manifest.owner, []).append(manifest)
    contexts = [
        Context(tuple(group), runs, Titles(runs, manifests), Resolver(Catalog(), ()), Approvals())
        for group in owners.values()
    ]
    declared: dict[int, Claim] = {}
    for ctx in contexts:
        declared |= {claim.run.id: claim for claim in _declared(ctx)}
    return [declared.get(marked.run.id) or _undeclared(contexts, marked) for marked in runs.all]


def _declared(ctx: Context) -> Iterable[Claim]:
    for key, declaration in ctx.declarations.items():
        spec = declaration.spec
        members = ctx.members(spec)
        for member in members:
            ownership = ListedAs.MANAGED if member.marker else ListedAs.ADOPTED
            yield Claim(member.run, ownership, ctx.owner, key, member.revision)
        if not members and spec.if_exists is IfExists.ADOPT:
            for marked in ctx.titles.bearers(spec.title):
                if marked.run.is_open and ctx.ownership(marked) is Ownership.UNMARKED:
                    yield Claim(marked.run, ListedAs.ADOPTED, ctx.owner, key, 0)


def _undeclared(contexts: Sequence[Context], marked: MarkedRun) -> Claim:
    found = {ctx.ownership(marked) for ctx in contexts}
    marker = marked.marker
    if marker is None:
        return Claim(marked.run, _WITHOUT_MARKER[found.pop()])
    ownership = ListedAs.FOREIGN
    if Ownership.COPY in found:
        ownership = ListedAs.COPY
    elif found & {Ownership.OURS, Ownership.ALIAS}:
        ownership = ListedAs.ORPHAN if marked.run.is_open else ListedAs.FORMER
    return Claim(marked.run, ownership, marker.owner, marker.key, marker.revision)


_WITHOUT_MARKER = {
    Ownership.UNMARKED: ListedAs.UNMANAGED,
    Ownership.DAMAGED: ListedAs.DAMAGED,
    Ownership.FOREIGN: ListedAs.FOREIGN,
}
