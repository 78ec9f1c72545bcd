"""A campaign in this process and on virtual time: many cases in the time of one real one."""

import random
import tempfile
from pathlib import Path

from torture.acts import At
from torture.applier import Applier, lies
from torture.campaigns import MANGLINGS, SCOPES, Outcome
from torture.deeds import Deeds
from torture.estate import OPEN_AFTER, OWNER, SECOND
from torture.faults import Weather
from torture.ground import Ground
from torture.settling import one_run_each, outcomes, settle
from torture.virtual import VirtualRunner

from runs_as_code.server import ServerOptions

CASES = 10


def run_virtually(seed: int, number: int, estate: Path) -> Outcome:
    """Play some cases; a seed and a number make the same ones."""
    outcome = Outcome(cases=CASES)
    runner = VirtualRunner()
    try:
        for case in range(CASES):
            chance = random.Random(f"{seed} virtual {number} {case}")  # noqa: S311 -- repeatable
            with tempfile.TemporaryDirectory(prefix="torture-case-") as folder:
                options = ServerOptions(
                    title_scope=SCOPES[case % 3], mangle_text=chance.choice(MANGLINGS)
                )
                ground = Ground(Path(folder), options, estate)
                story = runner.run(_play(ground, chance, outcome))
                found = ground.objections()
                ground.close()
            outcome.applies += ground.applies
            if found or len(outcome.problems) > outcome.told:
                outcome.problems += found
                outcome.told = len(outcome.problems)
                outcome.story += f"{options.title_scope}: {story}; "
    finally:
        runner.close()
    return outcome


async def _play(ground: Ground, chance: random.Random, outcome: Outcome) -> str:
    """Apply while replies are lost, or die, or while somebody works; then in peace."""
    kind = chance.choice(("weather", "weather", "death", "people"))
    applier = Applier(ground, [SECOND], skip_blocked=True, rate=chance.choice((0, 20)))
    story = kind
    if kind == "death":
        await applier.killed(chance.randrange(1, 40), is_carried_out=chance.random() < 0.5)
        outcome.faults += 1
    elif kind == "people":
        deeds = Deeds(ground, chance)
        ground.wire.actors.append(At("", deed=deeds.next, number=chance.randrange(2, 30)))
        await applier.apply()
        outcome.faults += len(deeds.done)
        story = f"{kind} {deeds.done}"
    else:
        weather = Weather(chance.randrange(10**9), chance.choice((0.1, 0.3)), most=40)
        ground.wire.actors.append(weather)
        ended = await applier.apply()
        await ground.wire.quiet()
        outcome.problems += lies(ground, ended)
        outcome.faults += weather.hits
        story = f"{kind} {outcomes(ended)}"
    outcome.problems += await settle(ground, [SECOND], skip_blocked=True)
    if kind != "people":
        outcome.problems += one_run_each(ground, OWNER, OPEN_AFTER)
    return story
