"""The decision table: what is live and what is desired of one key decide what is done.

| live                                     | desired            | decided in            |
|------------------------------------------|--------------------|-----------------------|
| any                                      | unmanaged          | `decide`              |
| any number open, or none                 | closed             | `_decide_closed`      |
| none, title free                         | open               | `_decide_missing`     |
| none, title held                         | open               | `_decide_held`        |
| newest open, nothing changed by Git      | open               | `_decide_unchanged`   |
| newest open, changed by Git              | open               | `_decide_replacement` |
| newest closed, another title declared    | open               | `_decide_next`        |
| newest closed, an older one open         | open               | `_decide_newest_closed` |
| newest closed                            | open               | `_decide_newest_closed` |
| open or closed, not declared             | -                  | `orphans.py`          |

A key that needs nothing but has a second open run of one revision stops too: second run.
An unmarked or damaged open run with the title of a run to be made or closed stops the row: marker
lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runs_as_code.model.actions import Action, CloseReason
from runs_as_code.model.desired import Field, IfExists, OnClosed, RunSpec, State
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.plan import Block, Change, FieldDiff, Outcome, Reason
from runs_as_code.planning import rules
from runs_as_code.planning.claims import adoption_block, held_by, lost_markers, second_runs
from runs_as_code.planning.closing import (
    close_action,
    close_older,
    doubts,
    is_due,
    is_revision_approved,
    protection,
    replacement_blocks,
    unverified,
)
from runs_as_code.planning.compare import Comparison, compare, is_title_changed
from runs_as_code.planning.context import Context, Declaration, Member
from runs_as_code.planning.make import (
    Origin,
    build_make,
    choose_title,
    find_origin,
    next_revision,
    own_origin,
)
from runs_as_code.planning.ownership import MarkedRun, Ownership
from runs_as_code.planning.resolve import Resolved

Decided = dict[str, Change]


def decide(ctx: Context, declaration: Declaration, decided: Decided) -> Change:
    """Decide about one declared key; `decided` holds the keys it may be cloned from."""
    spec = declaration.spec
    members = ctx.members(spec)
    newest = members[-1].run if members else None
    if spec.state is State.UNMANAGED:
        return _change(spec, Outcome.UNMANAGED, Reason.DECLARED_UNMANAGED, run=newest)
    if spec.adopt is not None and (block := adoption_block(ctx, spec)) is not None:
        return _change(spec, Outcome.DECIDE, Reason.NOT_ADOPTABLE, run=newest, blocks=(block,))
    if spec.state is State.CLOSED:
        return _decide_closed(ctx, spec, members)
    if not members:
        return _decide_missing(ctx, declaration, decided)
    if members[-1].run.is_open:
        change = _decide_open(ctx, declaration, members)
    else:
        change = _decide_newest_closed(ctx, declaration, members, decided)
    second = () if change.is_pending else second_runs(ctx, spec, members)
    if not second:
        return change
    return replace(change, outcome=Outcome.DECIDE, reason=Reason.SECOND_RUN, blocks=tuple(second))


def needs_names(ctx: Context, spec: RunSpec) -> bool:
    """Whether the decision about this key can need names: never for what is or stays closed."""
    if spec.state is not State.OPEN or not ctx.is_targeted(spec.key):
        return False
    members = ctx.members(spec)
    if not members or any(member.run.is_open for member in members):
        return True
    return _is_next_wanted(ctx, spec, members[-1])


def _decide_closed(ctx: Context, spec: RunSpec, members: Sequence[Member]) -> Change:
    still_open = [member for member in members if member.run.is_open]
    newest = members[-1].run if members else None
    next_title, _ = choose_title(ctx, spec, next_revision(members))
    lost = lost_markers(ctx, spec, next_title, but=members)
    if lost and not still_open:
        return _change(spec, Outcome.DECIDE, Reason.MARKER_LOST, run=newest, blocks=tuple(lost))
    if not still_open:
        return _change(spec, Outcome.KEEP, Reason.NOTHING_TO_CLOSE, run=newest)
    return _change(
        spec,
        Outcome.CLOSE,
        Reason.DECLARED_CLOSED,
        run=still_open[-1].run,
        actions=tuple(close_action(m, spec.key, CloseReason.DECLARED) for m in still_open),
        blocks=(*lost, *protection(spec, still_open), *doubts(ctx, spec, still_open)),
    )


def _decide_missing(ctx: Context, declaration: Declaration, decided: Decided) -> Change:
    spec = declaration.spec
    bearers = ctx.titles.bearers(spec.title)
    if bearers:
        return _decide_held(ctx, declaration, bearers)
    return _make_next(ctx, declaration, (), decided, Reason.NOT_FOUND)


def _decide_held(ctx: Context, declaration: Declaration, bearers: Sequence[MarkedRun]) -> Change:
    """Nothing live is ours, and the declared title is taken."""
    spec = declaration.spec
    holder = min(bearers, key=lambda bearer: (not bearer.run.is_open, bearer.run.id))
    ownership = ctx.ownership(holder)
    place = spec.locations.get("title", spec.location)
    claimed_by = ctx.adopted.get(holder.run.id)
    is_adoptable = ownership is Ownership.UNMARKED and claimed_by is None
    if is_adoptable and holder.run.is_open and spec.if_exists is IfExists.ADOPT:
        return _decide_open(ctx, declaration, (Member(holder),))
    if holder.run.is_open and ownership is Ownership.DAMAGED and claimed_by is None:
        block = rules.marker_lost(spec.key, holder.run, place, is_damaged=True)
        return _change(spec, Outcome.DECIDE, Reason.MARKER_LOST, run=holder.run, blocks=(block,))
    line = "another `title`"
    if is_adoptable and holder.run.is_open:
        line = f"{rules.adopting(holder.run)}, `ifExists: adopt`, or {line}"
    elif is_adoptable:
        line = f"{rules.adopting(holder.run)} if it was this key's, `state: closed`, or {line}"
    elif _may_be_renamed(ctx, spec, holder) and holder.marker is not None:
        line = f"previousKeys: [{holder.marker.key}] if it is the same run, or {line}"
    block = rules.title_held(held_by(ctx, spec, holder, claimed_by), line, place)
    outcome = Outcome.CREATE if spec.clone_from is None else Outcome.CLONE
    return _change(spec, outcome, Reason.TITLE_HELD, run=holder.run, blocks=(block,))


def _may_be_renamed(ctx: Context, spec: RunSpec, holder: MarkedRun) -> bool:
    """Whether the run of a key that is gone may be this key's, and the file does not deny it."""
    is_orphan = holder.marker is not None and holder.marker.key not in ctx.declarations
    return is_orphan and ctx.is_ours(holder) and spec.previous_keys is None


@dataclass(frozen=True, slots=True)
class _OpenRow:
    """A key whose run is open: `newest` is that run, `members` are all runs of the key."""

    spec: RunSpec
    members: Sequence[Member]
    newest: Member
    resolved: Resolved
    unresolved: tuple[Block, ...]
    comparison: Comparison

    @property
    def is_due(self) -> bool:
        """Whether the file wants the run closed because it is complete."""
        return is_due(self.spec, self.newest.run)


def _decide_open(ctx: Context, declaration: Declaration, members: Sequence[Member]) -> Change:
    """The run of the key is open: compare it, then keep, close or replace it."""
    spec = declaration.spec
    newest = [member for member in members if member.run.is_open][-1]
    resolved, unresolved = ctx.resolver.resolve(declaration.manifest, spec)
    comparison = compare(spec, resolved, newest.run, newest.marked.reading, ctx.resolver)
    row = _OpenRow(spec, members, newest, resolved, unresolved, comparison)
    has_new_title = any(diff.field == Field.TITLE for diff in comparison.fields)
    wants_next = bool(comparison.fields) or _is_replacement_asked(ctx, row)
    # A complete run that may close is closed; only another title declares a further run.
    if wants_next and (has_new_title or not row.is_due):
        return _decide_replacement(ctx, row)
    if unresolved and not row.is_due:
        return _change(spec, Outcome.KEEP, Reason.UNRESOLVED, run=newest.run, blocks=unresolved)
    return _decide_unchanged(ctx, row)


def _decide_unchanged(ctx: Context, row: _OpenRow) -> Change:
    spec, newest = row.spec, row.newest
    older, blocks = close_older(ctx, spec, row.members, newest.revision, keep=newest)
    actions: list[Action] = [*older]
    outcome = Outcome.ADOPT if newest.marker is None else Outcome.KEEP
    reason = Reason.ADOPTED if newest.marker is None else Reason.UNCHANGED
    if older:
        outcome, reason = Outcome.CLOSE, Reason.OLDER_REVISIONS
        blocks += unverified(ctx, spec, row.members, newest)
    if row.is_due:
        outcome, reason = Outcome.CLOSE, Reason.COMPLETE
        actions.append(close_action(newest, spec.key, CloseReason.COMPLETE))
        blocks += [*protection(spec, [newest]), *doubts(ctx, spec, [newest])]
        blocks += _adoption_record(spec, newest)
    return _change(
        spec,
        outcome,
        reason,
        run=newest.run,
        fields=row.comparison.fields,
        drift=row.comparison.drift,
        actions=tuple(actions),
        blocks=tuple(blocks),
        notes=_notes(spec, newest),
    )


def _decide_replacement(ctx: Context, row: _OpenRow) -> Change:
    """Make the next revision, then close the run and whatever older ones are still open."""
    spec, members, newest, comparison = row.spec, row.members, row.newest, row.comparison
    revision = next_revision(members)
    # What was never recorded, or is asked for anew, is made from the declared plans.
    is_created = comparison.is_selection_changed or (
        bool(row.resolved.plans) and (newest.marker is None or not comparison.fields)
    )
    origin = None if is_created else own_origin(newest.run, newest.marker)
    make, make_blocks = build_make(
        ctx, spec, row.resolved, members, origin=origin, replaced=newest.run
    )
    ctx.titles.reserve(make.title, ctx.owner, spec.key)
    closes, close_blocks = close_older(ctx, spec, members, revision, keep=newest, is_replaced=True)
    closes.append(
        close_action(newest, spec.key, CloseReason.REPLACED, spec=spec, successor_key=spec.key)
    )
    reason = Reason.FIELDS_CHANGED
    if not comparison.fields:
        reason = Reason.REPLACE_REQUESTED
    elif comparison.is_selection_changed:
        reason = Reason.SELECTION_CHANGED
    return _change(
        spec,
        Outcome.REPLACE_BY_CREATE if is_created else Outcome.REPLACE_BY_CLONE,
        reason,
        run=newest.run,
        fields=comparison.fields,
        drift=comparison.drift,
        actions=(make, *closes),
        blocks=(
            *row.unresolved,
            *lost_markers(ctx, spec, make.title, but=[newest] if newest.marker else ()),
            *make_blocks,
            *doubts(ctx, spec, [newest]),
            *replacement_blocks(ctx, spec, newest, revision, is_of_revision=True),
            *_adoption_record(spec, newest),
            *close_blocks,
        ),
    )


def _adoption_record(spec: RunSpec, newest: Member) -> list[Block]:
    """Ask for `adopt` where a run that is known by its title only is to be replaced or closed.

    The next revision bears another title, so that after a crash nothing would close this run; and
    a closed run is nobody's by its title, so that once closed it would be in its own key's way.
    """
    if newest.marker is not None or spec.adopt == newest.run.id:
        return []
    return [rules.adopted_by_title(spec.key, newest.run, spec.location)]


def _decide_newest_closed(
    ctx: Context, declaration: Declaration, members: Sequence[Member], decided: Decided
) -> Change:
    spec = declaration.spec
    newest = members[-1]
    if _is_next_wanted(ctx, spec, newest):
        is_renamed = is_title_changed(spec, newest.run, newest.marker)
        reason = Reason.TITLE_CHANGED if is_renamed else Reason.RECREATED
        return _make_next(ctx, declaration, members, decided, reason)
    next_title, _ = choose_title(ctx, spec, next_revision(members))
    if lost := lost_markers(ctx, spec, next_title):
        return _change(spec, Outcome.DECIDE, Reason.MARKER_LOST, run=newest.run, blocks=tuple(lost))
    still_open = [member for member in members if member.run.is_open]
    if not still_open and is_due(spec, newest.run):
        return _change(spec, Outcome.KEEP, Reason.COMPLETED, run=newest.run)
    if not still_open:
        return _change(spec, Outcome.STAY_CLOSED, Reason.CLOSED_BY_SOMEBODY, run=newest.run)
    if ctx.is_approved(spec.key):
        return _decide_open(ctx, declaration, members)
    block = rules.successor_closed(
        spec.key,
        newest.run,
        still_open[-1].run,
        spec.location,
        is_due=is_due(spec, newest.run),
    )
    return _change(spec, Outcome.DECIDE, Reason.SUCCESSOR_CLOSED, run=newest.run, blocks=(block,))


def _make_next(
    ctx: Context,
    declaration: Declaration,
    members: Sequence[Member],
    decided: Decided,
    reason: Reason,
) -> Change:
    """Create or clone the next revision where no run of the key is to be replaced."""
    spec = declaration.spec
    resolved, unresolved = ctx.resolver.resolve(declaration.manifest, spec)
    blocks: list[Block] = list(unresolved)
    origin: Origin | None = None
    outcome = Outcome.CREATE if spec.clone_from is None else Outcome.CLONE
    run = members[-1].run if members else None
    if spec.clone_from is not None:
        found = find_origin(ctx, spec, spec.clone_from, decided)
        if isinstance(found, Block):
            return _change(spec, outcome, reason, run=run, blocks=(*blocks, found))
        origin = found
    elif not spec.query_plans:
        # An adopted run whose selection nobody declared: only a clone of itself can follow it.
        origin = own_origin(members[-1].run, members[-1].marker)
    make, make_blocks = build_make(ctx, spec, resolved, members, origin=origin)
    ctx.titles.reserve(make.title, ctx.owner, spec.key)
    closes, close_blocks = close_older(
        ctx, spec, members, make.revision, keep=None, is_replaced=True
    )
    blocks += [*lost_markers(ctx, spec, make.title), *make_blocks, *close_blocks]
    return _change(spec, outcome, reason, run=run, actions=(make, *closes), blocks=tuple(blocks))


def _is_next_wanted(ctx: Context, spec: RunSpec, newest: Member) -> bool:
    return (
        is_title_changed(spec, newest.run, newest.marker)
        or (spec.on_closed is OnClosed.RECREATE and not is_due(spec, newest.run))
        or ctx.is_replacement_asked(spec.key)
    )


def _is_replacement_asked(ctx: Context, row: _OpenRow) -> bool:
    if ctx.is_replacement_asked(row.spec.key):
        return True
    # Without a marker nothing can differ "by Git", so `replace: rN` itself asks.
    is_adopted = row.newest.marker is None
    return is_adopted and is_revision_approved(row.spec, next_revision(row.members))


def _notes(spec: RunSpec, newest: Member) -> tuple[str, ...]:
    marker = newest.marker
    if spec.query_plans and (marker is None or marker.selection == UNKNOWN):
        return ("selection: unknown, not applied",)
    if marker is not None and marker.is_protected != spec.protect:
        verb = "protects" if marker.is_protected else "does not protect"
        return (
            f"the run's marker {verb} it; once the key is gone from the file, the marker decides",
        )
    return ()


def _change(  # noqa: PLR0913  the fields of a Change, named at each call
    spec: RunSpec,
    outcome: Outcome,
    reason: Reason,
    *,
    run: LiveRun | None,
    fields: tuple[FieldDiff, ...] = (),
    drift: tuple[FieldDiff, ...] = (),
    actions: tuple[Action, ...] = (),
    blocks: tuple[Block, ...] = (),
    notes: tuple[str, ...] = (),
) -> Change:
    return Change(
        key=spec.key,
        outcome=outcome,
        reason=reason,
        title=spec.title or (run.title if run else ""),
        location=spec.location,
        run=run,
        fields=fields,
        drift=drift,
        actions=actions,
        blocks=blocks,
        notes=notes,
    )
