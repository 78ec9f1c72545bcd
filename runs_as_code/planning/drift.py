"""Find what people or the server changed: in the decisions of a plan, and in the live runs.

A run that is gone leaves no trace, as nothing is remembered beside the runs themselves. What was
closed after its file wanted that, by `state: closed` or `closeWhen: complete`, is no drift.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from runs_as_code.model.desired import Field, Manifest, RunSpec, State
from runs_as_code.model.drift import Drift, DriftKind, ProjectDrift
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import MARKER_OPENING, MARKER_VERSION
from runs_as_code.model.plan import Change, ProjectPlan, Reason
from runs_as_code.planning.ownership import MarkedRun, Ownership, ProjectRuns
from runs_as_code.planning.planner import ProjectInput

# A selection is compared with the marker alone, so only Git can change it.
_OF_FIELD = {
    Field.TITLE.value: DriftKind.TITLE_CHANGED,
    Field.DESCRIPTION.value: DriftKind.DESCRIPTION_CHANGED,
    Field.MILESTONE.value: DriftKind.MILESTONE_CHANGED,
    Field.ASSIGNEE.value: DriftKind.ASSIGNEE_CHANGED,
    Field.TYPE.value: DriftKind.TYPE_CHANGED,
}
_OF_BLOCK = {
    "marker-lost": DriftKind.MARKER_LOST,
    "successor-closed": DriftKind.SUCCESSOR_CLOSED,
}
_CLOSED_BY_HAND = frozenset({Reason.CLOSED_BY_SOMEBODY, Reason.RECREATED})
_UNCLEAR = frozenset({"unresolved-name", "ambiguous-name"})


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the files of one owner say; `keys` maps previous keys to those of today as well."""

    owners: frozenset[str]
    specs: Mapping[str, RunSpec]
    keys: Mapping[str, str]
    adopted: frozenset[int]


def find_drift(given: ProjectInput, plan: ProjectPlan) -> ProjectDrift:
    """Return the drift of the runs that a plan is about; the plan was made of the same input."""
    declared = _declared(manifest for manifest in given.manifests if manifest.owner == plan.owner)
    runs = ProjectRuns(given.listing.runs)
    changes = {
        change.key: change
        for change in plan.changes
        if change.key in declared.specs and declared.specs[change.key].state is not State.UNMANAGED
    }
    found = [drift for change in changes.values() for drift in _of_change(change, runs)]
    found += _of_runs(changes, declared, runs, found)
    return ProjectDrift(
        plan=plan,
        checked=tuple(key for key, change in changes.items() if change.run is not None),
        found=tuple(sorted(found, key=lambda drift: (drift.key, drift.kind, _id(drift.run)))),
        unclear=tuple(
            key
            for key, change in changes.items()
            if any(block.rule in _UNCLEAR for block in change.blocks)
        ),
    )


def _declared(manifests: Iterable[Manifest]) -> _Declared:
    given = list(manifests)
    specs = {spec.key: spec for manifest in given for spec in manifest.runs}
    previous = {old: spec.key for spec in specs.values() for old in spec.previous_keys or ()}
    return _Declared(
        owners=frozenset(owner for m in given for owner in (m.owner, *m.owner_aliases)),
        specs=specs,
        keys=previous | {key: key for key in specs},
        adopted=frozenset(spec.adopt for spec in specs.values() if spec.adopt is not None),
    )


def _of_change(change: Change, runs: ProjectRuns) -> Iterator[Drift]:
    run = change.run
    for diff in change.drift:
        yield Drift(_OF_FIELD[diff.field], change.key, run, diff, change.location)
    if run is not None and change.reason in _CLOSED_BY_HAND and not run.is_open:
        yield Drift(DriftKind.CLOSED_BY_HAND, change.key, run, location=change.location)
    for block in change.blocks:
        kind = _OF_BLOCK.get(block.rule)
        if block.rule == "title-held" and _is_made_by_hand(run, runs):
            kind = DriftKind.TITLE_TAKEN
        if kind is not None:
            # The decision is about the run of the key, which may be another than the lost one.
            whose = run if block.run_id is None else runs.by_id[block.run_id].run
            place = block.location or change.location
            yield Drift(kind, change.key, whose, location=place, message=block.message)


def _is_made_by_hand(run: LiveRun | None, runs: ProjectRuns) -> bool:
    marked = None if run is None else runs.by_id.get(run.id)
    return (
        marked is not None
        and marked.run.is_open
        and runs.ownership(marked, "") is Ownership.UNMARKED
    )


def _of_runs(
    changes: Mapping[str, Change], declared: _Declared, runs: ProjectRuns, known: list[Drift]
) -> Iterator[Drift]:
    """Yield what no decision shows, because nothing is to be done about it."""
    renamed = {_id(drift.run) for drift in known if drift.kind is DriftKind.TITLE_CHANGED}
    lost = {_id(drift.run) for drift in known if drift.kind is DriftKind.MARKER_LOST}
    for marked in runs.all:
        marker = marked.marker
        if not marked.run.is_open:
            continue
        if marker is None:
            # A run with a marker, such as a copy, is not adopted because a line says so.
            if marked.run.id not in lost | declared.adopted:
                yield from _damaged(marked, declared)
            continue
        change = changes.get(declared.keys.get(marker.key, ""))
        if marker.owner not in declared.owners or change is None:
            continue
        if marked.is_copy:
            yield Drift(DriftKind.COPIED, change.key, marked.run, location=change.location)
        elif marked.doubt and marked.run.id not in renamed:
            yield Drift(
                DriftKind.IN_DOUBT,
                change.key,
                marked.run,
                location=change.location,
                message=f"run {marked.run.id} {marked.doubt}",
            )


def _damaged(marked: MarkedRun, declared: _Declared) -> Iterator[Drift]:
    """Yield a marker of ours that can't be read, as far as it still says that it is ours."""
    text = marked.reading.text
    for owner in sorted(declared.owners):
        opening = f"{MARKER_OPENING}{MARKER_VERSION} {owner} "
        if opening in text:
            key = text.partition(opening)[2].partition(" ")[0]
            spec = declared.specs.get(declared.keys.get(key, ""))
            place = None if spec is None else spec.location
            name = "" if spec is None else spec.key
            yield Drift(DriftKind.MARKER_DAMAGED, name, marked.run, location=place)
            return


def _id(run: LiveRun | None) -> int:
    return 0 if run is None else run.id
