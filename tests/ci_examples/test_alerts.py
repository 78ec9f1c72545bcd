"""The alerts of docs/reconcile.md: each asks for a metric that there is; one is for a dead loop."""

import re
from typing import Any

import pytest
import yaml
from ci_examples.forge import ROOT

from runs_as_code.engine.reconcile.metrics import Metrics

PAGE = (ROOT / "docs" / "reconcile.md").read_text("utf-8")
BLOCK = re.search(r"```yaml\n(groups:.*?)```", PAGE, re.DOTALL)
assert BLOCK is not None
ALERTS: list[dict[str, Any]] = yaml.safe_load(BLOCK[1])["groups"][0]["rules"]
ABSENT = re.compile(r"absent\((\w+)\)")


@pytest.fixture
def families() -> set[str]:
    """Return the metrics of a process, be it before its first round."""
    text = Metrics("0.1.0").render()
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_a_metric_that_there_is(alert: dict[str, Any], families: set[str]):
    asked = set(re.findall(r"qarun_\w+", alert["expr"]))
    assert asked
    assert asked <= families


def test_one_alert_tells_of_a_loop_that_is_dead():
    # All others are about series, and a dead loop has none.
    (name,) = [found[1] for each in ALERTS if (found := ABSENT.fullmatch(each["expr"]))]
    # It must be there from the first moment on, else it would tell of a loop that has just begun.
    assert re.search(rf"^{name}{{.*}} 1", Metrics("0.1.0").render(), re.MULTILINE)
