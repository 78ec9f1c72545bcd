"""What can be wrong after a case: the columns of the table."""

from dataclasses import dataclass
from enum import Enum


class Wrong(Enum):
    """What kind of promise was broken."""

    DUPLICATE = "duplicates"
    CLOSE = "wrong closes"
    RESULT = "lost results"
    CONVERGENCE = "not converged"
    WRITE = "other wrong writes"
    WORD = "untrue reports"


@dataclass(frozen=True)
class Problem:
    """One broken promise."""

    wrong: Wrong
    text: str

    def __str__(self) -> str:
        return f"{self.wrong.value}: {self.text}"
