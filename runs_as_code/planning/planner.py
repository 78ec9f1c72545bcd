"""Build the plan of one project: one decision per key, then the rules that look at all of them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from runs_as_code.model.desired import LeftOut, Limits, Manifest
from runs_as_code.model.live import Catalog, Listing, LiveRun, NamesNeeded
from runs_as_code.model.plan import Approvals, Block, Change, Plan, ProjectPlan, Reason
from runs_as_code.model.restraint import Frozen
from runs_as_code.planning import policy, restraints, rules
from runs_as_code.planning.context import Context, Member, Place, Titles, spellings
from runs_as_code.planning.dependencies import settle, wanted_sources
from runs_as_code.planning.orphans import decide_orphans, suspect_renames
from runs_as_code.planning.overlaps import withhold_claimed
from runs_as_code.planning.ownership import Ownership, ProjectRuns
from runs_as_code.planning.resolve import Resolver, names_needed
from runs_as_code.planning.table import decide, needs_names


@dataclass(frozen=True, slots=True)
class ProjectInput:
    """What is desired of one project and what is live in it.

    `left_out` are manifests that lie beside the given ones but were not given, `frozen` holds the
    owners for whom it is a freeze window now.
    """

    server: str
    project: str
    manifests: tuple[Manifest, ...]
    listing: Listing
    left_out: tuple[LeftOut, ...] = ()
    frozen: Mapping[str, Frozen] = field(default_factory=dict)


class ProjectPlanner:
    """Plans one project: says which names it needs, then decides."""

    def __init__(self, given: ProjectInput, approvals: Approvals) -> None:
        self._given = given
        self._approvals = approvals
        self._runs = ProjectRuns(given.listing.runs)

    def names_needed(self) -> NamesNeeded:
        """Say which names the plan will ask for, each kind only where a key can need it."""
        needed = [
            (declaration.manifest, declaration.spec)
            for ctx in self._contexts(Catalog())
            for declaration in ctx.declarations.values()
            if needs_names(ctx, declaration.spec)
        ]
        return names_needed(needed, self._given.listing.runs)

    def plan(self, catalog: Catalog) -> tuple[ProjectPlan, ...]:
        """Plan each owner of the project; the same input gives the same plans.

        Each key is decided by itself. What one key may do to another's run is ruled over all keys
        of all owners, so that no owner's plan ends what another's waits for.
        """
        contexts = self._contexts(catalog)
        decided: dict[Place, Change] = {}
        sources: dict[Place, int] = {}
        declared = {(ctx.owner, key) for ctx in contexts for key in ctx.declarations}
        for ctx in contexts:
            changes = self._decide(ctx, declared)
            decided |= {(ctx.owner, key): change for key, change in changes.items()}
            wanted = wanted_sources(ctx, changes)
            sources |= {(ctx.owner, key): run_id for key, run_id in wanted.items()}
        decided = suspect_renames(contexts, decided)
        decided = withhold_claimed(contexts, decided, self._given.left_out)
        for ctx in contexts:
            decided = restraints.withhold_by_policy(ctx, decided)
        settled = settle(decided, sources)
        changes_of = _by_owner(contexts, settled)
        refusals = {ctx.owner: self._refusals(ctx, changes_of[ctx.owner]) for ctx in contexts}
        if refused := {owner for owner, blocks in refusals.items() if blocks}:
            changes_of = _by_owner(contexts, settle(settled, sources, refused))
        return tuple(
            self._plan_owner(ctx, changes_of[ctx.owner], refusals[ctx.owner]) for ctx in contexts
        )

    def _contexts(self, catalog: Catalog) -> list[Context]:
        titles = Titles(self._runs, self._given.manifests)
        resolver = Resolver(catalog, [marked.run for marked in self._runs.all])
        owners: dict[str, list[Manifest]] = {}
        for manifest in sorted(self._given.manifests, key=lambda m: (m.owner, m.file)):
            owners.setdefault(manifest.owner, []).append(manifest)
        return [
            Context(tuple(manifests), self._runs, titles, resolver, self._approvals)
            for manifests in owners.values()
        ]

    def _decide(self, ctx: Context, declared: Collection[Place]) -> dict[str, Change]:
        """Decide about each key of an owner, those included that are among no `declared`."""
        decided: dict[str, Change] = {}
        for key in _in_order(ctx):
            if ctx.is_targeted(key):
                decided[key] = decide(ctx, ctx.declarations[key], decided)
        left_out = [left.file for left in self._given.left_out if left.owner == ctx.owner]
        for orphan in decide_orphans(ctx, left_out, declared):
            decided[orphan.key] = orphan
        return decided

    def _refusals(self, ctx: Context, changes: Sequence[Change]) -> tuple[Block, ...]:
        limits = Limits(
            close=min(manifest.limits.close for manifest in ctx.manifests),
            percent=min(manifest.limits.percent for manifest in ctx.manifests),
        )
        frozen = self._given.frozen.get(ctx.owner)
        return (
            *policy.incomplete_listing(self._given.listing),
            *policy.empty_manifest(ctx, changes),
            *policy.too_many_closes(ctx, changes, limits),
            *restraints.freeze_refusal(frozen, changes, reason=self._approvals.ignore_freeze),
        )

    def _plan_owner(
        self, ctx: Context, changes: tuple[Change, ...], refusals: tuple[Block, ...]
    ) -> ProjectPlan:
        frozen = self._given.frozen.get(ctx.owner)
        ignored = self._approvals.ignore_freeze
        return ProjectPlan(
            server=self._given.server,
            project=self._given.project,
            owner=ctx.owner,
            changes=changes,
            refusals=refusals,
            unmanaged=_unmanaged(ctx, changes),
            notes=(*_notes(ctx), *restraints.freeze_note(frozen, ignored)),
            policy=restraints.strictest(ctx.manifests).policy,
            freeze=restraints.freeze_of(ctx.manifests),
        )


def assemble(projects: Iterable[ProjectPlan], approvals: Approvals, created_at: str) -> Plan:
    """Put the plans of several projects together; an approved number of closes is for all."""
    ordered = sorted(projects, key=lambda plan: (plan.server, plan.project, plan.owner))
    count = sum(policy.counted_closes(plan.changes) for plan in ordered)
    wrong = policy.wrong_approval(approvals.closes, count)
    keys = Counter(change.key for plan in ordered for change in plan.changes)
    return Plan(
        created_at=created_at,
        projects=tuple(
            replace(
                plan,
                refusals=(*policy.approvable(plan.refusals, count), *wrong),
                changes=_told_apart(plan, keys),
            )
            for plan in ordered
        ),
    )


def _told_apart(plan: ProjectPlan, keys: Mapping[str, int]) -> tuple[Change, ...]:
    """Let the flags name project and owner as well, where several plans have the key."""
    return tuple(
        change
        if not change.blocks or keys[change.key] == 1
        else replace(
            change,
            blocks=tuple(
                replace(b, flag=rules.approve(spellings(plan.project, plan.owner, change.key)[-1]))
                if b.flag == rules.approve(change.key)
                else b
                for b in change.blocks
            ),
        )
        for change in plan.changes
    )


def _by_owner(
    contexts: Iterable[Context], changes: Mapping[Place, Change]
) -> dict[str, tuple[Change, ...]]:
    """Return the changes of each owner, sorted by key."""
    grouped: dict[str, list[Change]] = {ctx.owner: [] for ctx in contexts}
    for place in sorted(changes):
        grouped[place[0]].append(changes[place])
    return {owner: tuple(group) for owner, group in grouped.items()}


def _in_order(ctx: Context) -> list[str]:
    """Return the declared keys, each after the key it is cloned from, else alphabetically."""
    keys = sorted(ctx.declarations)
    specs = [(key, ctx.declarations[key].spec) for key in keys]
    clones = {key: spec.clone_from for key, spec in specs if spec.clone_from is not None}
    by_title = {key: ctx.source_key(source) for key, source in clones.items()}
    by_key = {key: source.key for key, source in clones.items()}
    # Titles may name each other in a circle; validate refuses that for keys only.
    for named in (by_title, by_key):
        sources = {k: {n} for k, n in named.items() if n and n in ctx.declarations and n != k}
        order = _sources_first(sources)
        if order is not None:
            return [*(k for k in keys if k not in sources), *(k for k in order if k in sources)]
    return keys


def _sources_first(sources: dict[str, set[str]]) -> list[str] | None:
    try:
        return list(TopologicalSorter(sources).static_order())
    except CycleError:
        return None


def _unmanaged(ctx: Context, changes: Iterable[Change]) -> tuple[LiveRun, ...]:
    # A run that is adopted by its title is no line of the file, but the run of a decision.
    by_title = {c.run.id for c in changes if c.run and c.reason not in _HOLDERS}
    return tuple(
        marked.run
        for marked in ctx.runs.all
        if marked.run.is_open
        and marked.run.id not in ctx.adopted
        and marked.run.id not in by_title
        and ctx.ownership(marked) in {Ownership.UNMARKED, Ownership.DAMAGED}
    )


_HOLDERS = frozenset({Reason.TITLE_HELD, Reason.MARKER_LOST})
"""Decisions that show the run in the way and not the run of their key."""


def _notes(ctx: Context) -> tuple[str, ...]:
    """Say which `ownerAliases` and `previousKeys` lines have done their work."""
    notes = []
    for alias in sorted(ctx.aliases):
        carriers = [
            member
            for key in sorted(ctx.declarations)
            for member in _last_words(ctx, key)
            if member.marker is not None and member.marker.owner == alias
        ]
        orphans = [m for found in ctx.orphans().values() for m in found]
        carriers += [m for m in orphans if m.marker is not None and m.marker.owner == alias]
        if not carriers:
            notes.append(f"ownerAliases: `{alias}` may go: no run depends on it any more")
    renamed = [key for key, d in ctx.declarations.items() if d.spec.previous_keys]
    for key in sorted(renamed):
        carried = {m.marker.key for m in _last_words(ctx, key) if m.marker is not None}
        notes += [
            f"previousKeys of `{key}`: `{old}` may go: no run depends on it any more"
            for old in ctx.declarations[key].spec.previous_keys or ()
            if old not in carried
        ]
    return tuple(notes)


def _last_words(ctx: Context, key: str) -> list[Member]:
    """Return the runs of a key that decide about it: the open ones and the newest."""
    members = ctx.members(ctx.declarations[key].spec)
    return [m for m in members if m.run.is_open or m is members[-1]]
