"""Drift for pipelines: the text of one issue, a test case for each run, annotations."""

from runs_as_code.model.drift import Drift, DriftReport, ProjectDrift
from runs_as_code.report.changes import MESSAGE_LIMIT
from runs_as_code.report.drifting import (
    by_key,
    drift_headline,
    drift_hint,
    drift_message,
    rest_lines,
)
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.outputs.bounded import DEFAULT_BYTES, Section, fit
from runs_as_code.report.outputs.diff import EYES, PLAIN
from runs_as_code.report.outputs.escaping import html_code
from runs_as_code.report.outputs.github import Annotation, Level
from runs_as_code.report.outputs.junit import Case, junit
from runs_as_code.report.outputs.markdown import Scope, diff_section, place_line
from runs_as_code.report.outputs.marker import hidden_marker
from runs_as_code.report.safe import safe
from runs_as_code.report.words import TITLE_LIMIT


def drift_markdown(
    report: DriftReport, *, comment_id: str = "", max_bytes: int = DEFAULT_BYTES
) -> str:
    """Return drift in at most `max_bytes` bytes."""
    places = [place_line(_scope(project)) for project in report.projects]
    head = f"{hidden_marker('drift', comment_id)}\n### {drift_headline(report)}\n\n"
    sections = [
        Section("", places, "\n", is_counted=False),
        *(_section(report, project) for project in report.projects),
        Section("", [f"{line}\n\n" for line in rest_lines(report)], is_counted=False),
    ]
    tail = "`qarun drift` compares with what was applied; it changes nothing.\n"
    return fit(head, sections, tail, max_bytes)


def drift_junit(report: DriftReport) -> str:
    """Return a test case for each run that was checked; its drift fails it."""
    return junit([(_name(project), _cases(project)) for project in report.projects])


def drift_annotations(report: DriftReport) -> list[Annotation]:
    """Return a warning for each drift, at the line of its run."""
    return [
        Annotation(
            Level.WARNING,
            drift.kind.value,
            f"{drift.key or 'a run'}: {drift_message(drift, names)}; hint: {drift_hint(drift)}",
            drift.location,
        )
        for project, names in ((p, Names(p.plan)) for p in report.projects)
        for drift in project.found
    ]


def _section(report: DriftReport, project: ProjectDrift) -> Section:
    names = Names(project.plan)
    pieces = [
        "".join(f"{line}\n" for line in [*_lines(key, found, names), ""])
        for key, found in by_key(project.found)
    ]
    summary = "runs that were changed"
    if len(report.projects) > 1:
        plan = project.plan
        where = f"project {html_code(plan.project, NAME_LIMIT)}"
        summary += f" in {where}, owner {html_code(plan.owner, NAME_LIMIT)}"
    return diff_section(summary, pieces)


def _lines(key: str, found: list[Drift], names: Names) -> list[str]:
    title = safe(names.title(key), TITLE_LIMIT)
    shown = safe(key, NAME_LIMIT) if key else "(key unknown)"
    lines = [EYES + shown + (f": {title}" if title else "")]
    places = [drift.location for drift in found if drift.location is not None]
    lines += [f"{PLAIN}  {safe(str(place), MESSAGE_LIMIT)}" for place in places[:1]]
    for drift in found:
        lines.append(f"{EYES}    {drift.kind.value}: {drift_message(drift, names)}")
        lines.append(f"{PLAIN}      {drift_hint(drift)}")
    return lines


def _cases(project: ProjectDrift) -> list[Case]:
    names = Names(project.plan)
    found = dict(by_key(project.found))
    return [_case(project, key, found.get(key, []), names) for key in _keys(project, found)]


def _keys(project: ProjectDrift, found: dict[str, list[Drift]]) -> list[str]:
    return sorted({*project.checked, *found})


def _case(project: ProjectDrift, key: str, found: list[Drift], names: Names) -> Case:
    kinds = " ".join(dict.fromkeys(drift.kind.value for drift in found))
    lines = tuple(f"{drift.kind.value}: {drift_message(drift, names)}" for drift in found)
    return Case(_name(project), key or "(key unknown)", kinds, lines)


def _name(project: ProjectDrift) -> str:
    return f"{project.plan.project} ({project.plan.owner})"


def _scope(project: ProjectDrift) -> Scope:
    return project.plan.server, project.plan.project, project.plan.owner
