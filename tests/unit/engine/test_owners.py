"""Owners of one project beside one another: who clones from whose run before it is closed."""

import pytest
from unit.engine.support import (
    REFUSED,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    project_plan,
    run_plans,
)

from runs_as_code.model.report import Status

CLOSING = project_plan(close(1, "a", cloned_by=("others/b",)), owner="team")
CLONING = project_plan(make("b", source_run=1), owner="others")


@pytest.mark.parametrize("plans", [(CLOSING, CLONING), (CLONING, CLOSING)], ids=["first", "last"])
def test_a_run_is_closed_after_another_owner_cloned_it(plans) -> None:
    provider = FakeProvider(live(1, "a"))
    provider.lag = 1
    applied = run_plans(provider, *plans)

    assert applied.statuses == {"close:1": Status.DONE, "make:b": Status.DONE}
    assert provider.writes == ["clone 1 b r1", "close 1"]
    assert "list False" in provider.log[provider.log.index("clone 1 b r1") : -1]


def test_a_run_stays_open_when_another_owner_could_not_clone_it() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["clone"] = [Trouble(before=REFUSED)]
    applied = run_plans(provider, CLOSING, CLONING)

    assert applied.statuses == {"close:1": Status.SKIPPED, "make:b": Status.FAILED}
    assert "`make:others/b`" in applied.result("close:1").message
    assert provider.runs[1].is_open


def test_a_clone_that_an_earlier_apply_made_is_not_waited_for() -> None:
    provider = FakeProvider(live(1, "a"))
    applied = run_plans(provider, CLOSING, project_plan(owner="others"))

    assert applied.statuses == {"close:1": Status.DONE}
