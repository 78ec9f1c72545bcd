"""Markdown of what a check found and of what an apply did."""

from collections.abc import Iterable, Sequence

from runs_as_code.model.report import SUCCEEDED, ActionResult, ApplyReport, Finding, Status
from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.report.applied import EXITS, closing_lines, located_words, report_words
from runs_as_code.report.changes import MESSAGE_LIMIT
from runs_as_code.report.findings import diagnostics_words
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.outputs.bounded import DEFAULT_BYTES, Section, fit
from runs_as_code.report.outputs.diff import EYES, GONE, MADE
from runs_as_code.report.outputs.markdown import Scope, diff_section, place_line
from runs_as_code.report.outputs.marker import hidden_marker
from runs_as_code.report.safe import safe
from runs_as_code.report.style import PLAIN

_SIGNS = {Severity.ERROR: GONE, Severity.WARNING: EYES}


def diagnostics_markdown(
    diagnostics: Sequence[Diagnostic], *, comment_id: str = "", max_bytes: int = DEFAULT_BYTES
) -> str:
    """Return what is wrong with files, errors first, in at most `max_bytes` bytes."""
    ordered = sorted(diagnostics, key=lambda each: each.severity is not Severity.ERROR)
    head = f"{hidden_marker('validate', comment_id)}\n### Files: {diagnostics_words(ordered)}\n\n"
    is_valid = all(each.severity is not Severity.ERROR for each in ordered)
    tail = "The files are valid.\n" if is_valid else "Next, correct the errors: no plan is made.\n"
    return fit(head, [diff_section("problems", list(map(_piece, ordered)))], tail, max_bytes)


def report_markdown(
    report: ApplyReport, *, comment_id: str = "", max_bytes: int = DEFAULT_BYTES
) -> str:
    """Return what an apply did, what went wrong first, in at most `max_bytes` bytes."""
    scopes = _scopes(report)
    head = f"{hidden_marker('apply', comment_id)}\n### {report_words(report)}\n\n"
    results = sorted(report.results, key=lambda result: result.status in SUCCEEDED)
    sections = [
        Section("", [place_line(scope) for scope in scopes], "\n", is_counted=False),
        diff_section("actions", [_result(result) for result in results]),
        diff_section("reading back found", list(map(_finding, report.findings))),
        diff_section("changed by others meanwhile", list(map(_finding, report.changed_by_others))),
    ]
    closing = [f"{line}  \n" for line in closing_lines(report)]
    exit_line = f"Exit {report.exit_code.value}: {EXITS[report.exit_code]}\n"
    return fit(head, sections, "".join([*closing, exit_line]), max_bytes)


def _piece(diagnostic: Diagnostic) -> str:
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    rule = f"{diagnostic.severity.value}[{safe(diagnostic.rule, NAME_LIMIT)}]"
    words = f"{safe(place, MESSAGE_LIMIT)}{rule}: {safe(diagnostic.message, MESSAGE_LIMIT)}"
    lines = [_SIGNS[diagnostic.severity] + words]
    if diagnostic.expected:
        lines.append(f"    expected: {safe(diagnostic.expected, MESSAGE_LIMIT)}")
    if diagnostic.hint:
        lines.append(f"    hint: {safe(diagnostic.hint, MESSAGE_LIMIT)}")
    return "".join(f"{line}\n" for line in lines)


def _result(result: ActionResult) -> str:
    sign = MADE if result.status in SUCCEEDED else GONE
    if result.status is Status.SKIPPED:
        sign = EYES
    key = safe(result.action.key, NAME_LIMIT)
    return f"{sign}{safe(result.project, NAME_LIMIT)} {key}: {located_words(result, PLAIN)}\n"


def _finding(finding: Finding) -> str:
    place = f"{safe(finding.project, NAME_LIMIT)} {safe(finding.key, NAME_LIMIT)}"
    return f"{EYES}{place}: {safe(finding.message, MESSAGE_LIMIT)}\n"


def _scopes(report: ApplyReport) -> list[Scope]:
    about: Iterable[ActionResult | Finding] = (
        *report.results,
        *report.findings,
        *report.changed_by_others,
    )
    return sorted({(each.server, each.project, each.owner) for each in about})
