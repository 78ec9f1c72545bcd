"""Where a thing stands in a file, and what is wrong with it there."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How bad a diagnostic is: an error makes the manifest invalid, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem of a file: the rule's id, what is wrong, where, and what to do."""

    rule: str
    message: str
    location: Location | None = None
    expected: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
