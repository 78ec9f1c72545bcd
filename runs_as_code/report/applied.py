"""What an apply does and did as text: one line per event, and the report at its end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from runs_as_code.errors import ExitCode
from runs_as_code.model.actions import Action, MakeRun
from runs_as_code.model.events import (
    ActionFinished,
    ActionStarted,
    ApplyStarted,
    Event,
    Interrupted,
    Noted,
    VerificationStarted,
)
from runs_as_code.model.report import SUCCEEDED, ActionResult, ApplyReport, Finding, Status
from runs_as_code.report.changes import MESSAGE_LIMIT
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Colour, Style
from runs_as_code.report.words import count, short_action_words

NOTE_LIMIT = 500

EXITS = {
    ExitCode.DONE: "done, or nothing to do",
    ExitCode.ERROR: "error that fits no other line",
    ExitCode.CHANGES: "changes pending",
    ExitCode.INVALID: "the manifest is invalid",
    ExitCode.ACCESS: "not authenticated or not allowed",
    ExitCode.REFUSED: "refused or withheld by a safety rule, or an approval is missing",
    ExitCode.STALE: "the plan is stale; nothing was written",
    ExitCode.PARTIAL: "applied in part",
    ExitCode.UNVERIFIED: "applied, but reading back shows a difference",
    ExitCode.UNREACHABLE: "server unreachable, or out of time",
    ExitCode.USAGE: "wrong use of the command line",
    ExitCode.SIGINT: "interrupted",
    ExitCode.SIGTERM: "interrupted",
}

_WORDS = {status: status.value.replace("-", " ") for status in Status}
_COLOURS = {
    Status.DONE: Colour.GREEN,
    Status.ALREADY_DONE: Colour.GREEN,
    Status.FAILED: Colour.ALARM,
    Status.SKIPPED: Colour.YELLOW,
    Status.STALE: Colour.YELLOW,
    Status.UNKNOWN: Colour.ALARM,
    Status.UNVERIFIED: Colour.ALARM,
}
_STATUS_WIDTH = max(len(words) for words in _WORDS.values())


def render_report(report: ApplyReport, style: Style) -> str:
    """Return the report for people: the summary, the results by key, what was found, the exit."""
    lines = [style.paint(report_words(report), Colour.BOLD), *_result_lines(report, style)]
    lines += _finding_lines("Reading back found:", report.findings)
    lines += _finding_lines("Changed by others meanwhile:", report.changed_by_others)
    closing = list(closing_lines(report))
    exit_line = f"Exit {report.exit_code.value}: {EXITS[report.exit_code]}"
    return "\n".join([*lines, "", *closing, style.paint(exit_line, Colour.BOLD), ""])


def event_line(event: Event, style: Style) -> str | None:
    """Return the one line that says what just happened; None where nothing is worth a line."""
    if isinstance(event, ApplyStarted):
        return f"Applying {count(event.total, 'action')}" if event.total else None
    if isinstance(event, ActionStarted):
        return None  # its end follows soon, and says the same with the run's id
    if isinstance(event, ActionFinished):
        result = event.result
        return f"{_whose(result.project, result.action)}: {_outcome_words(result, style)}"
    if isinstance(event, VerificationStarted):
        return "Reading back what is live"
    if isinstance(event, Noted):
        return f"note: {safe(event.message, NOTE_LIMIT)}"
    return _interruption(event)


def _interruption(event: Interrupted) -> str:
    left = f"; {count(event.remaining, 'action')} not started" if event.remaining else ""
    return f"Interrupted: finishing what is under way{left}"


def report_words(report: ApplyReport) -> str:
    """Say how many actions ended how."""
    statuses = Counter(result.status for result in report.results)
    parts = [f"{statuses[status]} {_WORDS[status]}" for status in Status if statuses[status]]
    return f"Apply: {', '.join(parts) or 'nothing to do'}"


def _result_lines(report: ApplyReport, style: Style) -> Iterator[str]:
    projects = groupby(sorted(report.results, key=_project), key=_project)
    for (server, project, owner), results in projects:
        yield ""
        words = f"Server {safe(server, MESSAGE_LIMIT)}, project {safe(project, NAME_LIMIT)}"
        yield f"{words}, owner {safe(owner, NAME_LIMIT)}"
        for key, of_key in groupby(sorted(results, key=_key), key=_key):
            yield f"  {style.paint(safe(key, NAME_LIMIT), Colour.BOLD)}"
            yield from (f"    {_row(result, style)}" for result in of_key)


def _project(result: ActionResult) -> tuple[str, str, str]:
    return (result.server, result.project, result.owner)


def _key(result: ActionResult) -> str:
    return result.action.key


def _row(result: ActionResult, style: Style) -> str:
    return located_words(result, style, " " * (_STATUS_WIDTH - len(_WORDS[result.status])))


def located_words(result: ActionResult, style: Style, fill: str = "") -> str:
    """Say how an action ended, which run came of it, and where it is."""
    words = _outcome_words(result, style, fill)
    return f"{words}  {safe(result.url, MESSAGE_LIMIT)}" if result.url else words


def _outcome_words(result: ActionResult, style: Style, fill: str = "") -> str:
    status = style.paint(_WORDS[result.status], _COLOURS[result.status])
    words = f"{status}{fill}  {short_action_words(result.action)}"
    if isinstance(result.action, MakeRun) and result.run_id is not None:
        words += f": run {result.run_id}"
    if result.message:
        words += f": {safe(result.message, MESSAGE_LIMIT)}"
    return words


def _whose(project: str, action: Action) -> str:
    return f"{safe(project, NAME_LIMIT)} {safe(action.key, NAME_LIMIT)}"


def _finding_lines(heading: str, findings: Iterable[Finding]) -> list[str]:
    lines = [
        f"    {safe(finding.project, NAME_LIMIT)} {safe(finding.key, NAME_LIMIT)}:"
        f" {safe(finding.message, MESSAGE_LIMIT)}"
        for finding in findings
    ]
    return ["", heading, *lines] if lines else []


def closing_lines(report: ApplyReport) -> Iterator[str]:
    """Say what an apply left undone, whether it was verified, and what it cost."""
    skipped = [result for result in report.results if result.status is Status.SKIPPED]
    if report.interrupted_by is not None:
        yield f"Interrupted: {count(len(skipped), 'action')} not done; run it again to go on"
    if report.is_withheld:
        yield "Withheld by safety rules: what the plan shows as blocked or refused"
    short = [result for result in report.results if result.status not in SUCCEEDED]
    if report.is_verified and report.results:
        yield "Verified: read back, and nothing of this plan is still wanted"
    elif report.is_read_back and short:
        total = count(len(report.results), "action")
        yield f"Read back: {len(short)} of {total} not done as planned"
    elif not report.is_read_back and report.results:
        yield "Not verified: what is live was not read back"
    yield f"{count(report.calls, 'request')} sent, planning not counted"
