"""The order of actions, what stops what, and how many requests all of it takes."""

from dataclasses import replace

import pytest
from unit.engine.support import (
    LOST,
    REFUSED,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    marker,
    project_plan,
    replacement,
    run_apply,
    run_plans,
)

from runs_as_code.engine.context import PARALLEL_ACTIONS, StopSignal
from runs_as_code.errors import BadResponseError, ExitCode
from runs_as_code.model.actions import CloseReason
from runs_as_code.model.events import (
    ActionFinished,
    ActionStarted,
    ApplyStarted,
    Event,
    VerificationStarted,
)
from runs_as_code.model.live import LiveRun, StatusCounts
from runs_as_code.model.plan import Block
from runs_as_code.model.provider import Attempt, RunFields
from runs_as_code.model.report import Status


def test_a_close_comes_after_its_successor_was_made_and_seen() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.lag = 2
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.DONE}
    assert provider.writes == ["clone 1 a r2", "close 1"]
    between = provider.log[provider.log.index("clone 1 a r2") + 1 : -1]
    assert between == ["list False"] * 3


def test_a_successor_that_is_never_seen_closes_nothing() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.lag = 99
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert applied.result("make:a").run_id == 2
    assert sum(applied.clock.slept) == 10
    assert provider.runs[1].is_open
    assert applied.report.exit_code is ExitCode.UNVERIFIED


def stored_otherwise(**changes: object) -> FakeProvider:
    """Return a live side that changes what it stores."""
    provider = FakeProvider(live(1, "a", type="static", milestone_id=5, assignee_id=7))
    provider.stored = lambda run: replace(run, **changes)  # type: ignore[arg-type]  # by name
    return provider


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"assignee_id": None}, "instead of 7"),
        ({"milestone_id": 4}, "milestone 4 instead of 5"),
        ({"type": "static_struct"}, "type `static_struct` instead of `static`"),
        ({"description": "cut"}, "another marker"),
        ({"counts": StatusCounts()}, "is empty"),
    ],
)
def test_what_is_stored_otherwise_is_unverified(changes: dict[str, object], words: str) -> None:
    provider = stored_otherwise(**changes)
    made, closing = replacement(provider.runs[1], "a")
    made = replace(made, type="static", milestone_id=5, assignee_id=7)
    applied = run_apply(provider, made, closing)

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert words in applied.result("make:a").message
    assert applied.report.exit_code is ExitCode.UNVERIFIED
    assert provider.runs[1].is_open


def test_an_empty_run_may_follow_an_empty_one() -> None:
    provider = FakeProvider(live(1, "a", counts=StatusCounts()))
    provider.cases[1] = ()
    made, closing = replacement(provider.runs[1], "a")
    applied = run_apply(provider, replace(made, may_be_empty=True), closing)

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.DONE}


def test_the_members_of_a_static_clone_are_those_of_its_source() -> None:
    provider = FakeProvider(live(1, "a", type="static"))
    made, closing = replacement(provider.runs[1], "a")

    async def one_case_is_lost(source_id: int, fields: RunFields, _attempt: Attempt) -> int:
        return provider.add(fields, "static", provider.cases[source_id][:1])

    provider.clone_run = one_case_is_lost  # type: ignore[method-assign]  # scripted
    applied = run_apply(provider, replace(made, type="static"), closing)

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert "1 missing, 0 too many" in applied.result("make:a").message


@pytest.mark.parametrize("is_as_sent", [True, False])
def test_a_source_is_closed_only_after_its_clone_was_proved(*, is_as_sent: bool) -> None:
    """Nobody follows the source; still the clone is all that will be left to work in."""
    provider = FakeProvider(live(1, "a", type="static"))

    async def clone(source_id: int, fields: RunFields, _attempt: Attempt) -> int:
        cases = provider.cases[source_id]
        return provider.add(fields, "static", cases if is_as_sent else cases[:1])

    provider.clone_run = clone  # type: ignore[method-assign]  # scripted
    cloned = make("b", source_run=1, query_plans=(), type="static")
    applied = run_apply(provider, cloned, close(1, "a", cloned_by=("b",)))

    assert provider.runs[1].is_open is not is_as_sent
    if is_as_sent:
        assert set(applied.statuses.values()) == {Status.DONE}
        return
    assert applied.statuses == {"make:b": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert "1 missing, 0 too many" in applied.result("make:b").message


def test_the_members_of_a_static_create_are_the_declared_ones() -> None:
    provider = FakeProvider(live(1, "a", type="static"))
    made = make("a", 2, type="static", members=("a", "z"), known_runs=(1,))
    closing = close(1, "a", reason=CloseReason.REPLACED, successor_key="a")
    applied = run_apply(provider, made, closing)

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert "1 missing, 1 too many" in applied.result("make:a").message


def test_the_members_of_live_runs_are_not_compared() -> None:
    provider = FakeProvider(live(1, "a"))
    run_apply(provider, *replacement(provider.runs[1], "a"))

    assert provider.count("cases") == 0


def test_a_run_that_can_not_be_read_back_was_made_all_the_same() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["list"] = [Trouble(), *[Trouble(before=BadResponseError("HTML"))] * 9]
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert applied.result("make:a").run_id == 2
    assert "HTML" in applied.result("make:a").message


def test_a_clone_comes_after_its_source_was_verified() -> None:
    provider = FakeProvider()
    applied = run_apply(
        provider, make("b", source_key="a", query_plans=()), make("a"), make("c", source_key="b")
    )

    assert provider.log == [
        "create a r1",
        "list False",
        "clone 1 b r1",
        "list False",
        "clone 2 c r1",
    ]
    assert set(applied.statuses.values()) == {Status.DONE}


def test_a_clone_whose_source_failed_is_skipped_with_all_behind_it() -> None:
    provider = FakeProvider(live(9, "old"))
    provider.trouble["create"] = [Trouble(before=REFUSED)]
    applied = run_apply(
        provider,
        make("a"),
        make("b", source_key="a"),
        make("c", source_key="b"),
        close(9, "old", cloned_by=("c",)),
    )

    assert applied.statuses == {
        "make:a": Status.FAILED,
        "make:b": Status.SKIPPED,
        "make:c": Status.SKIPPED,
        "close:9": Status.SKIPPED,
    }
    assert "`make:a`" in applied.result("make:b").message
    assert provider.writes == ["create a r1"]


def test_a_run_is_closed_after_it_was_cloned() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.lag = 1
    applied = run_apply(provider, close(1, "a", cloned_by=("b",)), make("b", source_run=1))

    assert provider.writes == ["clone 1 b r1", "close 1"]
    assert set(applied.statuses.values()) == {Status.DONE}


def test_older_runs_of_a_key_are_closed_first() -> None:
    runs = [live(n, "a", n) for n in (1, 2, 3)]
    provider = FakeProvider(*runs)
    run_apply(provider, *(close(n, "a", n) for n in (3, 1, 2)))

    assert provider.writes == ["close 1", "close 2", "close 3"]


def test_the_newest_run_stays_open_when_an_older_one_could_not_be_closed() -> None:
    provider = FakeProvider(*(live(n, "a", n) for n in (1, 2)))
    provider.trouble["close"] = [Trouble(before=REFUSED)]
    applied = run_apply(provider, close(1, "a", 1), close(2, "a", 2))

    assert applied.statuses == {"close:1": Status.FAILED, "close:2": Status.SKIPPED}
    assert provider.runs[2].is_open


def test_one_failure_does_not_stop_independent_actions() -> None:
    provider = FakeProvider(live(1, "a"), live(2, "b"))
    provider.trouble["create"] = [Trouble(before=REFUSED), Trouble(), Trouble(before=LOST)]
    applied = run_apply(provider, make("x"), make("y"), make("z"), close(1, "a"), close(2, "b"))

    assert applied.statuses == {
        "make:x": Status.FAILED,
        "make:y": Status.DONE,
        "make:z": Status.DONE,
        "close:1": Status.DONE,
        "close:2": Status.DONE,
    }
    assert applied.report.exit_code is ExitCode.PARTIAL


def test_two_owners_of_a_project_do_not_stop_each_other() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=REFUSED)]
    applied = run_plans(provider, project_plan(make("a")), project_plan(make("b"), owner="others"))

    assert applied.statuses == {"make:a": Status.FAILED, "make:b": Status.DONE}
    assert [r.owner for r in applied.report.results] == ["team", "others"]


def test_what_is_withheld_is_not_done_and_says_so() -> None:
    provider = FakeProvider(live(1, "a"))
    blocked = project_plan(close(1, "a"), blocks=(Block("has-results", "no", flag="--approve a"),))
    applied = run_plans(provider, blocked, project_plan(make("b"), owner="others"))

    assert provider.writes == ["create b r1"]
    assert applied.report.exit_code is ExitCode.REFUSED


def test_a_refused_project_is_left_alone() -> None:
    provider = FakeProvider(live(1, "a"))
    refused = replace(project_plan(close(1, "a"), make("c")), refusals=(Block("limits", "no"),))
    applied = run_plans(provider, refused)

    assert provider.log == []
    assert applied.report.results == ()
    assert applied.report.exit_code is ExitCode.REFUSED


def test_only_so_many_actions_are_in_flight() -> None:
    provider = FakeProvider()
    run_apply(provider, *(make(f"k{n}") for n in range(50)))

    assert provider.most_in_flight == PARALLEL_ACTIONS
    assert len(provider.runs) == 50


def test_a_hundred_replacements_share_their_listings() -> None:
    runs = [live(n, f"k{n}") for n in range(1, 101)]
    provider = FakeProvider(*runs)
    actions = [action for run in runs for action in replacement(run, f"k{run.id}")]
    applied = run_apply(provider, *actions, verified=True)

    assert set(applied.statuses.values()) == {Status.DONE}
    assert provider.count("clone") == provider.count("close") == 100
    assert provider.count("list") < 40
    assert applied.report.calls == len(provider.log)


def test_a_hundred_closes_share_one_look() -> None:
    provider = FakeProvider(*(live(n, f"k{n}") for n in range(1, 101)))
    applied = run_apply(provider, *(close(n, f"k{n}") for n in range(1, 101)))

    assert set(applied.statuses.values()) == {Status.DONE}
    assert provider.count("list") == 1


# Interrupts.


def interrupting(
    stop: StopSignal, code: ExitCode = ExitCode.SIGINT, after: Exception | None = None
) -> Trouble:
    """Interrupt while a call is under way."""
    return Trouble(then=lambda: setattr(stop, "requested", code), after=after)


@pytest.mark.parametrize("code", [ExitCode.SIGINT, ExitCode.SIGTERM])
def test_an_interrupt_finishes_what_is_in_flight_and_starts_nothing(code: ExitCode) -> None:
    provider = FakeProvider()
    stop = StopSignal()
    provider.trouble["create"] = [interrupting(stop, code)]
    actions = [make(f"k{n:02}") for n in range(20)]
    applied = run_apply(provider, *actions, stop=stop)
    done = [a for a, status in applied.statuses.items() if status == Status.DONE]
    skipped = [a for a, status in applied.statuses.items() if status == Status.SKIPPED]

    assert len(done) == len(provider.runs) == PARALLEL_ACTIONS
    assert len(skipped) == 20 - PARALLEL_ACTIONS
    assert applied.report.exit_code is code


def test_an_interrupt_between_create_and_close_keeps_the_old_run_open() -> None:
    provider = FakeProvider(live(1, "a"))
    stop = StopSignal()
    provider.trouble["clone"] = [interrupting(stop)]
    applied = run_apply(provider, *replacement(provider.runs[1], "a"), stop=stop)

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.SKIPPED}
    assert applied.result("close:1").message
    assert provider.runs[1].is_open
    assert provider.runs[2].is_open


def test_a_lost_reply_is_looked_after_in_spite_of_an_interrupt() -> None:
    provider = FakeProvider()
    stop = StopSignal()
    provider.trouble["create"] = [interrupting(stop, after=LOST)]
    applied = run_apply(provider, make("a"), stop=stop)

    assert applied.statuses == {"make:a": Status.DONE}
    assert applied.result("make:a").run_id == 1


def test_events_tell_the_whole_story() -> None:
    provider = FakeProvider(live(1, "a"))
    events: list[Event] = []
    run_apply(provider, *replacement(provider.runs[1], "a"), verified=True, listener=events.append)

    assert [type(event) for event in events] == [
        ApplyStarted,
        ActionStarted,
        ActionFinished,
        ActionStarted,
        ActionFinished,
        VerificationStarted,
    ]
    assert events[0] == ApplyStarted(total=2)


def test_a_skipped_action_is_finished_too() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=REFUSED)]
    events: list[Event] = []
    run_apply(provider, make("a"), make("b", source_key="a"), listener=events.append)
    finished = [event.result.status for event in events if isinstance(event, ActionFinished)]

    assert finished == [Status.FAILED, Status.SKIPPED]


# Reading back after everything.


def test_every_run_of_the_apply_is_seen_afterwards() -> None:
    provider = FakeProvider()
    provider.lag = 2
    applied = run_apply(provider, make("a"), verified=True)

    assert provider.log == ["create a r1", *["list None"] * 3]
    assert applied.statuses == {"make:a": Status.DONE}
    assert applied.report.is_verified


def test_a_run_that_is_never_seen_is_unverified() -> None:
    provider = FakeProvider()
    provider.lag = 99
    applied = run_apply(provider, make("a"), verified=True)

    assert applied.statuses == {"make:a": Status.UNVERIFIED}
    assert sum(applied.clock.slept) == 10
    assert applied.report.exit_code is ExitCode.UNVERIFIED


def test_a_run_that_somebody_closed_at_once_is_news_and_no_fault() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(then=lambda: provider.change(1, closed_at="now"))]
    applied = run_apply(provider, make("a"), verified=True)

    assert applied.statuses == {"make:a": Status.DONE}
    assert [finding.key for finding in applied.report.changed_by_others] == ["a"]
    assert applied.report.exit_code is ExitCode.DONE


def test_a_server_that_closes_nothing_is_found_out() -> None:
    provider = FakeProvider(live(1, "a"))

    async def says_so_only(run_id: int, _attempt: Attempt) -> None:
        provider.log.append(f"close {run_id}")

    provider.close_run = says_so_only  # type: ignore[method-assign]  # scripted
    applied = run_apply(provider, close(1, "a"), verified=True)

    assert applied.statuses == {"close:1": Status.UNVERIFIED}
    assert "still open" in applied.result("close:1").message
    assert applied.report.exit_code is ExitCode.UNVERIFIED


def test_a_server_that_dies_after_the_last_write_leaves_a_report() -> None:
    provider = FakeProvider()
    provider.trouble["list"] = [Trouble(before=BadResponseError("HTML")) for _ in range(9)]
    applied = run_apply(provider, make("a"), verified=True)

    assert applied.result("make:a").run_id == 1
    assert "HTML" in str(applied.report)
    assert applied.report.exit_code is ExitCode.UNVERIFIED
    assert not applied.report.is_verified


def test_without_verification_nothing_is_read_back() -> None:
    provider = FakeProvider()
    applied = run_apply(provider, make("a"))

    assert provider.log == ["create a r1"]
    assert not applied.report.is_verified


def test_a_twin_in_a_project_without_unique_titles_is_found_out() -> None:
    """Nothing keeps two pipelines apart there; the one that was later must not close anything."""
    provider = FakeProvider(live(1, "a"), has_unique_titles=False)
    made, closing = replacement(provider.runs[1], "a")
    provider.add(RunFields(made.title, made.description))
    applied = run_apply(provider, made, closing)

    assert applied.statuses == {"make:a": Status.UNVERIFIED, "close:1": Status.SKIPPED}
    assert "run 2" in applied.result("make:a").message


def test_nothing_to_do_costs_nothing() -> None:
    provider = FakeProvider(LiveRun(1, "x", marker("x"), "live", StatusCounts()))
    applied = run_plans(provider, project_plan(), verified=True)

    assert provider.log == []
    assert applied.report.exit_code is ExitCode.DONE
