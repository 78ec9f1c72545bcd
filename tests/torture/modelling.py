"""The model check as a campaign: a few examples of a seed, none of them shrunk."""

import re

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from torture.campaigns import Outcome
from torture.model import Model
from torture.problems import Problem, Wrong

EXAMPLES = 3
STEPS = 30


def run_model(number: int) -> Outcome:
    """Play a few examples; what is wrong is in the outcome, with the steps that lead there."""
    outcome = Outcome(applies=0, story=f"hypothesis seed {number}")
    Model.applies = 0

    @seed(number)
    class Seeded(Model):
        """The model with a seed of its own."""

    try:
        run_state_machine_as_test(
            Seeded,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        outcome.problems.append(Problem(_kind(str(error)), str(error)))
        outcome.story += "".join(f"\n    {note}" for note in getattr(error, "__notes__", ()))
    outcome.applies = Model.applies
    return outcome


def _kind(text: str) -> Wrong:
    kinds = "|".join(re.escape(wrong.value) for wrong in Wrong)
    found = re.match(rf"({kinds}): ", text)
    return Wrong(found[1]) if found else Wrong.CONVERGENCE
