"""Drift as text and JSON: what was changed, in which run, and the two ways out of each."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from runs_as_code.model.drift import Drift, DriftKind, DriftReport, ProjectDrift
from runs_as_code.model.plan import Value
from runs_as_code.report.changes import MESSAGE_LIMIT
from runs_as_code.report.codec import encode
from runs_as_code.report.document import FORMAT_VERSION
from runs_as_code.report.fields import both_words
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.safe import quoted, safe
from runs_as_code.report.style import Colour, Style, Symbol
from runs_as_code.report.summary import summarize, summary_words
from runs_as_code.report.text import project_words
from runs_as_code.report.words import TITLE_LIMIT, closing_words, count

DRIFT_KIND = "qarun.drift"

_FIELD_HINT = "write it into the file to accept it; `qarun apply --replace {key}` makes it anew"
_HINTS = {
    DriftKind.CLOSED_BY_HAND: "`state: closed` accepts it; `onClosed: recreate` or another title"
    " makes a new run",
    DriftKind.SUCCESSOR_CLOSED: "`state: closed` closes the older ones too; another title makes a"
    " new run",
    DriftKind.MARKER_LOST: "`adopt: {{run: {run}}}` takes it under management again",
    DriftKind.MARKER_DAMAGED: "put the marker right in its description, or close the run",
    DriftKind.TITLE_TAKEN: "`adopt: {{run: {run}}}` takes it under management; else give one of the"
    " two another title",
    DriftKind.IN_DOUBT: "give it its title back; `qarun apply --approve {key}` lets it be closed or"
    " replaced as it is",
    DriftKind.CASES_CHANGED: "`qarun apply --replace {key}` makes it anew, of what is found today",
    DriftKind.COPIED: "qarun leaves it alone: close it, or take the marker out of its description;"
    " then `adopt: {{run: {run}}}` makes it a run of its own",
}


def render_drift(report: DriftReport, style: Style) -> str:
    """Return the drift for people; what Git wants to change is only counted."""
    lines = [project_words(project.plan) for project in report.projects]
    lines += [style.paint(drift_headline(report), Colour.BOLD)]
    for project in report.projects:
        if len(report.projects) > 1 and project.found:
            lines += ["", style.paint(project_words(project.plan), Colour.BOLD)]
        lines += _project_lines(project, style)
    lines += ["", *rest_lines(report)] if rest_lines(report) else []
    return "\n".join([*lines, ""])


def drift_headline(report: DriftReport) -> str:
    """Say in one line how much drift there is."""
    checked = count(sum(len(project.checked) for project in report.projects), "run")
    kinds = Counter(drift.kind for drift in report.found)
    if not kinds:
        return f"No drift. {checked} checked."
    listed = ", ".join(f"{kinds[kind]} {kind.value}" for kind in DriftKind if kinds[kind])
    return f"Drift: {listed}; {checked} checked"


def rest_lines(report: DriftReport) -> list[str]:
    """Say what is no drift, and what could not be compared."""
    lines = []
    unclear = [key for project in report.projects for key in project.unclear]
    if unclear:
        keys = ", ".join(quoted(key, NAME_LIMIT) for key in unclear[:10])
        lines.append(f"Not compared in full, a name does not resolve: {keys}")
    changes = [change for project in report.projects for change in project.plan.changes]
    pending = [change for change in changes if change.is_pending]
    if pending:
        words = summary_words(summarize(pending))
        lines.append(f"Besides, `qarun plan` has: {words.partition('; drift')[0]}")
    return lines


def drift_message(drift: Drift, names: Names) -> str:
    """Say what was changed."""
    if drift.diff is not None:
        live, declared = both_words(drift.diff)
        return f"{declared} -> {live}"
    if drift.kind is DriftKind.CLOSED_BY_HAND and drift.run is not None:
        return closing_words(drift.run, names)
    if drift.message:
        return safe(drift.message, MESSAGE_LIMIT)
    title = quoted("" if drift.run is None else drift.run.title, TITLE_LIMIT)
    if drift.kind is DriftKind.COPIED:
        return f"{_run(drift)} {title} is a copy that somebody made"
    return f"the marker of {_run(drift)} {title} can't be read any more"


def drift_hint(drift: Drift) -> str:
    """Say what to do about it."""
    run = "ID" if drift.run is None else drift.run.id
    return _HINTS.get(drift.kind, _FIELD_HINT).format(key=safe(drift.key, NAME_LIMIT), run=run)


def drift_to_json(report: DriftReport, *, tool_version: str) -> dict[str, Any]:
    """Return drift as a document."""
    kinds = Counter(drift.kind for drift in report.found)
    return {
        "formatVersion": FORMAT_VERSION,
        "kind": DRIFT_KIND,
        "tool": {"name": "qarun", "version": tool_version},
        "createdAt": report.created_at,
        "summary": {
            "checked": sum(len(project.checked) for project in report.projects),
            "drift": bool(report.found),
            "found": len(report.found),
            "kinds": {kind.value: kinds[kind] for kind in DriftKind},
        },
        "projects": [_project_data(project) for project in report.projects],
    }


def by_key(found: Iterable[Drift]) -> Iterator[tuple[str, list[Drift]]]:
    """Group drift by the key it is of."""
    for key, group in groupby(found, key=lambda drift: drift.key):
        yield key, list(group)


def _project_lines(project: ProjectDrift, style: Style) -> Iterator[str]:
    names = Names(project.plan)
    for key, group in by_key(project.found):
        shown = safe(key, NAME_LIMIT) if key else "(key unknown)"
        title = safe(names.title(key), TITLE_LIMIT)
        name = style.paint(shown, Colour.BOLD)
        yield ""
        yield f"{style.column(Symbol.DRIFT)} {name}" + (f": {title}" if title else "")
        place = next((drift.location for drift in group if drift.location is not None), None)
        if place is not None:
            yield f"    {style.paint(safe(str(place), MESSAGE_LIMIT), Colour.DIM)}"
        for drift in group:
            kind = style.paint(drift.kind.value, Colour.YELLOW)
            yield f"      {kind}: {drift_message(drift, names)}"
            yield f"        {drift_hint(drift)}"


def _project_data(project: ProjectDrift) -> dict[str, Any]:
    names = Names(project.plan)
    return {
        "server": project.plan.server,
        "project": project.plan.project,
        "owner": project.plan.owner,
        "checked": list(project.checked),
        "unclear": list(project.unclear),
        "drift": [_drift_data(drift, names) for drift in project.found],
    }


def _drift_data(drift: Drift, names: Names) -> dict[str, Any]:
    run, diff = drift.run, drift.diff
    return {
        "key": drift.key or None,
        "kind": drift.kind.value,
        "message": drift_message(drift, names),
        "hint": drift_hint(drift),
        "runId": None if run is None else run.id,
        "runTitle": None if run is None else run.title,
        "closedAt": None if run is None else run.closed_at,
        "closedBy": None if run is None else run.closed_by,
        "field": None if diff is None else diff.field,
        "declared": None if diff is None else _value(diff.new),
        "live": None if diff is None else _value(diff.old),
        "location": encode(drift.location),
    }


def _value(value: Value) -> dict[str, Any]:
    return {"name": value.name, "id": value.id}


def _run(drift: Drift) -> str:
    return "a run" if drift.run is None else f"run {drift.run.id}"
