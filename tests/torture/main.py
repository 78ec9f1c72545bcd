"""`script/torture`: campaigns against real processes until the time is up, then a table."""

import argparse
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from torture.campaigns import CAMPAIGNS, Outcome, run_case
from torture.estate import build_estate
from torture.modelling import run_model
from torture.plants import BUGS, PLANTED, plant
from torture.problems import Wrong
from torture.virtually import run_virtually

COLUMNS = ("cases", "faults", "applies", *(wrong.value for wrong in Wrong))
MODEL = "model"
VIRTUAL = "virtual"
NAMES = (VIRTUAL, *CAMPAIGNS, MODEL)
SHOWN = 20


@dataclass(frozen=True)
class Job:
    """One case to run."""

    name: str
    seed: int
    number: int

    @property
    def command(self) -> str:
        """The command line that repeats it."""
        return f"script/torture --seed {self.seed} --only {self.name} --case {self.number}"


@dataclass
class Table:
    """What was tried and what was found, by campaign."""

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, job: Job, outcome: Outcome) -> None:
        """Count a case that ended."""
        row = self.rows.setdefault(job.name, Counter())
        row += Counter(cases=outcome.cases, faults=outcome.faults, applies=outcome.applies)
        row += outcome.count()
        self.rows[job.name] = row
        if outcome.problems:
            self.failures.append(f"{job.command}\n  {outcome.story}")
            self.failures[-1] += "".join(f"\n  {problem}" for problem in outcome.problems)

    @property
    def total(self) -> Counter[str]:
        """All campaigns together."""
        return sum(self.rows.values(), Counter())

    def lines(self) -> Iterator[str]:
        """Yield the table as text."""
        yield "campaign".ljust(8) + "".join(f"  {column}" for column in COLUMNS)
        for name, row in [*sorted(self.rows.items()), ("all", self.total)]:
            cells = "".join(f"  {row[column]:>{len(column)}}" for column in COLUMNS)
            yield name.ljust(8) + cells


def main() -> int:
    """Run campaigns; exit 1 when any promise was broken, 2 for wrong use."""
    given = read_arguments()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    names = given.only or list(NAMES)
    say(f"seed {seed}: {', '.join(names)}, {given.minutes:g} min")
    if given.planted:
        say(f"planted: {given.planted}, {BUGS[given.planted].what}")
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    started = time.monotonic()
    table = Table()
    try:
        estate = build_estate(folder / "estate")
        jobs = iter(pick_jobs(names, seed, given.case))
        os.environ[PLANTED] = given.planted
        with ProcessPoolExecutor(
            given.jobs, get_context("spawn"), initializer=plant, initargs=(given.planted,)
        ) as pool:
            fight(pool, jobs, table, estate, started + given.minutes * 60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for failure in table.failures[:SHOWN]:
        say(f"\n{failure}")
    say("", *table.lines(), f"seed {seed}, {time.monotonic() - started:.0f} s")
    return int(any(table.total[wrong.value] for wrong in Wrong) or not table.rows)


def say(*lines: str) -> None:
    """Write lines at once, for those who watch."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="script/torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--seed", type=int, help="repeats the same cases (default: by chance)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="cases at once")
    parser.add_argument("--only", action="append", choices=NAMES, help="this campaign; repeatable")
    parser.add_argument("--case", type=int, help="only the case with this number")
    parser.add_argument(
        "--planted", choices=sorted(BUGS), default="", help="plant this bug, to see it found"
    )
    return parser.parse_args()


def pick_jobs(names: list[str], seed: int, only: int | None) -> Iterator[Job]:
    """Yield the cases of all campaigns in turn."""
    for number in count() if only is None else [only]:
        for name in names:
            yield Job(name, seed, number)


def fight(
    pool: ProcessPoolExecutor, jobs: Iterator[Job], table: Table, estate: Path, deadline: float
) -> None:
    """Keep all workers busy until the time is up; what has begun is finished."""
    waiting: dict[Future[Outcome], Job] = {}
    workers = pool._max_workers
    while True:
        while len(waiting) < workers and time.monotonic() < deadline:
            job = next(jobs, None)
            if job is None:
                break
            waiting[pool.submit(run_job, job, estate)] = job
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            table.add(waiting.pop(future), future.result())


def run_job(job: Job, estate: Path) -> Outcome:
    """Run one case in a folder of its own."""
    if job.name == MODEL:
        return run_model(random.Random(f"{job.seed} {job.number}").getrandbits(32))  # noqa: S311 -- repeatable
    if job.name == VIRTUAL:
        return run_virtually(job.seed, job.number, estate)
    folder = Path(tempfile.mkdtemp(prefix="torture-case-"))
    try:
        return run_case(job.name, job.seed, job.number, estate, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
