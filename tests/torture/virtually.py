"""A campaign in this process and on virtual time: many cases in the time of one real one."""

import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from torture.acts import CLOSES, MAKES, MEMBERS, OPEN_LISTS, At
from torture.applier import Applier, lies
from torture.campaigns import MANGLINGS, SCOPES, Outcome
from torture.deeds import Deeds
from torture.estate import CLOSED_BY_SECOND, OPEN_AFTER, OWNER, SECOND
from torture.faults import Fault, Kind, Weather, dice
from torture.ground import Ground
from torture.limiting import LIMIT_TEAM, drop_some
from torture.settling import one_run_each, outcomes, settle
from torture.virtual import VirtualRunner

from runs_as_code.server.options import ServerOptions, TitleScope

CASES = 10
MOMENTS = ((OPEN_LISTS, 2, 4), (MAKES, 1, 8), (CLOSES, 1, 3), (MEMBERS, 1, 2))
"""Between the check before the first write and the last close: paths, and their first to last."""

LATENCIES = (0.0, 0.05, 0.4)

Story = Callable[[Ground, random.Random, Outcome], Awaitable[str]]


def run_virtually(seed: int, number: int, estate: Path) -> Outcome:
    """Play some cases; a seed and a number make the same ones."""
    outcome = Outcome(cases=CASES)
    for case in range(CASES):
        played = play(f"{seed} virtual {number} {case}", estate, scope=SCOPES[case % 3])
        outcome.faults += played.faults
        outcome.applies += played.applies
        outcome.problems += played.problems
        outcome.story += f"{played.story}; " if played.problems else ""
    return outcome


def play(seed: str, estate: Path, *, scope: TitleScope, kind: str = "") -> Outcome:
    """Play one case, of a kind if one is wanted; the same arguments make the same case."""
    chance = dice(seed)
    outcome = Outcome()
    kind = kind or chance.choice(USUAL)
    options = ServerOptions(title_scope=scope, mangle_text=chance.choice(MANGLINGS))
    runner = VirtualRunner()
    with tempfile.TemporaryDirectory(prefix="torture-case-") as folder:
        ground = Ground(Path(folder), options, estate)
        ground.wire.latency = chance.choice(LATENCIES)
        try:
            story = runner.run(STORIES[kind](ground, chance, outcome))
            outcome.problems += ground.objections()
        finally:
            runner.close()
            ground.close()
    outcome.applies = ground.applies
    outcome.story = f"{scope}: {kind} {story}"
    return outcome


async def _calm(ground: Ground, _chance: random.Random, outcome: Outcome) -> str:
    """Apply twice while nobody disturbs it: all is done, then nothing is left."""
    outcome.problems += await settle(ground, [SECOND])
    outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return ""


async def _weather(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Apply while replies are lost."""
    weather = Weather(chance.randrange(10**9), chance.choice((0.1, 0.3)), most=40)
    ground.wire.actors.append(weather)
    ended = await _applier(ground, chance).apply()
    await ground.wire.quiet()
    outcome.problems += lies(ground, ended)
    outcome.faults += weather.hits
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return str(outcomes(ended))


async def _death(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Die at some call."""
    number, is_carried_out = chance.randrange(1, 40), chance.random() < 0.5
    await _applier(ground, chance).killed(number, is_carried_out=is_carried_out)
    outcome.faults += 1
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return f"at call {number}"


async def _people(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Apply while somebody works."""
    deeds = Deeds(ground, chance)
    acts = [At("", deed=deeds.next, number=chance.randrange(2, 30))]
    return await _disturbed(ground, chance, outcome, (deeds, acts))


async def _aimed(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Apply while somebody spoils, just before a look or a write, a run that is to be closed."""
    deeds = Deeds(ground, chance, CLOSED_BY_SECOND)
    acts = []
    for _ in range(3):
        path, least, most = chance.choice(MOMENTS)
        deed = chance.choice((deeds.next_to_victim, deeds.next_to_victim, deeds.next_to_successor))
        acts.append(At(path, deed=deed, number=chance.randint(least, most)))
    return await _disturbed(ground, chance, outcome, (deeds, acts))


async def _succession(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Put closes off while somebody spoils the run that is to take another one's place."""
    deeds = Deeds(ground, chance, CLOSED_BY_SECOND)
    throttled = Fault(Kind.STATUS_BEFORE, 429, retry_after=chance.choice(("2", "20")))
    acts = [At(CLOSES, deed=deeds.next_to_successor, number=number) for number in (2, 4, 6)]
    acts.append(At(CLOSES, throttled, times=8))
    return await _disturbed(ground, chance, outcome, (deeds, acts))


async def _disturbed(
    ground: Ground, chance: random.Random, outcome: Outcome, doings: tuple[Deeds, list[At]]
) -> str:
    deeds, acts = doings
    ground.wire.actors += acts
    await _applier(ground, chance).apply()
    outcome.faults += len(deeds.done)
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    return str(deeds.done)


async def _limit(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Drop as many runs as the limits allow, or one more."""
    dropping = drop_some(chance, is_beyond=chance.random() < 0.5)
    await Applier(ground, [dropping.first]).apply()
    ended = await Applier(ground, [dropping.second]).apply()
    left = len(ground.open_runs(LIMIT_TEAM))
    outcome.problems += dropping.objections(ended.code, left)
    return str(dropping)


def _applier(ground: Ground, chance: random.Random) -> Applier:
    return Applier(ground, [SECOND], skip_blocked=True, rate=chance.choice((0, 20)))


STORIES: dict[str, Story] = {
    "calm": _calm,
    "weather": _weather,
    "death": _death,
    "people": _people,
    "aimed": _aimed,
    "succession": _succession,
    "limit": _limit,
}
USUAL = ("calm", "weather", "weather", "death", "people", "aimed", "succession", "limit")
