"""What a plan costs, stage by stage, when nothing is left to do: time, growth, memory.

The yardstick is `yaml.load(file, CSafeLoader)` of the same files, in turns with each stage.
`python bench/plan.py [--counts 100,1000,10000] [--rounds N] [--stages]`
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import workload
import yaml
from measure import (
    Side,
    Times,
    environment,
    in_turns,
    milliseconds,
    peak_kib,
    ratio,
    run,
    slope,
    table,
)
from serving import served

from runs_as_code import __version__
from runs_as_code.engine.planning import make_plan
from runs_as_code.manifest.read import read_manifests
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner, assemble
from runs_as_code.provider.wire import parse_listing
from runs_as_code.report.document import plan_to_json
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.style import Style
from runs_as_code.report.text import render_plan

YARDSTICK = "yaml.load, CSafeLoader"
WHOLE = "whole plan, in process"
PROCESS = "`qarun plan`"
PROCESS_YARDSTICK = "python: yaml.load"
LOAD = (
    "import sys, yaml\nfor file in sys.argv[1:]: yaml.load(open(file), getattr(yaml,'CSafeLoader'))"
)
MOMENT = "2026-01-12T09:30:00Z"


def load_bare(files: list[Path]) -> Any:
    """Parse the files and nothing more."""
    return [yaml.load(file.read_text(), yaml.CSafeLoader) for file in files]


class Stages:
    """The steps of one plan; each keeps what the next one needs."""

    def __init__(self, files: list[Path], reply: bytes) -> None:
        self._files = files
        self._reply = reply
        self._have: dict[str, Any] = {}

    def sides(self) -> dict[str, Side]:
        """Return the stages by name, in their order."""
        steps: dict[str, Callable[[], Any]] = {
            "read manifests": lambda: read_manifests(self._files),
            "decode list": lambda: parse_listing("", self._reply, is_filtered=False),
            "names needed": self._names,
            "decide": self._decide,
            "digest": lambda: plan_digest(self._plan()),
            "text": lambda: render_plan(self._plan(), digest=self._digest(), style=Style()),
            "JSON": self._json,
        }
        return {name: partial(self._keep, name, step) for name, step in steps.items()}

    def whole(self) -> str:
        """Do all that `qarun plan` does but start and ask a server."""
        provider = workload.StoredReply(self._reply)
        manifests = read_manifests(self._files)
        making = make_plan(manifests, workload.server_of, lambda *_: provider, Approvals(), MOMENT)
        plan = asyncio.run(making).plan
        text = render_plan(plan, digest=plan_digest(plan), style=Style())
        if plan.is_pending:
            raise ValueError(text)
        return text

    def _keep(self, name: str, step: Callable[[], Any]) -> None:
        self._have[name] = step()

    def _names(self) -> ProjectPlanner:
        desired, live = self._have["read manifests"].manifests, self._have["decode list"]
        given = ProjectInput(workload.SERVER, workload.PROJECT, desired, live)
        planner = ProjectPlanner(given, Approvals())
        planner.names_needed()
        return planner

    def _decide(self) -> Plan:
        planner: ProjectPlanner = self._have["names needed"]
        return assemble(planner.plan(workload.catalog()), Approvals(), MOMENT)

    def _plan(self) -> Plan:
        plan: Plan = self._have["decide"]
        return plan

    def _digest(self) -> str:
        digest: str = self._have["digest"]
        return digest

    def _json(self) -> str:
        document = plan_to_json(self._plan(), digest=self._digest(), tool_version=__version__)
        return dump_json(document)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stages", action="store_true", help="only the stages in process")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        cases = {count: _case(Path(folder), count) for count in counts}
        stages = {count: _stages(*case, options.rounds) for count, case in cases.items()}
        _print(f"in process, against `{YARDSTICK}`", stages, YARDSTICK)
        if not options.stages:
            _print_processes(Path(folder), cases, options.rounds)


def _case(folder: Path, count: int) -> tuple[list[Path], bytes]:
    # A folder of its own: a manifest's neighbours are looked at too.
    own = folder / str(count)
    own.mkdir()
    files = workload.write_manifests(own, count)
    return files, workload.agreeing_reply(files)


def _stages(files: list[Path], reply: bytes, rounds: int) -> dict[str, Times]:
    times: dict[str, Times] = {}
    for _ in range(rounds):
        # Anew each round: what the stages keep makes the collector slower for whoever is next.
        stages = Stages(files, reply)
        sides: dict[str, Side] = {
            YARDSTICK: partial(load_bare, files),
            WHOLE: stages.whole,
            **stages.sides(),
        }
        for name, side in in_turns(sides, 1).items():
            times.setdefault(name, Times()).add(side)
    return times


def _print_processes(folder: Path, cases: dict[int, tuple[list[Path], bytes]], rounds: int) -> None:
    environ = environment(folder / "bytecode")
    qarun = str(Path(sys.executable).with_name("qarun"))
    times: dict[int, dict[str, Times]] = {}
    peaks: dict[int, list[int]] = {}
    for count, (files, reply) in cases.items():
        stored = folder / f"runs-{count}.json"
        stored.write_bytes(reply)
        bare = [sys.executable, "-c", LOAD, *map(str, files)]
        with served("stand_in.py", str(stored)) as server:
            plan = [qarun, "plan", "--server", server.url]
            plan += [part for file in files for part in ("-f", str(file))]
            sides: dict[str, Side] = {
                PROCESS_YARDSTICK: partial(run, bare, environ),
                PROCESS: partial(run, plan, environ),
            }
            in_turns(sides, 1)  # compiles what was never imported before
            times[count] = in_turns(sides, rounds)
            peaks[count] = [peak_kib(bare, environ), peak_kib(plan, environ)]
    _print("as processes, over a socket", times, PROCESS_YARDSTICK)
    rows = [
        [name, *(f"{peaks[count][i] / 1024:.0f}" for count in peaks), _further(peaks, i)]
        for i, name in enumerate((PROCESS_YARDSTICK, PROCESS))
    ]
    print("\npeak memory in MiB")
    print(table(["", *(f"{count:,}" for count in peaks), "KiB a further run"], rows))


def _print(title: str, times: dict[int, dict[str, Times]], yardstick: str) -> None:
    names = list(next(iter(times.values())))
    rows = []
    for name in names:
        row = [name]
        for of_count in times.values():
            # CPU time in process: nothing waits there, and other work on the machine counts less.
            mine, bare = of_count[name].cpu, of_count[yardstick].cpu
            row += [milliseconds(mine), f"{ratio(mine, bare):.2f}"]
        rows.append([*row, _growth({count: times[count][name] for count in times})])
    heads = ["CPU ms and ratio", *(head for count in times for head in (f"{count:,}", "x"))]
    print(f"\n{title}")
    print(table([*heads, "slope"], rows))


def _growth(times: dict[int, Times]) -> str:
    if len(times) == 1:
        return ""
    small, large = list(times)[-2:]
    costs = [(count, median(times[count].cpu)) for count in (small, large)]
    return f"{slope(*costs):.2f}"


def _further(peaks: dict[int, list[int]], side: int) -> str:
    if len(peaks) == 1:
        return ""
    small, large = list(peaks)[-2:]
    return f"{(peaks[large][side] - peaks[small][side]) / (large - small):.1f}"


if __name__ == "__main__":
    main()
