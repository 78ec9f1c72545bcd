"""A campaign in this process and on virtual time: many cases in the time of one real one."""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from torture.acts import CLOSES, MAKES, MEMBERS, OPEN_LISTS, At, Watch
from torture.applier import Applier, lies
from torture.campaigns import MANGLINGS, SCOPES, Outcome
from torture.deeds import Deeds
from torture.estate import CLOSED_BY_SECOND, CROWD, INHERITED, OPEN_AFTER, OWNER, SECOND, reworded
from torture.faults import Fault, Kind, Weather, dice
from torture.ground import Ground
from torture.limiting import LIMIT_TEAM, drop_some
from torture.problems import Problem, Wrong
from torture.settling import one_run_each, outcomes, settle
from torture.virtual import VirtualRunner

from runs_as_code.engine.context import StopSignal
from runs_as_code.errors import ExitCode
from runs_as_code.server.options import ServerOptions, TitleScope

PROGRAM = (
    "calm",
    "lost",
    "lost",
    "weather",
    "weather",
    "death",
    "people",
    "aimed",
    "put off",
    "older",
    "storm",
    "limit of closes",
    "limit of percent",
    "inherited",
    "stopped",
)
"""The kinds of cases that each round of the campaign plays, in this order."""

LOST = (Kind.LOST_AFTER, Kind.TIMEOUT_AFTER, Kind.STATUS_AFTER, Kind.BROKEN_OFF, Kind.HALF_JSON)
MOMENTS = ((OPEN_LISTS, 2, 4), (MAKES, 1, 8), (CLOSES, 1, 3), (MEMBERS, 1, 2))
"""Between the check before the first write and the last close: paths, and their first to last."""

BEYOND = 0.8
LATENCIES = (0.01, 0.05, 0.4)

Story = Callable[[Ground, random.Random, Outcome], Awaitable[str]]


def run_virtually(seed: int, number: int, estate: Path) -> Outcome:
    """Play every kind of case; a seed and a number make the same ones."""
    outcome = Outcome(cases=len(PROGRAM))
    for case, kind in enumerate(PROGRAM):
        scope = SCOPES[(number + case) % len(SCOPES)]
        played = play(f"{seed} virtual {number} {case}", estate, scope=scope, kind=kind)
        outcome.faults += played.faults
        outcome.applies += played.applies
        outcome.problems += played.problems
        outcome.story += f"{played.story}; " if played.problems else ""
    return outcome


def play(seed: str, estate: Path, *, scope: TitleScope, kind: str) -> Outcome:
    """Play one case; the same arguments make the same one."""
    chance = dice(seed)
    outcome = Outcome()
    if kind == "lost":
        scope = "none"
    options = ServerOptions(title_scope=scope, mangle_text=chance.choice(MANGLINGS))
    runner = VirtualRunner()
    with tempfile.TemporaryDirectory(prefix="torture-case-") as folder:
        ground = Ground(Path(folder), options, estate)
        ground.wire.latency, ground.wire.chance = chance.choice(LATENCIES), dice(f"{seed} latency")
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


async def _lost(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Lose the reply to one create or clone that was carried out, where titles tell nothing."""
    fault = Fault(chance.choice(LOST), status=chance.choice((500, 502, 503, 504, 408)))
    act = At(MAKES, fault, number=chance.randint(1, 8))
    ground.wire.actors.append(act)
    ended = await _applier(ground, chance).apply()
    await ground.wire.quiet()
    outcome.problems += lies(ground, ended)
    outcome.faults += act.done
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return f"{fault.kind.value} at write {act.number}"


async def _death(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Die at some call."""
    number, is_carried_out = chance.randrange(1, 40), chance.random() < 0.5
    await _applier(ground, chance).killed(number, is_carried_out=is_carried_out)
    outcome.faults += 1
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return f"at call {number}"


async def _inherited(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Clone a run and close it, and perhaps lose what would prove the clone."""
    act = At(chance.choice((MEMBERS, OPEN_LISTS)), Fault(Kind.HTML), number=chance.randint(2, 9))
    ground.wire.actors.append(act)
    ended = await Applier(ground, [INHERITED], rate=chance.choice((0, 20))).apply()
    await ground.wire.quiet()
    outcome.problems += lies(ground, ended)
    outcome.faults += act.done
    outcome.problems += await settle(ground, [INHERITED], skip_blocked=True)
    outcome.problems += one_run_each(ground, OWNER, {*OPEN_AFTER, "heir"})
    return str(outcomes(ended))


async def _stopped(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Stop while writes are put off and replies are lost: nothing more may be sent."""
    throttled = Fault(Kind.STATUS_BEFORE, 429, retry_after=chance.choice((None, "5", "60")))
    weather = Weather(chance.randrange(10**9), 0.2, most=40)
    stop = StopSignal()
    loop = asyncio.get_running_loop()
    after = chance.choice((0.3, 1.0, 5.0, 30.0)) * chance.random()
    watch = Watch(loop.time() + after)
    number = chance.randint(1, 8)
    ground.wire.actors += [weather, At(MAKES, throttled, number=number, times=0)]
    ground.wire.actors += [At(CLOSES, throttled, times=chance.choice((0, 6))), watch]
    loop.call_at(watch.moment, setattr, stop, "requested", ExitCode.SIGTERM)
    # Who closes at such a rate waits longer for a turn than a look lasts.
    rate = chance.choice((0, 2, 20))
    document = CROWD if rate == 2 else SECOND
    ended = await Applier(ground, [document], skip_blocked=True, rate=rate, stop=stop).apply()
    await ground.wire.quiet()
    late = [Problem(Wrong.WRITE, f"{call.path} after a signal") for call in watch.late]
    outcome.problems += [*late, *lies(ground, ended)]
    outcome.faults += weather.hits
    outcome.problems += await settle(ground, [document], skip_blocked=True)
    keys = OPEN_AFTER if document is SECOND else document["runs"]
    outcome.problems += one_run_each(ground, OWNER, keys)
    return f"after {after:.2f} s, {outcomes(ended)}"


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


async def _put_off(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Put closes off, and meanwhile spoil runs that are to be closed and what takes their place."""
    deeds = Deeds(ground, chance, CLOSED_BY_SECOND)
    throttled = Fault(Kind.STATUS_BEFORE, 429, retry_after=chance.choice(("2", "20")))
    doings = [deeds.record_in_victim, deeds.spoil_marker_of_victim]
    chance.shuffle(doings)
    acts = [At(CLOSES, deed=deed, number=number) for number, deed in enumerate(doings, start=2)]
    # The first closes are of runs that nothing follows.
    acts.append(At(CLOSES, deed=deeds.next_to_successor, number=7, times=2))
    acts.append(At(CLOSES, throttled, times=12))
    return await _disturbed(ground, chance, outcome, (deeds, acts))


async def _older(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Leave several revisions of each key open, then lose closes while successors are spoilt."""
    wall = At(CLOSES, Fault(Kind.STATUS_BEFORE, 429), times=0)
    for number in range(2):
        ground.wire.actors.append(wall)
        await Applier(ground, [reworded(number)]).apply()
        ground.wire.actors.clear()
    deeds = Deeds(ground, chance, CLOSED_BY_SECOND)
    acts = [
        At(CLOSES, Fault(Kind.LOST_AFTER), times=chance.randint(3, 9)),
        At(CLOSES, deed=deeds.next_to_successor, times=chance.randint(1, 4)),
    ]
    # So quick that one look serves all closes, were it not for those that come meanwhile.
    ground.wire.latency = 0.02
    quick = Applier(ground, [SECOND], skip_blocked=True)
    return await _disturbed(ground, chance, outcome, (deeds, acts), quick)


async def _storm(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Lose replies while somebody spoils runs."""
    weather = Weather(chance.randrange(10**9), chance.choice((0.1, 0.3)), most=40)
    ground.wire.actors.append(weather)
    story = await _aimed(ground, chance, outcome)
    outcome.faults += weather.hits
    return f"{weather.hits} faults, {story}"


async def _disturbed(
    ground: Ground,
    chance: random.Random,
    outcome: Outcome,
    doings: tuple[Deeds, list[At]],
    applier: Applier | None = None,
) -> str:
    deeds, acts = doings
    ground.wire.actors += acts
    await (applier or _applier(ground, chance)).apply()
    await ground.wire.quiet()
    outcome.faults += len(deeds.done)
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    return str(deeds.done)


def _limit(name: str) -> Story:
    """Return the story that drops as many runs as a limit allows, or one more."""

    async def drop(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
        dropping = drop_some(chance, name, is_beyond=chance.random() < BEYOND)
        await Applier(ground, [dropping.first]).apply()
        ended = await Applier(ground, [dropping.second]).apply()
        left = len(ground.open_runs(LIMIT_TEAM))
        outcome.problems += dropping.objections(ended.code, left)
        return str(dropping)

    return drop


def _applier(ground: Ground, chance: random.Random) -> Applier:
    return Applier(ground, [SECOND], skip_blocked=True, rate=chance.choice((0, 20)))


STORIES: dict[str, Story] = {
    "calm": _calm,
    "lost": _lost,
    "weather": _weather,
    "death": _death,
    "people": _people,
    "aimed": _aimed,
    "put off": _put_off,
    "older": _older,
    "storm": _storm,
    "limit of closes": _limit("close"),
    "limit of percent": _limit("percent"),
    "inherited": _inherited,
    "stopped": _stopped,
}
