"""A plan that was reviewed before: exactly what it says, or nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from unit.engine.support import (
    MOMENT,
    REFUSED,
    Applied,
    FakeClock,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    marker,
    project_plan,
    replacement,
)

from runs_as_code.engine.applying import ApplySettings, apply_jobs
from runs_as_code.engine.reviewed import review_plan
from runs_as_code.errors import ExitCode, RefusedError, StaleError
from runs_as_code.model.actions import Action, CloseReason
from runs_as_code.model.live import Listing
from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.model.provider import RunFields
from runs_as_code.model.report import Status


def review_and_apply(provider: FakeProvider, *actions: Action) -> Applied:
    return review_and_apply_plans(provider, project_plan(*actions))


def review_and_apply_plans(provider: FakeProvider, *plans: ProjectPlan) -> Applied:
    clock = FakeClock()

    async def both() -> Applied:
        left, jobs = await review_plan(Plan(MOMENT, plans), lambda _server, _project: provider)
        report = await apply_jobs(left, jobs, ApplySettings(clock=clock.clock))
        return Applied(report, provider, clock)

    return asyncio.run(both())


def replaced() -> tuple[FakeProvider, tuple[Action, ...]]:
    provider = FakeProvider(live(1, "a"))
    return provider, replacement(provider.runs[1], "a")


def test_a_clone_of_another_owner_is_proved_again_before_its_source_is_closed() -> None:
    plans = (
        project_plan(close(1, "a", cloned_by=("others/b",)), owner="team"),
        project_plan(make("b", source_run=1, assignee_id=7), owner="others"),
    )
    provider = FakeProvider(live(1, "a"))
    provider.trouble["close"] = [Trouble(before=REFUSED)]
    assert review_and_apply_plans(provider, *plans).statuses["close:1"] == Status.FAILED
    made = max(provider.runs)
    provider.runs[made] = replace(provider.runs[made], assignee_id=None)

    applied = review_and_apply_plans(provider, *plans)
    assert applied.statuses == {"close:1": Status.SKIPPED, "make:b": Status.UNVERIFIED}
    assert provider.runs[1].is_open


def test_a_fresh_plan_is_applied() -> None:
    provider, actions = replaced()
    applied = review_and_apply(provider, *actions, make("b"))

    assert sorted(provider.writes) == ["clone 1 a r2", "close 1", "create b r1"]
    assert set(applied.statuses.values()) == {Status.DONE}
    assert applied.report.exit_code is ExitCode.DONE


def test_a_consumed_plan_is_done_already() -> None:
    provider, actions = replaced()
    review_and_apply(provider, *actions)
    provider.log.clear()
    applied = review_and_apply(provider, *actions)

    assert provider.writes == []
    assert applied.statuses == {"make:a": Status.ALREADY_DONE, "close:1": Status.ALREADY_DONE}
    assert applied.result("make:a").run_id == 2
    assert applied.report.exit_code is ExitCode.DONE


def test_a_half_consumed_plan_is_finished_after_another_proof() -> None:
    """A close that is left must not trust a run that nobody proved."""
    provider, (made, closing) = replaced()
    review_and_apply(provider, made)
    provider.log.clear()
    applied = review_and_apply(provider, made, closing)

    assert provider.writes == ["close 1"]
    assert applied.statuses == {"make:a": Status.ALREADY_DONE, "close:1": Status.DONE}


def test_a_half_consumed_plan_does_not_close_for_a_successor_that_is_wrong() -> None:
    provider, (made, closing) = replaced()
    review_and_apply(provider, made)
    provider.change(2, type="static")
    applied = review_and_apply(provider, made, closing)

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert provider.runs[1].is_open
    assert applied.report.exit_code is ExitCode.UNVERIFIED


def stale(provider: FakeProvider, *actions: Action) -> str:
    with pytest.raises(StaleError) as caught:
        review_and_apply(provider, *actions)
    assert provider.writes == []
    assert caught.value.hint
    return caught.value.message


def change_results(provider: FakeProvider) -> None:
    provider.record(1, 1)


def delete_marker(provider: FakeProvider) -> None:
    provider.change(1, description="Mine")


def take_title(provider: FakeProvider) -> None:
    provider.add(RunFields("A  R2", "By hand"))


def apply_another_commit(provider: FakeProvider) -> None:
    provider.add(RunFields("other", marker("a", 2, "bbbbbbbb")))


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (change_results, "run 1 got 1 more results"),
        (delete_marker, "run 1 bears another marker"),
        (take_title, "run 2 took the title `a r2` meanwhile"),
        (apply_another_commit, "run 2 was made for this key meanwhile"),
    ],
)
def test_what_changed_since_the_review_is_explained(
    happens: Callable[[FakeProvider], None], words: str
) -> None:
    provider, actions = replaced()
    happens(provider)
    message = stale(provider, *actions, make("b"))

    assert words in message
    assert "`a`" in message
    assert "`b`" not in message


def test_a_source_that_is_gone_is_explained() -> None:
    assert "run 5, which it is cloned from" in stale(FakeProvider(), make("a", source_run=5))


def test_everything_that_is_stale_is_explained_at_once() -> None:
    provider = FakeProvider(live(1, "a", time_spent=1), live(2, "x", title="b r1"))
    message = stale(provider, close(1, "a"), make("b"))

    assert "run 1" in message
    assert "run 2" in message


def test_one_stale_project_stops_the_other() -> None:
    provider = FakeProvider(live(1, "a", time_spent=1))
    plans = (project_plan(make("b"), owner="others"), project_plan(close(1, "a")))

    with pytest.raises(StaleError):
        review_and_apply_plans(provider, *plans)
    assert provider.writes == []


def test_a_successor_that_somebody_closed_is_stale() -> None:
    provider = FakeProvider(live(1, "a"), live(2, "a", 2, closed_at=MOMENT))
    older = close(1, "a", reason=CloseReason.OLDER, successor_run=2)

    assert "no open successor: run 2" in stale(provider, older)


def test_a_made_successor_that_somebody_closed_is_stale() -> None:
    provider, (made, closing) = replaced()
    review_and_apply(provider, made)
    provider.change(2, closed_at=MOMENT)
    provider.log.clear()

    assert "no open successor: run 2" in stale(provider, made, closing)


def test_a_later_revision_does_not_stop_a_consumed_plan() -> None:
    """The plan was applied, then a newer manifest: nothing is left of the old one."""
    provider, actions = replaced()
    review_and_apply(provider, *actions)
    later = make("a", 3, source_run=2, known_runs=(1, 2))
    review_and_apply(provider, later, close(2, "a", 2, successor_key="a"))
    provider.log.clear()
    applied = review_and_apply(provider, *actions)

    assert provider.writes == []
    assert set(applied.statuses.values()) == {Status.ALREADY_DONE}
    assert applied.report.exit_code is ExitCode.DONE


def test_a_copy_of_the_made_run_changes_nothing() -> None:
    provider, actions = replaced()
    review_and_apply(provider, *actions)
    provider.add(RunFields("Copy of Bob", provider.runs[2].description))
    applied = review_and_apply(provider, *actions)

    assert applied.result("make:a").run_id == 2
    assert applied.report.exit_code is ExitCode.DONE


def test_a_clone_takes_a_source_that_was_made_before() -> None:
    provider = FakeProvider()
    source, clone = make("a"), make("b", source_key="a", query_plans=())
    review_and_apply(provider, source)
    provider.log.clear()
    applied = review_and_apply(provider, source, clone)

    assert provider.writes == ["clone 1 b r1"]
    assert applied.statuses == {"make:a": Status.ALREADY_DONE, "make:b": Status.DONE}


def test_an_incomplete_listing_is_refused() -> None:
    """Runs that are missing from it would be taken for free titles and closed runs."""
    provider, actions = replaced()
    complete = provider.list_runs

    async def incomplete(*, closed: bool | None = None) -> Listing:
        return replace(await complete(closed=closed), open_counter=5)

    provider.list_runs = incomplete  # type: ignore[method-assign]  # scripted
    with pytest.raises(RefusedError, match="counts 5 open"):
        review_and_apply(provider, *actions)
    assert provider.writes == []


def test_each_project_is_listed_once_to_be_reviewed() -> None:
    provider, actions = replaced()
    review_and_apply(provider, *actions)
    provider.log.clear()
    review_and_apply_plans(provider, project_plan(*actions), project_plan(owner="others"))

    assert provider.log == ["list None"] * 2  # once to review, once to prove


def test_a_close_that_becomes_stale_after_the_review_writes_nothing() -> None:
    provider, actions = replaced()
    provider.trouble["list"] = [Trouble(then=lambda: provider.record(1, 1))]

    with pytest.raises(StaleError, match="more results"):
        review_and_apply(provider, *actions)
    assert provider.writes == []
