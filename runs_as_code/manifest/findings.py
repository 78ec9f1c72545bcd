"""Collects what is wrong with one file, and hands out a bounded, ordered list of it."""

from runs_as_code.manifest.rules import MORE, RULES
from runs_as_code.manifest.text import redact
from runs_as_code.manifest.tree import locate
from runs_as_code.model.source import Diagnostic, Severity

MAX_SHOWN = 100
MAX_COLLECTED = 1_000  # a hostile file must not cost more than a good one of its size
MAX_MESSAGE = 2_000  # longer only where a file is written to make it so


class Findings:
    """The problems of one file, as the user named it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.disabled: frozenset[str] = frozenset()
        self._errors: dict[Diagnostic, None] = {}
        self._warnings: dict[Diagnostic, None] = {}

    @property
    def has_errors(self) -> bool:
        """Whether the file is invalid."""
        return bool(self._errors)

    @property
    def is_full(self) -> bool:
        """Whether looking for more errors is a waste of time."""
        return len(self._errors) >= MAX_COLLECTED

    def add(
        self, rule_id: str, place: int, message: str, *, expected: str = "", hint: str = ""
    ) -> None:
        """Add a problem unless the file has switched its rule off; nothing secret gets in."""
        rule = RULES[rule_id]
        is_error = rule.severity is Severity.ERROR
        found = self._errors if is_error else self._warnings
        if len(found) >= MAX_COLLECTED or (not is_error and rule_id in self.disabled):
            return
        diagnostic = Diagnostic(
            rule=rule_id,
            message=_clean(message),
            location=locate(self.file, place),
            expected=_clean(expected),
            hint=_clean(hint),
            severity=rule.severity,
        )
        found[diagnostic] = None

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return the problems by place, errors preferred when there are too many."""
        shown = [*sorted(self._errors, key=_order), *sorted(self._warnings, key=_order)]
        hidden = shown[MAX_SHOWN:]
        shown = sorted(shown[:MAX_SHOWN], key=_order)
        return (*shown, self._more(hidden)) if hidden else tuple(shown)

    def _more(self, hidden: list[Diagnostic]) -> Diagnostic:
        errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in hidden)
        warnings = len(hidden) - errors
        counts = [_counted(errors, "error")] * bool(errors)
        counts += [_counted(warnings, "warning")] * bool(warnings)
        is_cut = max(len(self._errors), len(self._warnings)) >= MAX_COLLECTED
        at_least = "at least " if is_cut else ""
        return Diagnostic(
            rule=MORE,
            message=f"and {at_least}{' and '.join(counts)} in this file",
            location=locate(self.file, 0),
            hint="correct those above and look again",
            severity=Severity.ERROR if errors else Severity.WARNING,
        )


def _clean(text: str) -> str:
    return redact(text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…")


def _counted(number: int, what: str) -> str:
    return f"{number} more {what}{'' if number == 1 else 's'}"


def _order(diagnostic: Diagnostic) -> tuple[object, str, str]:
    return (diagnostic.location, diagnostic.rule, diagnostic.message)
