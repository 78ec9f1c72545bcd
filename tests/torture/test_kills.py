"""An apply dies at each of its calls, before or after it was carried out; another one goes on."""

import itertools

import pytest
from torture.acts import At
from torture.applier import Applier, lies
from torture.estate import OPEN_AFTER, OTHER, OWNER, RIVAL, SECOND
from torture.faults import Fault, Kind
from torture.settling import one_run_each, settle

from runs_as_code.errors import ExitCode
from runs_as_code.server import ServerOptions

MOST_CALLS = 60
SHARES = 4


async def die_and_go_on(ground, number, *, is_carried_out):
    is_killed = await Applier(ground, [SECOND]).killed(number, is_carried_out=is_carried_out)
    ended = await Applier(ground, [SECOND]).apply()
    problems = lies(ground, ended) + one_run_each(ground, OWNER, OPEN_AFTER)
    problems += one_run_each(ground, OTHER, RIVAL["runs"])
    problems += await settle(ground, [SECOND]) + ground.objections()
    return is_killed, ended.code, problems


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("share", range(SHARES))
def test_after_a_death_at_any_call_one_more_apply_is_enough(
    make_ground, runner, share, is_carried_out
):
    for number in itertools.count(1 + share, SHARES):
        assert number < MOST_CALLS
        ground = make_ground()
        work = die_and_go_on(ground, number, is_carried_out=is_carried_out)
        is_killed, code, problems = runner.run(work)
        assert problems == [], f"killed at call {number}"
        assert code == ExitCode.DONE
        if not is_killed:
            assert number > len(SECOND["runs"])
            break


@pytest.mark.parametrize("scope", ["milestone", "none"])
@pytest.mark.parametrize("mangling", ["trim", "escape"])
def test_a_death_is_survived_in_every_title_scope(make_ground, runner, scope, mangling):
    options = ServerOptions(title_scope=scope, mangle_text=mangling)
    for number in range(3, MOST_CALLS, 5):
        ground = make_ground(options)
        is_killed, _, problems = runner.run(die_and_go_on(ground, number, is_carried_out=True))
        assert problems == [], f"killed at call {number}"
        if not is_killed:
            break


def test_dying_again_and_again_still_gets_there(make_ground, runner):
    ground = make_ground()

    async def stumble():
        for number in range(3, MOST_CALLS):
            if not await Applier(ground, [SECOND]).killed(5, is_carried_out=True):
                return number
        return MOST_CALLS

    assert runner.run(stumble()) < MOST_CALLS
    assert ground.objections() == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []


def test_a_death_while_the_server_is_slow_makes_no_second_run(make_ground, runner):
    """The create is carried out when the next apply is already at work."""
    ground = make_ground()

    async def overlap():
        late = At(r"POST .*/run\?", Fault(Kind.SLOW_COMMIT, seconds=1.5))
        ground.wire.actors.append(late)
        killed = Applier(ground, [SECOND])
        await killed.killed(30, is_carried_out=True)
        return await settle(ground, [SECOND])

    assert runner.run(overlap()) == []
    assert ground.objections() == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
