"""The campaigns of `script/torture`: cases against real processes, each repeatable by its seed."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torture.acts import MAKES, OPEN_LISTS, At
from torture.deeds import Deeds
from torture.estate import CLOSED_BY_SECOND, OPEN_AFTER, OTHER, OWNER, RIVAL, SECOND
from torture.faults import FOR_WRITES, STATUSES, Fault, Kind, Planned, Weather
from torture.ground import Ground
from torture.limiting import LIMIT_TEAM, drop_some
from torture.problems import Problem, Wrong
from torture.processes import FACTOR, Exit, Killer, Service, serving
from torture.races import THIRD, THIRD_OPEN, untrue_exits
from torture.settling import IN_PEACE, MOST_APPLIES, one_run_each

from runs_as_code.server import ServerOptions

CALLS = 36  # a few more than an apply of the estate needs
WRITES = 16
SCOPES = ("project", "milestone", "none")
MOMENTS = ((MAKES, 1), ("POST", 12), ("GET", 3), ("POST", 2), (OPEN_LISTS, 2), (OPEN_LISTS, 3))
MANGLINGS = ("none", "trim", "escape")


@dataclass
class Outcome:
    """What one case came to."""

    cases: int = 1
    faults: int = 0
    applies: int = 0
    problems: list[Problem] = field(default_factory=list)
    story: str = ""
    told: int = 0

    def count(self) -> Counter[str]:
        """Count what was wrong by column."""
        return Counter(problem.wrong.value for problem in self.problems)


@dataclass
class Case:
    """What a case has: a ground on a port, a source of chances, its number in the campaign."""

    service: Service
    chance: random.Random
    number: int
    outcome: Outcome

    @property
    def ground(self) -> Ground:
        """The ground it is fought on."""
        return self.service.ground

    def apply(self, manifests: Sequence[Any], *arguments: str) -> Exit:
        """Run one apply to its end."""
        ended = self.service.start(manifests, *arguments).wait()
        self.service.quiet()
        return ended

    def settle(self, manifests: Sequence[Any], *arguments: str) -> None:
        """Apply without trouble until a plan has nothing left to do."""
        self.ground.wire.actors.clear()
        self.service.quiet()
        for _ in range(MOST_APPLIES):
            ended = self.apply(manifests, *arguments)
            self.outcome.problems += untrue_exits(self.ground, [ended])
            if ended.code == 0:
                break
            if ended.code not in IN_PEACE:
                text = f"exit {ended.code} though nobody disturbed it: {ended.err[-600:]}"
                self.outcome.problems.append(Problem(Wrong.CONVERGENCE, text))
        writes = self.ground.ledger.writes
        last = self.apply(manifests, *arguments)
        if last.code not in {0, 5} or self.ground.ledger.writes > writes:
            text = f"exit {last.code} after {MOST_APPLIES} applies: {last.err[-600:]}"
            self.outcome.problems.append(Problem(Wrong.CONVERGENCE, text))


def kill(case: Case) -> None:
    """Kill an apply before or after each of its calls in turn, then let another one finish."""
    number, is_carried_out = 1 + case.number // 2 % CALLS, case.number % 2 == 1
    running = case.service.start([SECOND])
    case.ground.wire.actors.append(Killer(case.ground, running, number, is_carried_out))
    case.outcome.story = f"killed at call {number}, carried out: {is_carried_out}"
    case.outcome.faults = int(running.wait().code < 0)
    case.settle([SECOND])
    case.outcome.problems += one_run_each(case.ground, OWNER, OPEN_AFTER)


def fault(case: Case) -> None:
    """Apply in bad weather, once or twice, with one write sure to be hit; then in fine weather."""
    chance = case.chance
    kinds = sorted(FOR_WRITES - {Kind.REFUSED}, key=lambda kind: kind.value)
    # Two numbers without a common divisor: in time each write meets each kind.
    hit = Fault(
        kinds[case.number % len(kinds)],
        status=chance.choice(STATUSES[1:]),
        seconds=chance.choice((0.5, 2.5)) / FACTOR,
    )
    planned = Planned(hit, number=1 + case.number % WRITES, times=chance.choice((1, 2, 3)))
    weather = Weather(
        chance.randrange(10**9),
        probability=chance.choice((0.0, 0.2, 0.4)),
        most=chance.choice((5, 20, 40)),
        retry_after=(None, "0", "1"),
        scale=FACTOR,
        is_on_socket=True,
    )
    case.ground.wire.actors += [weather, planned]
    case.outcome.story = f"{hit.kind.value} at write {planned.number}; "
    for _ in range(chance.choice((1, 1, 2))):
        ended = case.apply([SECOND])
        case.outcome.story += f"exit {ended.code}; "
        case.outcome.problems += untrue_exits(case.ground, [ended])
    case.outcome.faults = case.ground.wire.faults
    case.settle([SECOND])
    case.outcome.problems += one_run_each(case.ground, OWNER, OPEN_AFTER)


def race(case: Case) -> None:
    """Start 2, 5 or 20 applies at once: of one commit, of two, or of two owners."""
    number = (2, 5, 2, 5, 20)[case.number % 5]
    kind = ("one commit", "two commits", "two owners")[case.number % 3]
    documents = {"one commit": [SECOND], "two commits": [SECOND, THIRD]}
    chosen = documents.get(kind, [SECOND, RIVAL])
    starting = [case.service.start([chosen[i % len(chosen)]], may_race=True) for i in range(number)]
    exits = [running.wait() for running in starting]
    codes = Counter(one.code for one in exits)
    case.outcome.story = f"{number} processes, {kind}: exits {dict(codes)}"
    case.outcome.problems += untrue_exits(case.ground, exits)
    last = THIRD if kind == "two commits" else SECOND
    case.settle([last])
    keys = THIRD_OPEN if kind == "two commits" else OPEN_AFTER
    case.outcome.problems += one_run_each(case.ground, OWNER, keys)
    case.outcome.problems += one_run_each(case.ground, OTHER, RIVAL["runs"])


def people(case: Case) -> None:
    """Let people work while an apply does: before a write of it, perhaps before several."""
    chance = case.chance
    deeds = Deeds(case.ground, chance, CLOSED_BY_SECOND)
    for _ in range(chance.choice((1, 1, 2, 3))):
        path, number = chance.choice(MOMENTS)
        at = At(path, deed=deeds.next, number=number + chance.randrange(3))
        case.ground.wire.actors.append(at)
    # What waits in the queue of the rate limit is where looks grow old.
    ended = case.apply([SECOND], "--skip-blocked", "--rate", chance.choice(("0", "10")))
    case.outcome.problems += untrue_exits(case.ground, [ended])
    case.outcome.faults = len(deeds.done)
    case.outcome.story = f"{'; '.join(deeds.done)}: exit {ended.code}"
    case.settle([SECOND], "--skip-blocked")


def limit(case: Case) -> None:
    """Drop as many runs as the limits allow, or one more."""
    dropping = drop_some(
        case.chance, ("close", "percent")[case.number // 2 % 2], is_beyond=case.number % 2 == 0
    )
    case.outcome.story = str(dropping)
    case.apply([dropping.first])
    ended = case.apply([dropping.second])
    left = len(case.ground.open_runs(LIMIT_TEAM))
    case.outcome.problems += dropping.objections(ended.code, left)


CAMPAIGNS: dict[str, Callable[[Case], None]] = {
    "kill": kill,
    "fault": fault,
    "race": race,
    "people": people,
    "limit": limit,
}


def run_case(name: str, seed: int, number: int, estate: Path, folder: Path) -> Outcome:
    """Run one case of a campaign; the same arguments make the same case."""
    chance = random.Random(f"{seed} {name} {number}")  # noqa: S311 -- repeatable on purpose
    scopes = SCOPES[:2] if name == "race" else SCOPES
    scope = scopes[number % len(scopes)]
    options = ServerOptions(title_scope=scope, mangle_text=chance.choice(MANGLINGS))
    outcome = Outcome()
    ground = Ground(folder, options, estate)
    try:
        with serving(ground) as service:
            CAMPAIGNS[name](Case(service, chance, number, outcome))
        outcome.problems += ground.objections()
        outcome.applies = ground.applies
    finally:
        ground.close()
    where = f"titles unique in: {options.title_scope}, text: {options.mangle_text}"
    outcome.story = f"{outcome.story} ({where})"
    return outcome
