"""What is wrong with files, as text that editors and pipelines can jump from."""

from collections.abc import Iterable, Iterator

from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Colour, Style
from runs_as_code.report.words import count

_LIMIT = 500


def render_diagnostics(diagnostics: Iterable[Diagnostic], style: Style) -> str:
    """Return each problem with its place, what was expected and a hint; the count comes last."""
    given = list(diagnostics)
    lines = [line for diagnostic in given for line in _lines(diagnostic, style)]
    return "\n".join([*lines, style.paint(diagnostics_words(given), Colour.BOLD), ""])


def _lines(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    is_error = diagnostic.severity is Severity.ERROR
    place = "" if diagnostic.location is None else f"{safe(str(diagnostic.location), _LIMIT)}: "
    label = f"{diagnostic.severity.value}[{safe(diagnostic.rule, NAME_LIMIT)}]"
    painted = style.paint(label, Colour.RED if is_error else Colour.YELLOW)
    yield f"{place}{painted}: {safe(diagnostic.message, _LIMIT)}"
    if diagnostic.expected:
        yield f"  expected: {safe(diagnostic.expected, _LIMIT)}"
    if diagnostic.hint:
        yield f"  hint: {safe(diagnostic.hint, _LIMIT)}"


def diagnostics_words(diagnostics: list[Diagnostic]) -> str:
    """Say how many problems there are."""
    if not diagnostics:
        return "No problems found"
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [count(errors, "error")] if errors else []
    parts += [count(warnings, "warning")] if warnings else []
    files = {d.location.file for d in diagnostics if d.location is not None}
    where = f" in {count(len(files), 'file')}" if files else ""
    return ", ".join(parts) + where
