"""Random projects with a past, brought to agree with their files, and edits by people."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from builders import CLOSED_AT, live, marker_of
from hypothesis import strategies as st
from randomworlds import (
    COUNTS,
    IS_THOROUGH,
    KEYS,
    ORPHANS,
    PLAIN_TITLE,
    TITLES,
    Case,
    draw_manifests,
    draw_world,
    foreseen,
    seldom,
)
from toyworld import EMAILS, World, apply_plans

from runs_as_code.model.desired import (
    CloseWhen,
    Field,
    IfExists,
    Manifest,
    OnClosed,
    Prune,
    RunSpec,
)
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.marking import read_description

EVERYTHING = {"keys": frozenset(KEYS + ORPHANS), "allow_empty": True}


@dataclass(frozen=True)
class Story:
    """A project that agrees with its files, and the same after one edit by a person."""

    case: Case
    edit: str
    edited: World

    def __repr__(self) -> str:
        after = [self.edited.runs[run_id] for run_id in self.edited.runs]
        changed = [run for run in after if self.case.world.runs.get(run.id) != run]
        return f"{self.case!r}\n{self.edit}: {changed}"

    def _repr_pretty_(self, printer: st.DataObject, cycle: bool) -> None:  # noqa: FBT001  a protocol
        """Let hypothesis print it the same way."""
        printer.text(repr(self))


def stories() -> st.SearchStrategy[Story]:
    """Draw stories: slowly and so that they shrink, or fast for a long campaign."""
    if IS_THOROUGH:
        return st.integers(0, 2**64).map(lambda seed: draw_story(Random(seed)))  # noqa: S311  no secret
    return st.randoms(use_true_random=False).map(draw_story)


def draw_story(rng: Random) -> Story:
    """Draw a past of some manifests, bring the last to agree with its world, edit one run."""
    manifests = draw_manifests(rng)
    world = draw_world(rng, manifests)
    world.ignores_assignee = False
    has_only_natural_runs = seldom(rng, 1)
    if has_only_natural_runs:
        world.runs = {}
    for _ in range(rng.randint(1, 3)):
        case = Case(_foreseen(manifests, world), world, EVERYTHING)
        world = _settled(case)
        manifests = _next_manifests(rng, manifests)
    case = _agreeing(Case(case.manifests, world, EVERYTHING))
    name = rng.choice([name for name in EDITS if has_only_natural_runs or name != "destroy_marker"])
    edited = case.world.copy()
    if edited.runs:
        EDITS[name](rng, case, edited)
    # What was approved for one apply is not approved for the next.
    return Story(replace(case, approvals={}), name, edited)


def _foreseen(manifests: tuple[Manifest, ...], world: World) -> tuple[Manifest, ...]:
    return tuple(
        replace(m, runs=tuple(foreseen(spec, m, manifests, world) for spec in m.runs))
        for m in manifests
    )


def _settled(case: Case) -> World:
    world = case.world.copy()
    apply_plans(case.plan().projects, world)
    return world


def _next_manifests(rng: Random, earlier: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Draw manifests in which most keys are declared as they were."""
    kept = {(m.owner, s.key): s for m in earlier for s in m.runs if not (s.adopt or seldom(rng, 2))}
    titles = {spec.title.casefold() for spec in kept.values()}
    result = []
    for manifest in draw_manifests(rng):
        runs = []
        for spec in manifest.runs:
            old = kept.get((manifest.owner, spec.key))
            title = spec.title
            if title.casefold() in titles:
                title = f"{title[:100]} {manifest.file}{spec.key}"
            runs.append(old or replace(spec, title=title))
        result.append(replace(manifest, runs=tuple(runs)))
    return tuple(result)


def _agreeing(case: Case) -> Case:
    """Drop from the files what waits for a decision, until nothing does."""
    for _ in range(6):
        plan = case.plan()
        withheld = {(p.owner, c.key) for p in plan.projects for c in p.changes if c.is_withheld}
        case = Case(
            tuple(_without(m, withheld, case.world) for m in case.manifests),
            _settled(case),
            EVERYTHING,
        )
        if not case.plan().is_pending:
            break
    return case


def _without(manifest: Manifest, keys: set[tuple[str, str]], world: World) -> Manifest:
    runs = tuple(
        spec
        for spec in manifest.runs
        if (manifest.owner, spec.key) not in keys and _is_recorded(manifest, spec, world)
    )
    has_kept = any(owner == manifest.owner for owner, _ in keys)
    return replace(manifest, runs=runs, prune=Prune.KEEP if has_kept else manifest.prune)


def _is_recorded(manifest: Manifest, spec: RunSpec, world: World) -> bool:
    """Whether the newest run's marker says what the file says.

    A file that was changed to what a person had made of the run before leaves no trace in it, so
    that a further edit looks like the change of the file that it contradicts.
    """
    keys = {spec.key, *(spec.previous_keys or ())}
    owners = {manifest.owner, *manifest.owner_aliases}
    marker = None
    for run_id in sorted(world.runs):
        found = read_description(world.runs[run_id].description).marker
        if found and found.owner in owners and found.key in keys:
            marker = found
    return marker is None or _says(marker, spec)


def _says(marker: Marker, spec: RunSpec) -> bool:
    expected = marker_of(spec)
    managed = {
        Field.TITLE: (marker.title, expected.title),
        Field.DESCRIPTION: (marker.description, expected.description),
        Field.MILESTONE: (marker.milestone, expected.milestone),
        Field.ASSIGNEE: (marker.assignee, expected.assignee),
    }
    unmanaged = {
        *spec.ignore_changes,
        *([Field.DESCRIPTION] if spec.description is None else []),
        *([Field.MILESTONE] if spec.milestone is None else []),
        *([Field.ASSIGNEE] if spec.assignee is None else []),
    }
    return all(one == other for name, (one, other) in managed.items() if name not in unmanaged)


Edit = Callable[[Random, Case, World], None]


def _any_run(rng: Random, world: World) -> LiveRun:
    return world.runs[rng.choice(sorted(world.runs))]


def _specs(case: Case) -> list[RunSpec]:
    return [spec for manifest in case.manifests for spec in manifest.runs]


def rename(rng: Random, case: Case, world: World) -> None:
    """Give a run another title; one that is adopted by its title has no other identity."""
    run = _any_run(rng, world)
    title = world.stored_title(rng.choice([*TITLES, f"{run.title[:200]} (r2)", "Mine"]))
    by_title = any(spec.if_exists is IfExists.ADOPT for spec in _specs(case))
    is_marked = "[qarun:" in run.description
    if not world.is_taken(title, run.milestone_id) and (is_marked or not by_title):
        world.put(replace(run, title=title))


def reassign(rng: Random, _case: Case, world: World) -> None:
    """Give a run to somebody else, or to nobody."""
    user = rng.choice([None, 7, 8])
    world.put(replace(_any_run(rng, world), assignee_id=user, assignee_email=EMAILS.get(user or 0)))


def move(rng: Random, _case: Case, world: World) -> None:
    """Move a run to another milestone."""
    run = replace(_any_run(rng, world), milestone_id=rng.choice([None, 5, 6]))
    world.put(replace(run, is_milestone_archived=False))


def describe(rng: Random, _case: Case, world: World) -> None:
    """Write something before or behind the marker."""
    run = _any_run(rng, world)
    text = rng.choice([f"By hand. {run.description}", f"{run.description} <b>By hand</b>"])
    world.put(replace(run, description=text))


def destroy_marker(rng: Random, case: Case, world: World) -> None:
    """Delete the description, or break the marker in it.

    Only its title tells then whose the run was, so this is drawn only where all titles were given,
    and does nothing where a file lets the titles of runs and declarations go apart.
    """
    run = _any_run(rng, world)
    text = rng.choice(["", run.description.replace(" s", "s"), run.description * 2])
    go_apart = any(
        Field.TITLE in spec.ignore_changes or spec.replace_title != PLAIN_TITLE
        for spec in _specs(case)
    )
    if not go_apart:
        world.put(replace(run, description=text))


def close(rng: Random, case: Case, world: World) -> None:
    """Close a run, unless a file says that it comes again."""
    run = _any_run(rng, world)
    if run.is_open and all(spec.on_closed is OnClosed.LEAVE for spec in _specs(case)):
        world.put(replace(run, closed_at=CLOSED_AT))


def work(rng: Random, case: Case, world: World) -> None:
    """Record results or time, all that are left only where no file waits for that."""
    run = _any_run(rng, world)
    waits = any(spec.close_when is CloseWhen.COMPLETE for spec in _specs(case))
    counts = rng.choice(COUNTS[:2] if waits else COUNTS[:3])
    if run.is_open:
        world.put(replace(run, counts=counts, time_spent=rng.choice([None, 5])))


def clone(rng: Random, _case: Case, world: World) -> None:
    """Clone a run in the web page, which copies its description."""
    run = _any_run(rng, world)
    title = world.stored_title(rng.choice([run.title, f"{run.title[:200]} (r2)", "Copy"]))
    if not world.is_taken(title, run.milestone_id):
        world.put(replace(run, id=world.next_id(), title=title, closed_at=None, counts=COUNTS[0]))


def create(rng: Random, _case: Case, world: World) -> None:
    """Create a run in the web page, maybe with a title that a file will want next."""
    base = _any_run(rng, world).title[:200]
    title = world.stored_title(rng.choice([base, f"{base} (r2)", f"{base} (r3)", *TITLES]))
    if not world.is_taken(title, None):
        world.put(live(world.next_id(), title))


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (rename, reassign, move, describe, destroy_marker, close, work, clone, create)
}
