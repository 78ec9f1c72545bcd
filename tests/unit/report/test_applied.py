import pytest
from golden import samples

from runs_as_code.errors import ExitCode
from runs_as_code.model.events import (
    ActionFinished,
    ActionStarted,
    ApplyStarted,
    Interrupted,
    VerificationStarted,
)
from runs_as_code.model.report import ApplyReport, Status
from runs_as_code.report.applied import EXITS, event_line, render_report
from runs_as_code.report.style import PLAIN

MAKE = samples.CREATE.actions[0]
CLOSE = samples.CLOSE.actions[0]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ApplyStarted(0), None),
        (ApplyStarted(1), "Applying 1 action"),
        (ApplyStarted(6), "Applying 6 actions"),
        (ActionStarted("embedded", "BD", "web-team", MAKE), None),
        (ActionStarted("embedded", "BD", "web-team", CLOSE), None),
        (
            ActionFinished(samples.result(MAKE, Status.DONE, run_id=61)),
            "BD cart-smoke: done  create revision r1 as `Cart smoke`: run 61",
        ),
        (
            ActionFinished(samples.result(CLOSE, Status.FAILED, "gone\x1b[2J")),
            r"BD sprint-23: failed  close run 9: gone\x1b[2J",
        ),
        (VerificationStarted(), "Reading back what is live"),
        (Interrupted(0), "Interrupted: finishing what is under way"),
        (Interrupted(2), "Interrupted: finishing what is under way; 2 actions not started"),
    ],
)
def test_one_line_per_event(event, line):
    assert event_line(event, PLAIN) == line


@pytest.mark.parametrize("status", list(Status))
def test_summary_comes_first_and_counts_every_status(status):
    report = ApplyReport(results=(samples.result(MAKE, status),) * 2)
    first, *_ = render_report(report, PLAIN).splitlines()
    assert first == f"Apply: 2 {status.value.replace('-', ' ')}"


def test_every_exit_code_has_a_meaning():
    assert set(EXITS) == set(ExitCode)


def test_results_of_a_key_stay_together_in_the_order_they_were_planned():
    results = tuple(
        samples.result(action, Status.DONE) for action in (MAKE, *samples.REPLACE.actions, CLOSE)
    )
    text = render_report(ApplyReport(results=results), PLAIN)
    order = [text.index(f"close run {run}") for run in (11, 12, 9)]
    assert order == sorted(order)
    assert text.index("clone run 12") < order[0]


def test_an_interrupted_apply_says_what_remains():
    lines = render_report(samples.INTERRUPTED, PLAIN).splitlines()
    assert "Interrupted: 1 action not done; run it again to go on" in lines
    assert lines[-1] == "Exit 130: interrupted"
