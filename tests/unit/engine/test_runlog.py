"""Lines in the logs of runs: once for each change that was done, and never in the way."""

import pytest
from unit.engine.support import (
    LOST,
    REFUSED,
    FakeProvider,
    StopSignal,
    Trouble,
    close,
    live,
    make,
    replacement,
    run_apply,
)

from runs_as_code.errors import AccessError, ExitCode, NotFoundError
from runs_as_code.model.events import ActionFinished, Event, Noted
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.provider import RunFields
from runs_as_code.model.report import Status

WHERE = Provenance((("commit", "3f2c"),))


def notes(heard: list[Event]) -> list[str]:
    return [event.message for event in heard if isinstance(event, Noted)]


def test_each_run_that_was_made_or_closed_gets_one_line():
    provider = FakeProvider(live(1, "a"))
    applied = run_apply(
        provider, *replacement(provider.runs[1], "a"), make("b"), provenance=WHERE, verified=True
    )

    assert applied.report.exit_code is ExitCode.DONE
    assert sorted(run_id for run_id, _ in provider.lines) == [1, 2, 3]
    by_run = dict(provider.lines)
    assert by_run[1].startswith("<p>Closed by qarun for key <code>a</code>: replaced;")
    assert all("commit <code>3f2c</code>" in line for line in by_run.values())


@pytest.mark.parametrize("provenance", [None, Provenance()])
def test_without_anything_to_say_there_is_no_line(provenance: Provenance | None):
    provider = FakeProvider()
    run_apply(provider, make("a"), provenance=provenance)
    assert provider.count("log") == 0


def test_a_close_does_not_wait_for_a_line():
    provider = FakeProvider(live(1, "a"))
    heard: list[Event] = []
    provider.trouble["log"] = [Trouble(then=lambda: heard.append(Noted("line"))) for _ in range(2)]
    made, closed = replacement(provider.runs[1], "a")
    run_apply(provider, made, closed, provenance=WHERE, listener=heard.append)
    kinds = [entry.split()[0] for entry in provider.log]
    assert kinds.index("close") < len(kinds) - 1 - kinds[::-1].index("log")


def test_what_was_there_before_gets_no_line():
    provider = FakeProvider()
    provider.add(RunFields(make("a").title, make("a").description))
    provider.change(1, closed_at=None)
    applied = run_apply(provider, make("a"), provenance=WHERE)
    assert applied.statuses == {"make:a": "already-done"}
    assert provider.lines == []


def test_what_failed_or_was_not_begun_gets_no_line():
    provider = FakeProvider(live(1, "gone"))
    provider.trouble["create"] = [Trouble(before=REFUSED)]
    run_apply(provider, make("a"), provenance=WHERE)
    stopped = FakeProvider()
    run_apply(stopped, make("a"), provenance=WHERE, stop=StopSignal(ExitCode.SIGTERM))
    assert provider.lines == stopped.lines == []


def test_a_run_found_after_a_lost_reply_gets_its_line():
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(after=LOST)]
    applied = run_apply(provider, make("a"), provenance=WHERE)
    assert applied.result("make:a").status is Status.DONE
    assert [run_id for run_id, _ in provider.lines] == [1]


@pytest.mark.parametrize("refusal", [NotFoundError("404"), AccessError("403"), REFUSED])
def test_a_server_that_refuses_is_asked_once_and_told_of_once(refusal: Exception):
    heard: list[Event] = []
    provider = FakeProvider(*(live(n, f"old{n}") for n in (1, 2)))
    # One line at a time, so that each sees what became of the one before.
    provider.trouble["log"] = [Trouble(before=refusal) for _ in range(40)]
    actions = [make(f"k{n}") for n in range(20)] + [close(n, f"old{n}") for n in (1, 2)]
    applied = run_apply(provider, *actions, provenance=WHERE, listener=heard.append)

    assert applied.report.exit_code is ExitCode.DONE
    assert provider.count("log") <= 4 + 2
    assert len(notes(heard)) == 1
    assert str(refusal) in notes(heard)[0]
    assert sum(isinstance(event, ActionFinished) for event in heard) == 22


def test_closed_runs_without_lines_leave_open_ones_theirs():
    provider = FakeProvider(live(9, "old"))
    provider.trouble["log"] = [Trouble(before=REFUSED)]
    run_apply(provider, close(9, "old"), provenance=WHERE)
    assert provider.lines == []
    run_apply(provider, make("a"), make("b"), provenance=WHERE)
    assert len(provider.lines) == 2


def test_lines_that_are_lost_are_not_sent_again_and_soon_no_more_are():
    heard: list[Event] = []
    provider = FakeProvider()
    provider.trouble["log"] = [Trouble(after=LOST) for _ in range(40)]
    applied = run_apply(
        provider, *(make(f"k{n}") for n in range(20)), provenance=WHERE, listener=heard.append
    )
    assert applied.report.exit_code is ExitCode.DONE
    told = [run_id for run_id, _ in provider.lines]
    assert len(told) == len(set(told)) <= 3 + 4
    assert len(notes(heard)) == 1


class KilledError(BaseException):
    """The process ends here."""


def test_a_line_that_a_kill_cost_is_not_written_later():
    provider = FakeProvider()
    provider.trouble["log"] = [Trouble(before=KilledError())]  # type: ignore[arg-type]  # a kill
    with pytest.raises(BaseExceptionGroup):
        run_apply(provider, make("a"), provenance=WHERE)
    assert provider.count("log") == 1
    again = run_apply(provider, make("a"), provenance=WHERE)
    assert again.statuses == {"make:a": "already-done"}
    assert provider.lines == []
