"""What a plan has to say about lines of manifests, as diagnostics: for annotations and scanners."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from runs_as_code.model.plan import Block, Change, Plan
from runs_as_code.model.source import Diagnostic, Location, Severity

_DIGITS = 32


def plan_findings(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for each block and each refusal; refusals are errors."""
    found = [
        diagnostic
        for project in plan.projects
        for diagnostic in (
            *(_diagnostic(block, Severity.ERROR, None) for block in project.refusals),
            *(each for change in project.changes for each in _of_change(change)),
        )
    ]
    return tuple(dict.fromkeys(found))


def fingerprints(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """Yield a name for each diagnostic that stays when lines are added above it."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for diagnostic in diagnostics:
        file = diagnostic.location.file if diagnostic.location else ""
        about = (diagnostic.rule, file, diagnostic.message)
        text = "\0".join((*about, str(seen[about])))
        seen[about] += 1
        yield sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def message_words(diagnostic: Diagnostic) -> str:
    """Say what is wrong, what was expected and what to do in one sentence."""
    parts = [diagnostic.message]
    if diagnostic.expected:
        parts.append(f"expected {diagnostic.expected}")
    if diagnostic.hint:
        parts.append(f"hint: {diagnostic.hint}")
    return "; ".join(parts)


def _of_change(change: Change) -> Iterator[Diagnostic]:
    return (_diagnostic(block, Severity.WARNING, change.location) for block in change.blocks)


def _diagnostic(block: Block, severity: Severity, place: Location | None) -> Diagnostic:
    ways = [f"in the file {block.line}"] if block.line else []
    ways += [f"for one apply {block.flag}"] if block.flag else []
    return Diagnostic(
        block.rule, block.message, block.location or place, "", ", or ".join(ways), severity
    )
