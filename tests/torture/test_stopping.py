"""Signals while a server throttles, on virtual time: nothing more is sent, and it ends soon."""

import asyncio

import pytest
from torture.acts import CLOSES, MAKES, WHOLE_LISTS, At, Watch
from torture.applier import Applier, lies
from torture.estate import OPEN_AFTER, OWNER, SECOND
from torture.faults import Fault, Kind
from torture.settling import one_run_each, settle

from runs_as_code.engine.context import LAST_READ_SECONDS, LOOK_DELAYS, StopSignal
from runs_as_code.errors import ExitCode
from runs_as_code.model.report import Status

THROTTLED = Fault(Kind.STATUS_BEFORE, status=429, retry_after="60")


async def stopped(ground, after, *actors):
    """Apply, and stop after so many seconds; return how it ended and how long that took."""
    stop = StopSignal()
    ground.wire.actors += actors
    loop = asyncio.get_running_loop()
    moment = loop.time() + after
    loop.call_at(moment, setattr, stop, "requested", ExitCode.SIGTERM)
    watch = Watch(moment)
    ground.wire.actors.append(watch)
    ended = await Applier(ground, [SECOND], stop=stop).apply()
    seconds = loop.time() - moment
    await ground.wire.quiet()
    ground.wire.actors.clear()
    assert watch.late == []
    return ended, seconds


def check(ground, runner, ended):
    assert ended.code == ExitCode.SIGTERM
    assert lies(ground, ended) == []
    assert runner.run(settle(ground, [SECOND])) == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert ground.objections() == []


@pytest.mark.parametrize("after", [10, 100, 200])
def test_a_signal_ends_every_pause_at_once(make_ground, runner, after):
    ground = make_ground()
    acts = (At(MAKES, THROTTLED, times=0), At(CLOSES, THROTTLED, times=0))
    ended, seconds = runner.run(stopped(ground, after, *acts))
    assert seconds == pytest.approx(0, abs=0.01)
    assert {result.status for result in ended.results} == {Status.SKIPPED}
    assert not ended.report.is_read_back
    check(ground, runner, ended)


def test_reading_back_is_given_seconds_and_then_given_up(make_ground, runner):
    ground = make_ground()
    acts = (At(CLOSES, THROTTLED, times=0), At(WHOLE_LISTS, THROTTLED, number=3, times=0))
    ended, seconds = runner.run(stopped(ground, 30, *acts))
    assert seconds == pytest.approx(LAST_READ_SECONDS, abs=0.01)
    done = [result for result in ended.results if result.status is not Status.SKIPPED]
    assert done
    assert {result.status for result in done} == {Status.UNVERIFIED}
    assert all("could not be read back: no answer within 5 s" in r.message for r in done)
    assert not ended.report.is_read_back
    check(ground, runner, ended)


@pytest.mark.parametrize("path", [MAKES, CLOSES])
def test_what_is_unknown_is_looked_for_a_few_seconds_more(make_ground, runner, path):
    """A write was under way: it is worth four looks, but not minutes of a server's pauses."""
    ground = make_ground()
    late = At(path, Fault(Kind.TIMEOUT_BEFORE), times=0)
    acts = (late, At(WHOLE_LISTS, THROTTLED, number=3, times=0))
    ended, seconds = runner.run(stopped(ground, 30, *acts))
    patience = ground.wire.client_patience  # the requests in flight
    looks = sum(LOOK_DELAYS) + len(LOOK_DELAYS) * LAST_READ_SECONDS
    assert seconds <= patience - 30 + looks + LAST_READ_SECONDS + 1
    unknown = [result for result in ended.results if result.status is Status.UNKNOWN]
    assert unknown
    check(ground, runner, ended)
