"""The model check: whatever users, people, faults and applies do, the promises hold."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from torture.model import Model

EXAMPLES = 25 * int(os.environ.get("TORTURE_TIMES", "1"))
STEPS = 30


@pytest.mark.parametrize("scope", ["project", "milestone", "none"])
def test_the_promises_hold_whatever_happens(scope):
    class Scoped(Model):
        """The model in one title scope."""

        scopes = (scope,)

    run_state_machine_as_test(
        Scoped,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
