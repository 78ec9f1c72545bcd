"""Any number of applies at once: one run for each key, and every report tells the truth."""

import asyncio
import copy

import pytest
from torture.applier import Applier, lies
from torture.estate import OPEN_AFTER, OTHER, OWNER, QUIET, RIVAL, SECOND, live, manifest
from torture.faults import Weather
from torture.processes import serving
from torture.races import THIRD, THIRD_OPEN, untrue_exits
from torture.settling import one_run_each, settle

from runs_as_code.errors import ExitCode
from runs_as_code.server import ServerOptions

CODES = {ExitCode.DONE, ExitCode.ERROR, ExitCode.STALE, ExitCode.PARTIAL, ExitCode.UNVERIFIED}


async def race(ground, documents, *actors):
    ground.wire.actors += actors
    appliers = [Applier(ground, [doc], may_race=True, rate=20) for doc in documents]
    ended = await asyncio.gather(*(applier.apply() for applier in appliers))
    ground.wire.actors.clear()
    await ground.wire.quiet()
    return ended


@pytest.mark.parametrize("scope", ["project", "milestone"])
@pytest.mark.parametrize("number", [2, 5, 20])
def test_applies_of_one_commit_end_with_one_run_each(make_ground, runner, number, scope):
    ground = make_ground(ServerOptions(title_scope=scope))
    ended = runner.run(race(ground, [SECOND] * number))
    assert {one.code for one in ended} <= CODES
    assert ground.ledger.duplicates == 0
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert runner.run(settle(ground, [SECOND])) == []
    assert ground.objections() == []


@pytest.mark.parametrize("number", [2, 6])
def test_applies_of_two_commits_are_brought_down_by_one_more(make_ground, runner, number):
    ground = make_ground()
    ended = runner.run(race(ground, [SECOND, THIRD] * (number // 2)))
    assert {one.code for one in ended} <= CODES
    assert runner.run(Applier(ground, [THIRD]).apply()).code == ExitCode.DONE
    assert one_run_each(ground, OWNER, THIRD_OPEN) == []
    assert runner.run(settle(ground, [THIRD])) == []
    assert ground.objections() == []


@pytest.mark.parametrize("seed", range(4))
def test_applies_of_two_commits_survive_bad_weather(make_ground, runner, seed):
    ground = make_ground()
    weather = Weather(seed, probability=0.15, most=30)
    runner.run(race(ground, [SECOND, THIRD, SECOND], weather))
    assert runner.run(settle(ground, [THIRD])) == []
    assert one_run_each(ground, OWNER, THIRD_OPEN) == []
    assert ground.objections() == []


def test_owners_who_apply_at_once_leave_each_other_alone(make_ground, runner):
    ground = make_ground()
    rival = copy.deepcopy(RIVAL)
    rival["runs"]["theirs"]["title"] = "Theirs, renamed"
    rival["runs"]["steady"]["queryPlans"] = [{"folders": ["Menu"]}]
    ended = runner.run(race(ground, [SECOND, rival, SECOND, rival]))
    assert {one.code for one in ended} <= CODES
    assert runner.run(settle(ground, [SECOND, rival])) == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert one_run_each(ground, OTHER, rival["runs"]) == []
    assert ground.objections() == []


def test_who_lost_a_title_to_another_owner_says_so(make_ground, runner):
    ground = make_ground()
    mine = manifest({**QUIET["runs"], "wanted": live("Wanted by two", "Menu")})
    theirs = manifest({**RIVAL["runs"], "wanted": live("Wanted by two", "Cart")}, owner=OTHER)
    first, second = sorted(runner.run(race(ground, [mine, theirs])), key=lambda one: one.code)
    assert (first.code, second.code) == (ExitCode.DONE, ExitCode.ERROR)
    (make,) = second.results
    assert "the title is taken by run" in make.message
    assert "key `wanted`" in make.message
    assert lies(ground, second) + ground.objections() == []


@pytest.mark.parametrize("number", [2, 5])
def test_processes_that_apply_at_once_end_with_one_run_each(make_ground, number):
    ground = make_ground()
    with serving(ground) as service:
        running = [service.start([SECOND], may_race=True) for _ in range(number)]
        exits = [one.wait() for one in running]
        assert {one.code for one in exits} <= CODES
        assert untrue_exits(ground, exits) == []
        assert service.start([SECOND]).wait().code == ExitCode.DONE
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert ground.ledger.duplicates == 0
    assert ground.objections() == []
