"""What the campaigns found, each as small as it gets: it must never come back."""

import asyncio

import pytest
from torture.acts import (
    CLONES,
    CLOSES,
    CREATES,
    MEMBERS,
    OPEN_LISTS,
    WHOLE_LISTS,
    At,
)
from torture.applier import Applier, lies
from torture.estate import OWNER, QUIET, live, manifest
from torture.faults import Fault, Kind
from torture.settling import blocks, one_run_each, settle

from runs_as_code.errors import ExitCode
from runs_as_code.model.report import Status
from runs_as_code.server import ServerOptions

LOST_BEFORE = Fault(Kind.LOST_BEFORE)
LOST_AFTER = Fault(Kind.LOST_AFTER)
HTML = Fault(Kind.HTML)
NO_TITLES = ServerOptions(title_scope="none")


def changed(key, **fields):
    """The project as it is, with one run of it changed."""
    runs = {**QUIET["runs"], key: {**QUIET["runs"][key], **fields}}
    return {**QUIET, "runs": runs}


def by_address(ended):
    return {result.action.address: result for result in ended.results}


async def apply_with(ground, document, *actors):
    ground.wire.actors += actors
    ended = await Applier(ground, [document]).apply()
    await ground.wire.quiet()
    return ended


def check(ground, ended):
    assert ground.objections() == []
    assert lies(ground, ended) == []


@pytest.mark.parametrize("read", [MEMBERS, OPEN_LISTS])
def test_a_run_that_was_made_and_cannot_be_proved_is_reported_as_made(make_ground, runner, read):
    ground = make_ground()
    act = At(read, HTML, times=0)
    ended = runner.run(apply_with(ground, changed("fixed", description="New."), act))
    make, close = ended.results
    assert (make.status, close.status) == (Status.UNVERIFIED, Status.SKIPPED)
    assert "could not be read back: reply to `GET" in make.message
    assert make.run_id in ground.truth()
    assert ended.code == ExitCode.UNVERIFIED
    check(ground, ended)
    assert runner.run(settle(ground, [changed("fixed", description="New.")])) == []


def test_what_was_done_is_told_when_nothing_can_be_read_back(make_ground, runner):
    ground = make_ground()
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})
    ended = runner.run(apply_with(ground, document, At(WHOLE_LISTS, HTML, number=2, times=0)))
    (make,) = ended.results
    assert make.status is Status.UNVERIFIED
    assert make.run_id in ground.truth()
    assert make.message.startswith("could not be read back: reply to `GET")
    assert ended.code == ExitCode.UNVERIFIED
    assert ended.report is not None
    assert not ended.report.is_verified


def test_a_copy_is_no_rival_of_a_run_whose_commit_is_late(make_ground, runner):
    ground = make_ground()
    late = At(CLONES, Fault(Kind.SLOW_COMMIT, seconds=0.5))
    ended = runner.run(apply_with(ground, changed("retitled", description="New."), late))
    make, _ = ended.results
    assert (make.status, make.message) == (
        Status.DONE,
        "confirmed by look-up after the reply was lost",
    )
    assert ended.code == ExitCode.DONE
    check(ground, ended)


def test_a_copy_does_not_make_a_reviewed_plan_stale(make_ground, runner):
    async def play(ground):
        document = changed("retitled", description="New.")
        planner = Applier(ground, [document])
        plan = (await planner.plan()).plan
        await planner.hang_up()
        return await Applier(ground, [document]).apply_reviewed(plan)

    ground = make_ground()
    ended = runner.run(play(ground))
    assert ended.code == ExitCode.DONE, ended.error
    check(ground, ended)


def test_a_create_is_not_sent_again_while_nobody_can_look(make_ground, runner):
    """Without unique titles the second one would be a second run."""
    ground = make_ground(NO_TITLES)
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})
    acts = (At(CREATES, LOST_AFTER), At(WHOLE_LISTS, HTML, number=2, times=0))
    ended = runner.run(apply_with(ground, document, *acts))
    (make,) = ended.results
    assert make.status is Status.UNKNOWN
    assert "look for `Fresh` in the web page" in make.message
    assert ended.code == ExitCode.UNREACHABLE
    check(ground, ended)
    assert runner.run(settle(ground, [document])) == []
    assert one_run_each(ground, OWNER, document["runs"]) == []


def test_an_incomplete_list_does_not_prove_that_a_run_is_absent(make_ground, runner):
    ground = make_ground(NO_TITLES)
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})
    short = At(WHOLE_LISTS, Fault(Kind.SHRUNK), number=2, times=4)
    ended = runner.run(apply_with(ground, document, At(CREATES, LOST_AFTER), short))
    assert by_address(ended)["make:fresh"].status is Status.UNKNOWN
    check(ground, ended)
    assert runner.run(settle(ground, [document])) == []
    assert one_run_each(ground, OWNER, document["runs"]) == []


def test_a_title_that_is_taken_by_nobody_knows_whom_is_an_unknown_outcome(make_ground, runner):
    """The holder may be the very run of the first try."""
    ground = make_ground()
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})
    late = At(CREATES, Fault(Kind.SLOW_COMMIT, seconds=7.2))
    blind = At(WHOLE_LISTS, HTML, number=6, times=0)

    async def hold_back():
        await asyncio.sleep(0.5)

    second = At(CREATES, deed=hold_back, number=2)
    ended = runner.run(apply_with(ground, document, late, second, blind))
    (make,) = ended.results
    assert make.status is Status.UNKNOWN
    assert "the title is taken by run" in make.message
    assert "what is live can't be read" in make.message
    check(ground, ended)


def test_a_close_is_not_sent_again_after_people_went_to_work(make_ground, runner):
    ground = make_ground()
    old = ground.open_runs(OWNER)["retitled"][0]
    work = At(WHOLE_LISTS, deed=lambda: ground.people.record(old, 1), number=3)
    document = changed("retitled", description="New.")
    ended = runner.run(apply_with(ground, document, At(CLOSES, LOST_BEFORE), work))
    close = by_address(ended)[f"close:{old}"]
    assert close.status is Status.UNKNOWN
    assert f"not sent again: run {old} got 1 more results" in close.message
    assert ground.truth()[old].seen.is_open
    check(ground, ended)


@pytest.mark.parametrize("is_at_work", [True, False])
def test_a_throttled_close_is_sent_again_only_after_another_look(make_ground, runner, is_at_work):
    """Pauses add up to minutes, and people go to work meanwhile."""
    ground = make_ground()
    old = ground.open_runs(OWNER)["retitled"][0]
    storm = At(CLOSES, Fault(Kind.STATUS_BEFORE, status=429, retry_after="20"), times=2)
    work = At(CLOSES, deed=lambda: ground.people.record(old, 1), times=int(is_at_work))
    if not is_at_work:
        work.number = 100
    document = changed("retitled", description="New.")
    ended = runner.run(apply_with(ground, document, storm, work))
    close = by_address(ended)[f"close:{old}"]
    assert close.status is (Status.STALE if is_at_work else Status.DONE)
    assert ground.truth()[old].seen.is_open is is_at_work
    check(ground, ended)


def test_two_applies_without_unique_titles_say_that_they_made_twins(make_ground, runner):
    ground = make_ground(NO_TITLES)
    document = manifest({**QUIET["runs"], "fresh": live("Fresh", "Menu")})

    async def race():
        applies = [Applier(ground, [document], may_race=True).apply() for _ in range(2)]
        return await asyncio.gather(*applies)

    first, second = sorted(runner.run(race()), key=lambda ended: ended.code)
    assert (first.code, second.code) == (ExitCode.DONE, ExitCode.UNVERIFIED)
    (make,) = second.results
    assert "is a second one of this revision: run" in make.message
    assert ground.objections() == []


def test_a_list_that_lags_behind_is_given_time_to_show_a_close(make_ground, runner):
    ground = make_ground()
    document = {**QUIET, "runs": {**QUIET["runs"], "ending": {"state": "closed"}}}
    lag = At(WHOLE_LISTS, Fault(Kind.STALE, seconds=2.5), number=2, times=3)
    ended = runner.run(apply_with(ground, document, lag))
    assert ended.code == ExitCode.DONE, ended.results
    assert lag.done > 1
    check(ground, ended)


def three_revisions(ground, runner):
    """Let closes fail until a key has three open runs; return its manifest and the runs."""
    for title in ("Second", "Third"):
        document = changed("retitled", title=title)
        ended = runner.run(apply_with(ground, document, At(CLOSES, LOST_BEFORE, times=0)))
        assert ended.code == ExitCode.PARTIAL
        ground.wire.actors.clear()
        runner.run(asyncio.sleep(60))
    runs = ground.open_runs(OWNER)["retitled"]
    assert len(runs) == 3
    return document, runs


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_a_close_heeds_every_list_that_was_read_before_it(make_ground, runner, pause):
    """The look that allowed it is not old, but a younger one showed that its successor is gone.

    Without a pause both begin within one tick of the clock.
    """
    ground = make_ground()
    document, (first, second, third) = three_revisions(ground, runner)

    async def close_the_successor():
        await asyncio.sleep(pause)
        await ground.people.close(third)

    acts = (At(CLOSES, LOST_AFTER), At(CLOSES, deed=close_the_successor))
    ended = runner.run(apply_with(ground, document, *acts))
    results = by_address(ended)
    assert results[f"close:{first}"].status is Status.DONE
    assert results[f"close:{second}"].status is Status.STALE
    assert ground.truth()[second].seen.is_open
    assert ended.code == ExitCode.PARTIAL
    check(ground, ended)


def test_a_short_list_says_nothing_of_the_runs_it_leaves_out(make_ground, runner):
    ground = make_ground()
    document, (_, second, _) = three_revisions(ground, runner)
    short = At(WHOLE_LISTS, Fault(Kind.SHRUNK), number=3)  # after planning and the first look
    ended = runner.run(apply_with(ground, document, At(CLOSES, LOST_AFTER), short))
    assert by_address(ended)[f"close:{second}"].status is Status.DONE
    assert short.done == 1
    assert ended.code == ExitCode.DONE
    check(ground, ended)


@pytest.mark.parametrize("is_wiped", [True, False])
def test_a_new_run_that_lost_its_marker_takes_no_place(make_ground, runner, is_wiped):
    """Nothing would say any more whose it is, and the old run could not be opened again."""
    ground = make_ground()
    old = ground.open_runs(OWNER)["retitled"][0]

    async def spoil():
        if is_wiped:
            ground.people.edit(max(ground.truth()), description="Written anew")

    storm = At(CLOSES, Fault(Kind.STATUS_BEFORE, status=429, retry_after="20"))
    document = changed("retitled", description="New.")
    ended = runner.run(apply_with(ground, document, storm, At(CLOSES, deed=spoil)))
    close = by_address(ended)[f"close:{old}"]
    assert close.status is (Status.STALE if is_wiped else Status.DONE)
    assert ("does not bear the marker it was made with" in close.message) is is_wiped
    assert ground.truth()[old].seen.is_open is is_wiped
    check(ground, ended)


def test_of_two_looks_at_one_time_the_stricter_counts(make_ground, runner):
    """One began first and ended last, because its first try was lost: which saw more, who knows."""
    ground = make_ground()
    old = ground.open_runs(OWNER)["retitled"][0]
    document = changed("retitled", description="New.")
    del document["runs"]["ending"]
    acts = (
        At(CLOSES, LOST_BEFORE),  # is read back, with a look a second later
        At(OPEN_LISTS, LOST_BEFORE),  # begins before that, and is tried again after it
        At(OPEN_LISTS, deed=lambda: ground.people.record(old, 1), number=2),
    )
    ended = runner.run(apply_with(ground, document, *acts))
    close = by_address(ended)[f"close:{old}"]
    assert close.status is Status.STALE
    assert ground.truth()[old].seen.is_open
    check(ground, ended)


def test_a_run_that_was_made_twice_is_told_until_somebody_closes_it(make_ground, runner):
    """Each carried over another milestone, and titles are unique in a milestone only."""
    ground = make_ground(ServerOptions(title_scope="milestone"))
    (old,) = ground.open_runs(OWNER)["ending"]
    document = changed("ending", title="Ending, second title")

    async def play():
        appliers = [Applier(ground, [document], may_race=True) for _ in range(2)]
        plans = []
        for applier, milestone in zip(appliers, (5, 6), strict=True):
            ground.people.edit(old, milestone_id=milestone)
            plans.append(await applier.plan())
        pairs = zip(appliers, plans, strict=True)
        return [await applier.apply_planned(plan) for applier, plan in pairs]

    assert [ended.code for ended in runner.run(play())] == [ExitCode.DONE, ExitCode.UNVERIFIED]
    second = max(ground.truth())
    for _ in range(2):
        ended = runner.run(Applier(ground, [document]).apply())
        assert ended.code == ExitCode.REFUSED
        assert [block.split(":")[0] for block in blocks(ended)] == ["second-run"]
    runner.run(ground.people.close(second))
    assert runner.run(settle(ground, [document])) == []
    assert ground.objections() == []
