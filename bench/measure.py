"""Measure sides against each other in turns: a machine drifts, the ratio of neighbours does not."""

import gc
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
Side = Callable[[], object]
Environment = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Times:
    """The seconds of one side, one entry a round: by the clock, and of the processors.

    On a machine that has other work too, the processors' time is the one to trust.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, later: "Times") -> None:
        """Take in further rounds."""
        self.wall.extend(later.wall)
        self.cpu.extend(later.cpu)


def in_turns(sides: Mapping[str, Side], rounds: int) -> dict[str, Times]:
    """Call each side once a round (A B A B ...) and return what each call took.

    What a side returns is dropped outside of the measured time.
    """
    times = {name: Times() for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            gc.collect()
            began, worked = time.perf_counter(), _processors()
            result = side()
            times[name].wall.append(time.perf_counter() - began)
            times[name].cpu.append(_processors() - worked)
            del result
    return times


def ratio(mine: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of neighbours."""
    return median(a / b for a, b in zip(mine, other, strict=True))


def slope(small: tuple[int, float], large: tuple[int, float]) -> float:
    """Return how a cost grows with the count: 1.0 in proportion, 2.0 with its square."""
    return math.log(large[1] / small[1]) / math.log(large[0] / small[0])


def environment(bytecode: Path) -> dict[str, str]:
    """Return an environment for `qarun`: no QA Sphere of the user, a key, compiled modules kept.

    Compiled modules go to the folder `bytecode`, as they stay where a user installs `qarun`.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QAS_", "PYTHON", "CI"))}
    return kept | {"QAS_TOKEN": "bench-token-of-nobody", "PYTHONPYCACHEPREFIX": str(bytecode)}


def run(command: Sequence[str], environ: Environment = None) -> None:
    """Run a program to its end without showing what it prints; it must end with 0."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)


def peak_kib(command: Sequence[str], environ: Environment = None) -> int:
    """Return the peak memory of a program in KiB.

    A small process starts it: until it has loaded its program, a child counts as large as its
    parent.
    """
    launcher = [sys.executable, "-I", "-S", str(HERE / "peak.py"), *command]
    done = subprocess.run(launcher, check=True, capture_output=True, env=environ)
    return int(json.loads(done.stderr.splitlines()[-1])["peak_kib"])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as Markdown, columns aligned."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    cells = [
        [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        for row in [heads, *rows]
    ]
    cells.insert(1, rule)
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def milliseconds(seconds: Sequence[float]) -> str:
    """Say the median of some times."""
    return f"{median(seconds) * 1000:.1f}"


def _processors() -> float:
    """Return the seconds that this process and its ended children have worked so far."""
    own, children = (resource.getrusage(who) for who in _ALL)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


_ALL = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
