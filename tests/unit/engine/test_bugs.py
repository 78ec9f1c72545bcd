"""Errors that nobody foresaw: they end no more than their own action, and the report is there."""

import asyncio
import re
from typing import Any

import pytest
from unit.engine.support import (
    MOMENT,
    FakeClock,
    FakeProvider,
    Trouble,
    close,
    live,
    make,
    project_plan,
    replacement,
    run,
    run_apply,
    run_plans,
)

from runs_as_code.engine import executor, runlog, verification
from runs_as_code.engine.applying import ApplySettings, Job, apply_jobs
from runs_as_code.engine.bugs import bug_words
from runs_as_code.errors import ExitCode
from runs_as_code.model.events import ActionFinished, Event, Noted
from runs_as_code.model.plan import Plan
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.report import ApplyReport, Status

WHERE = Provenance((("commit", "3f2c"),))


def bug(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


def notes(heard: list[Event]) -> list[str]:
    return [event.message for event in heard if isinstance(event, Noted)]


class SlowProvider(FakeProvider):
    """A live side whose second write takes so long that everything else is over by then."""

    async def slowly(self) -> None:
        if len(self.attempts) == 2:
            await asyncio.sleep(0.05)


def slow(*runs: Any) -> FakeProvider:
    provider = SlowProvider(*runs)
    provider.queue = provider.slowly
    return provider


@pytest.mark.parametrize("kind", ["create", "clone", "close"])
def test_a_bug_leaves_its_action_unknown_and_the_others_alone(kind: str) -> None:
    provider = slow(live(1, "old"))
    actions = {
        "create": make("a"),
        "clone": make("a", source_run=1, query_plans=()),
        "close": close(1, "old"),
    }
    provider.trouble[kind] = [Trouble(after=RuntimeError("a bug"))]
    others = [make("b"), make("c")] if kind == "clone" else [make("b", source_run=1)]
    applied = run_apply(provider, actions[kind], *others)

    result = applied.result(actions[kind].address)
    assert result.status is Status.UNKNOWN
    place = "closing" if kind == "close" else "making"
    assert re.match(
        rf"internal error: RuntimeError \(engine/{place}\.py:\d+\); it may or may not have",
        result.message,
    )
    where = "at run 1" if kind == "close" else "for `a r1`"
    assert f"look {where} in the web page, plan again, and report this" in result.message
    assert {applied.result(other.address).status for other in others} == {Status.DONE}
    assert applied.report.exit_code is ExitCode.PARTIAL


def test_a_bug_alone_ends_with_an_error() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=RuntimeError("a bug"))]
    heard: list[Event] = []
    applied = run_apply(provider, make("a"), verified=True, listener=heard.append)

    assert applied.report.exit_code is ExitCode.ERROR
    assert [e.result.status for e in heard if isinstance(e, ActionFinished)] == [Status.UNKNOWN]


def test_what_depends_on_a_bug_is_skipped() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["clone"] = [Trouble(after=RuntimeError("a bug"))]
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    assert applied.statuses == {"make:a": Status.UNKNOWN, "close:1": Status.SKIPPED}
    assert provider.runs[1].is_open


def test_a_bug_in_one_project_does_not_hide_another() -> None:
    """Nothing goes on unseen: what is returned is told of all."""
    first, second = FakeProvider(), slow()
    first.trouble["create"] = [Trouble(before=RuntimeError("a bug"))]
    plans = [(first, project_plan(make("a"))), (second, project_plan(make("b"), make("c")))]
    jobs = [Job(provider, (plan,)) for provider, plan in plans]
    settings = ApplySettings(clock=FakeClock().clock, is_verified=False)
    report: ApplyReport = run(
        apply_jobs(Plan(MOMENT, tuple(plan for _, plan in plans)), jobs, settings)
    )

    assert [result.status for result in report.results] == [Status.UNKNOWN, "done", "done"]
    assert (second.in_flight, len(second.runs)) == (0, 2)
    assert report.exit_code is ExitCode.PARTIAL


@pytest.mark.parametrize("is_in_words", [True, False])
def test_a_bug_in_a_line_of_a_log_ends_no_write(
    monkeypatch: pytest.MonkeyPatch, *, is_in_words: bool
) -> None:
    provider = slow()
    if is_in_words:
        monkeypatch.setattr(runlog, "log_comment", bug)
    provider.trouble["log"] = [Trouble(before=RuntimeError("a bug"))]
    heard: list[Event] = []
    applied = run_apply(
        provider, make("a"), make("b"), make("c"), provenance=WHERE, listener=heard.append
    )

    assert set(applied.statuses.values()) == {Status.DONE}
    assert applied.report.exit_code is ExitCode.DONE
    (note,) = notes(heard)
    lost = "where this apply comes from is not in the log of run 1"
    assert note.startswith(f"{lost}: internal error: RuntimeError (engine/runlog.py:")


@pytest.mark.parametrize("is_deaf", [True, False])
def test_who_listens_can_not_end_an_apply(*, is_deaf: bool) -> None:
    heard: list[Event] = []

    def listen(event: Event) -> None:
        if is_deaf or not isinstance(event, Noted):
            raise RuntimeError("a bug")
        heard.append(event)

    provider = FakeProvider(live(1, "a"))
    applied = run_apply(
        provider, *replacement(provider.runs[1], "a"), verified=True, listener=listen
    )

    assert applied.statuses == {"make:a": Status.DONE, "close:1": Status.DONE}
    assert applied.report.is_verified
    told = "something could not be shown: internal error: RuntimeError (engine/applying.py:"
    assert [note.startswith(told) for note in notes(heard)] == [True] * (not is_deaf)


def test_a_run_that_can_not_be_proved_for_a_bug_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "verify_made", bug)
    provider = FakeProvider(live(1, "a"))
    applied = run_apply(provider, *replacement(provider.runs[1], "a"))

    made = applied.result("make:a")
    assert (made.status, made.run_id) == (Status.UNVERIFIED, 2)
    assert made.message.startswith("could not be read back: internal error: RuntimeError (")
    assert applied.statuses["close:1"] == Status.SKIPPED


@pytest.mark.parametrize("where", ["made_objection", "_first_bearers"])
def test_a_bug_while_reading_back_leaves_a_report(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(verification, where, bug)
    provider = FakeProvider()
    plans = (project_plan(make("a")), project_plan(make("b"), owner="others"))
    applied = run_plans(provider, *plans, verified=True)

    assert set(applied.statuses.values()) == {Status.UNVERIFIED}
    assert {result.run_id for result in applied.report.results} == {1, 2}
    assert not applied.report.is_read_back
    assert applied.report.exit_code is ExitCode.UNVERIFIED


class KilledError(BaseException):
    """The process ends here."""


def test_what_is_under_way_elsewhere_ends_before_an_apply_does() -> None:
    first, second = FakeProvider(), slow()
    first.trouble["create"] = [Trouble(before=KilledError())]  # type: ignore[arg-type]  # a kill
    plans = [(first, project_plan(make("a"))), (second, project_plan(make("b"), make("c")))]
    jobs = [Job(provider, (plan,)) for provider, plan in plans]
    settings = ApplySettings(clock=FakeClock().clock, is_verified=False)

    with pytest.raises(BaseExceptionGroup):
        run(apply_jobs(Plan(MOMENT, tuple(plan for _, plan in plans)), jobs, settings))
    assert len(second.runs) == 2


def test_what_an_error_says_itself_is_not_told() -> None:
    """It may hold the key, which nobody here knows."""
    assert bug_words(ValueError("in tst0000001.canary")) == "internal error: ValueError"
