"""SIGINT and SIGTERM: what is in flight finishes, what remains is said; SIGKILL: a sample."""

import signal

import pytest
from torture.estate import OPEN_AFTER, OWNER, SECOND
from torture.processes import Killer, serving
from torture.races import untrue_exits
from torture.settling import one_run_each

from runs_as_code.engine.context import PARALLEL_ACTIONS

WRITES = 16
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("at", [1, 6])
def test_a_signal_lets_finish_what_is_in_flight_and_says_what_remains(
    make_ground, number, code, at
):
    ground = make_ground()
    with serving(ground) as service:
        running = service.start([SECOND])
        killer = Killer(ground, running, at, is_carried_out=False, what=number, is_of_writes=True)
        ground.wire.actors.append(killer)
        ended = running.wait()
        ground.wire.actors.clear()
        statuses = [result["status"] for result in ended.report["results"]]
        assert ended.code == code
        assert len(statuses) == WRITES
        assert set(statuses) == {"done", "skipped"}
        assert statuses.count("done") == ground.ledger.writes <= at - 1 + PARALLEL_ACTIONS
        assert "Interrupted: finishing what is under way" in ended.err
        assert untrue_exits(ground, [ended]) == []
        assert service.start([SECOND]).wait().code == 0
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert ground.objections() == []


def test_a_signal_before_the_first_write_writes_nothing(make_ground):
    ground = make_ground()
    with serving(ground) as service:
        running = service.start([SECOND])
        killer = Killer(ground, running, 1, is_carried_out=False, what=signal.SIGTERM)
        ground.wire.actors.append(killer)
        ended = running.wait()
    assert ended.code == 143
    assert "nothing was written" in ended.err
    assert ground.ledger.writes == 0


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 8, 14])
def test_a_process_that_is_killed_at_a_write_is_followed_by_one_that_finishes(
    make_ground, at, is_carried_out
):
    ground = make_ground()
    with serving(ground) as service:
        running = service.start([SECOND])
        killer = Killer(ground, running, at, is_carried_out, is_of_writes=True)
        ground.wire.actors.append(killer)
        assert running.wait().code == -signal.SIGKILL
        ground.wire.actors.clear()
        service.quiet()
        ended = service.start([SECOND]).wait()
        assert ended.code == 0, ended.err
        assert untrue_exits(ground, [ended]) == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []
    assert ground.objections() == []
