"""The model check: whatever users, people, faults and applies do, the promises hold."""

import os

from hypothesis import HealthCheck, settings
from torture.model import Model

TIMES = int(os.environ.get("TORTURE_TIMES", "1"))

TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=60 * TIMES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
