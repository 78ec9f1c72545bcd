"""Commits that drop as many runs as the limits allow, or just one more."""

import random
from dataclasses import dataclass

from torture.estate import Document, live, manifest
from torture.problems import Problem, Wrong

LIMIT_TEAM = "limit-team"
FREE = 3
REFUSED = 5


@dataclass(frozen=True)
class Dropping:
    """Two commits, and whether the second one is to be refused."""

    first: Document
    second: Document
    total: int
    gone: int
    is_beyond: bool

    def __str__(self) -> str:
        limits = self.second["limits"]
        return f"{self.gone} of {self.total} gone, {limits}: beyond {self.is_beyond}"

    def objections(self, code: int, left: int) -> list[Problem]:
        """Say what is wrong with an apply that ended with this code and left so many runs open."""
        due = self.total if self.is_beyond else self.total - self.gone
        if code == (REFUSED if self.is_beyond else 0) and left == due:
            return []
        wrong = Wrong.CLOSE if self.is_beyond else Wrong.CONVERGENCE
        return [Problem(wrong, f"exit {code}, {left} runs are open: {self}")]


def drop_some(chance: random.Random, limit: str, *, is_beyond: bool) -> Dropping:
    """Return commits that hit a limit exactly, or are beyond it by as little as there is.

    `limit` is `close` or `percent`; a share only counts beyond the closes that are free.
    """
    total = chance.randrange(6, 16)
    gone = chance.randrange(FREE + 1 if limit == "percent" else 1, total)
    limits = {"close": gone - is_beyond, "percent": 100}
    if limit == "percent":
        # The largest share that is still too small, or the smallest that is enough.
        percent = -(-gone * 100 // total) - is_beyond
        limits = {"percent": max(percent, 0), "close": 1000}
        is_beyond = gone > FREE and gone * 100 > limits["percent"] * total
    runs = {f"key-{i}": live(f"Title {i}", "Menu") for i in range(total)}
    kept = dict(list(runs.items())[gone:])
    return Dropping(
        first=manifest(runs, LIMIT_TEAM),
        second=manifest(kept, LIMIT_TEAM, limits=limits),
        total=total,
        gone=gone,
        is_beyond=is_beyond,
    )
