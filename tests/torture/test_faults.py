"""Any reply may be lost: each kind of fault alone at each write, and seeded weather of all."""

import os
from collections import Counter

import pytest
from torture.acts import CLOSES, CREATES, LISTS, MAKES, At
from torture.applier import Applier, lies
from torture.estate import OPEN_AFTER, OWNER, QUIET, SECOND, live, manifest
from torture.faults import FOR_WRITES, STATUSES, Fault, Kind, Planned, Weather, dice
from torture.settling import one_run_each, outcomes, settle

from runs_as_code.errors import ExitCode
from runs_as_code.model.report import Status
from runs_as_code.server import ServerOptions

SEEDS = 24 * int(os.environ.get("TORTURE_TIMES", "1"))
SHARES = 6
ONE_OF_EACH = sorted(FOR_WRITES - {Kind.STATUS_BEFORE, Kind.STATUS_AFTER}, key=lambda k: k.value)
SINGLE = [
    *(Fault(kind) for kind in ONE_OF_EACH),
    *(Fault(Kind.STATUS_BEFORE, status) for status in STATUSES),
    *(Fault(Kind.STATUS_AFTER, status) for status in STATUSES if status != 429),
    Fault(Kind.STATUS_BEFORE, 429, retry_after="2"),
    Fault(Kind.SLOW_COMMIT, seconds=2.9),
]
NAMES = [f"{fault.kind.value}-{fault.status}-{fault.retry_after}" for fault in SINGLE]
WRITES = 16


async def apply_under(ground, document, *actors):
    ground.wire.actors += actors
    ended = await Applier(ground, [document]).apply()
    ground.wire.actors.clear()
    await ground.wire.quiet()
    return ended


@pytest.mark.parametrize("fault", SINGLE, ids=NAMES)
def test_one_fault_at_any_write_changes_nothing(make_ground, runner, fault):
    """The outcome is found out; what depends on it waits, everything is done in one apply."""
    scopes = ("project", "milestone", "none")
    for number in range(1, WRITES + 1, 3):
        ground = make_ground(ServerOptions(title_scope=scopes[number % 3]))
        ended = runner.run(apply_under(ground, SECOND, Planned(fault, number)))
        assert (ended.code, lies(ground, ended)) == (ExitCode.DONE, []), outcomes(ended)
        assert ground.wire.faults == 1
        assert ground.objections() == []
        assert one_run_each(ground, OWNER, OPEN_AFTER) == []


@pytest.mark.parametrize("kind", [Kind.LOST_BEFORE, Kind.TIMEOUT_BEFORE, Kind.STATUS_BEFORE])
@pytest.mark.parametrize("path", [CREATES, CLOSES], ids=["create", "close"])
def test_what_never_gets_through_is_unknown_and_the_rest_goes_on(make_ground, runner, kind, path):
    ground = make_ground()
    body = "Quite new" if path == CREATES else ""
    wall = At(path if body else r"POST .*/run/2/close\?", Fault(kind, 503), times=0, body=body)
    ended = runner.run(apply_under(ground, SECOND, wall))
    stuck = [result for result in ended.results if result.status is not Status.DONE]
    assert stuck
    assert {result.status for result in stuck} == {Status.UNKNOWN}
    assert all(result.message for result in stuck)
    assert ended.code == ExitCode.PARTIAL
    assert len(ended.results) == WRITES
    assert wall.done == 2 * len(stuck)
    assert lies(ground, ended) + ground.objections() == []
    assert runner.run(settle(ground, [SECOND])) == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []


class Storm:
    """Throttles every request three times before it lets it pass."""

    def __init__(self, retry_after):
        self.fault = Fault(Kind.STATUS_BEFORE, 429, retry_after=retry_after)
        self.hits = Counter()

    async def before(self, call):
        request = (call.method, call.path, call.query, call.body)
        self.hits[request] += 1
        return None if self.hits[request] % 4 == 0 else self.fault

    async def after(self, call, answer):
        """Do nothing more."""


@pytest.mark.parametrize("retry_after", [None, "0", "5", "soon", "Thu, 01 Jan 1970 00:00:09 GMT"])
def test_a_storm_of_429_is_waited_out(make_ground, runner, retry_after):
    ground = make_ground()
    storm = Storm(retry_after)
    ended = runner.run(apply_under(ground, SECOND, storm))
    assert storm.hits.total() > 3 * WRITES
    assert ended.code == ExitCode.DONE, outcomes(ended)
    assert lies(ground, ended) + ground.objections() == []
    assert one_run_each(ground, OWNER, OPEN_AFTER) == []


def test_a_server_that_only_throttles_is_unreachable_and_nothing_is_unknown(make_ground, runner):
    ground = make_ground()
    wall = At(r"POST ", Fault(Kind.STATUS_BEFORE, 429), times=0)
    ended = runner.run(apply_under(ground, SECOND, wall))
    assert {result.status for result in ended.results} == {Status.FAILED, Status.SKIPPED}
    assert ended.code == ExitCode.UNREACHABLE
    assert lies(ground, ended) + ground.objections() == []


def test_lists_that_never_come_stop_an_apply_before_its_first_write(make_ground, runner):
    ground = make_ground()
    wall = At(LISTS, Fault(Kind.STATUS_BEFORE, 503), times=0)
    ended = runner.run(apply_under(ground, SECOND, wall))
    assert ended.code == ExitCode.UNREACHABLE
    assert ground.ledger.writes == 0


def test_a_short_list_refuses_the_whole_project(make_ground, runner):
    ground = make_ground()
    ended = runner.run(apply_under(ground, SECOND, At(LISTS, Fault(Kind.SHRUNK))))
    assert ended.code == ExitCode.REFUSED
    assert ground.ledger.writes == 0


@pytest.mark.parametrize("share", range(SHARES))
def test_in_any_weather_the_report_is_true_and_the_next_applies_converge(
    make_ground, runner, share
):
    for seed in range(share, SEEDS, SHARES):
        chance = dice(seed)
        options = ServerOptions(
            title_scope=chance.choice(("project", "milestone", "none")),
            mangle_text=chance.choice(("none", "trim", "escape")),
        )
        ground = make_ground(options)
        problems = runner.run(endure(ground, seed, chance))
        assert problems == [], f"seed {seed}"
        ground.close()


async def endure(ground, seed, chance):
    weather = Weather(
        seed, probability=chance.choice((0.1, 0.2, 0.4)), most=chance.choice((5, 20, 60))
    )
    ground.wire.actors.append(weather)
    problems = []
    for _ in range(chance.choice((1, 2))):
        ended = await Applier(ground, [SECOND], rate=chance.choice((0, 20))).apply()
        await ground.wire.quiet()
        problems += lies(ground, ended)
    problems += await settle(ground, [SECOND])
    return problems + one_run_each(ground, OWNER, OPEN_AFTER) + ground.objections()


def test_what_was_made_twice_would_be_seen(make_ground, runner):
    """The judge is no rubber stamp: a blind repetition of a create is a duplicate to it."""
    ground = make_ground(ServerOptions(title_scope="none"))
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})

    async def twice():
        for _ in range(2):
            applier = Applier(ground, [document])
            planned = await applier.plan()
            applier.brief.planned_on = None
            ground.wire.actors.append(At(MAKES))
            yield applier, planned

    async def both():
        pairs = [pair async for pair in twice()]
        for applier, planned in pairs:
            await applier.apply_planned(planned)

    runner.run(both())
    assert [problem.wrong.value for problem in ground.objections()] == ["duplicates"]
    assert ground.ledger.duplicates == 1
