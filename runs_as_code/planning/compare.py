"""The three-way comparison: desired, live, and the marker as the record of what was applied.

| desired vs live | desired vs marker | what it is      |
|-----------------|-------------------|-----------------|
| equal           | any               | nothing         |
| differs         | differs           | changed by Git  |
| differs         | equal             | drift           |

Without a marker (an adopted run) nothing was recorded, so every difference is drift.
"""

from dataclasses import dataclass

from runs_as_code.model.desired import Field, RunSpec
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import UNKNOWN, Marker
from runs_as_code.model.marking import Reading
from runs_as_code.model.plan import FieldDiff, Value
from runs_as_code.model.text import normal_form
from runs_as_code.planning.digest import text_digest
from runs_as_code.planning.resolve import Resolved, Resolver


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between a run and its declaration, by who made the difference."""

    fields: tuple[FieldDiff, ...] = ()
    drift: tuple[FieldDiff, ...] = ()
    is_selection_changed: bool = False


def compare(
    spec: RunSpec, resolved: Resolved, run: LiveRun, reading: Reading, resolver: Resolver
) -> Comparison:
    """Compare a declared run with its live run; fields in `ignoreChanges` are left out."""
    marker = reading.marker
    diffs = [
        *_title(spec, run, marker),
        *_description(spec, reading),
        *_milestone(spec, resolved, run, marker, resolver),
        *_by_id(
            Field.ASSIGNEE,
            resolved.assignee,
            resolver.user_value(run.assignee_id),
            marker.assignee if marker else None,
        ),
        *_selection(spec, resolved, run, marker, resolver),
    ]
    kept = [(by_git and marker is not None, diff) for by_git, diff in diffs if _counts(spec, diff)]
    return Comparison(
        fields=tuple(diff for by_git, diff in kept if by_git),
        drift=tuple(diff for by_git, diff in kept if not by_git),
        is_selection_changed=any(
            by_git and diff.field in {Field.TYPE, Field.QUERY_PLANS} for by_git, diff in kept
        ),
    )


def is_title_changed(spec: RunSpec, run: LiveRun, marker: Marker | None) -> bool:
    """Whether Git declares another title than the one the marker records and the run bears."""
    if marker is None or Field.TITLE in spec.ignore_changes:
        return False
    return any(by_git for by_git, _ in _title(spec, run, marker))


_Diff = tuple[bool, FieldDiff]


def _counts(spec: RunSpec, diff: FieldDiff) -> bool:
    name = Field.QUERY_PLANS if diff.field == Field.TYPE else diff.field
    return name not in spec.ignore_changes


def _title(spec: RunSpec, run: LiveRun, marker: Marker | None) -> list[_Diff]:
    if normal_form(run.title) == normal_form(spec.title):
        return []
    diff = FieldDiff(Field.TITLE, Value(run.title), Value(spec.title))
    if marker is None:
        return [(False, diff)]
    if marker.title != text_digest(spec.title):
        return [(True, diff)]
    # A suffixed title is what the run was given, so only another one is drift.
    return [] if marker.own_title == text_digest(run.title) else [(False, diff)]


def _description(spec: RunSpec, reading: Reading) -> list[_Diff]:
    if spec.description is None:
        return []
    desired = normal_form(spec.description)
    if reading.text == desired:
        return []
    diff = FieldDiff(Field.DESCRIPTION, Value(reading.text), Value(desired))
    by_git = reading.marker is not None and reading.marker.description != text_digest(desired)
    return [(by_git, diff)]


def _by_id(field: Field, desired: Value | None, live: Value, recorded: int | None) -> list[_Diff]:
    if desired is None or desired.id is None or desired.id == live.id:
        return []
    return [(desired.id != recorded, FieldDiff(field, live, desired))]


def _milestone(
    spec: RunSpec, resolved: Resolved, run: LiveRun, marker: Marker | None, resolver: Resolver
) -> list[_Diff]:
    """Compare by id, but let a title that people gave to another milestone be no change by Git."""
    desired, live = resolved.milestone, resolver.milestone_value(run.milestone_id)
    recorded = marker.milestone if marker else None
    if resolved.is_milestone_archived and resolver.is_milestone_named(live.id, spec.milestone):
        return []
    if desired is not None and resolver.is_milestone_named(recorded, spec.milestone):
        recorded = desired.id
    return _by_id(Field.MILESTONE, desired, live, recorded)


def _selection(
    spec: RunSpec, resolved: Resolved, run: LiveRun, marker: Marker | None, resolver: Resolver
) -> list[_Diff]:
    if resolved.selection == UNKNOWN or spec.type is None:
        return []
    type_diff = FieldDiff(Field.TYPE, Value(run.type), Value(spec.type))
    has_other_type = run.type != spec.type
    if marker is None or marker.selection == UNKNOWN:
        # Nothing is recorded of the selection: an edit of it is unknown and not applied.
        return [(False, type_diff)] if has_other_type else []
    if marker.selection == resolved.selection:
        return [(False, type_diff)] if has_other_type else []
    if has_other_type:
        return [(True, type_diff)]
    return [(True, FieldDiff(Field.QUERY_PLANS, Value(), Value(resolver.words(spec.query_plans))))]
