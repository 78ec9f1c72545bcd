"""Exactly-once create: whatever happens to the reply, at most one run, at most two POSTs."""

import pytest
from unit.engine.support import (
    LOST,
    MOMENT,
    REFUSED,
    FakeProvider,
    Trouble,
    live,
    make,
    marker,
    run_apply,
)

from runs_as_code.errors import (
    AccessError,
    BadResponseError,
    ConflictError,
    ExitCode,
    UnknownOutcomeError,
    UnreachableError,
)
from runs_as_code.model.provider import RunFields
from runs_as_code.model.report import Status

LOOKS = [0.0, 1.0, 2.0, 4.0]


def test_one_post_and_no_look_before_it() -> None:
    applied = run_apply(FakeProvider(), make("a"))

    assert applied.provider.log == ["create a r1"]
    assert applied.statuses == {"make:a": Status.DONE}
    assert applied.result("make:a").run_id == 1
    assert applied.result("make:a").url == "https://fake/run/1"
    assert applied.report.exit_code is ExitCode.DONE
    assert applied.report.calls == 1


def test_a_lost_reply_of_a_create_that_ran() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(after=LOST)]
    applied = run_apply(provider, make("a"))

    assert provider.log == ["create a r1", "list None"]
    assert applied.result("make:a").status is Status.DONE
    assert applied.result("make:a").run_id == 1
    assert "look-up" in applied.result("make:a").message


def test_a_lost_reply_of_a_create_that_did_not_run() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=LOST)]
    applied = run_apply(provider, make("a"))

    assert provider.log == ["create a r1", *["list None"] * 4, "create a r1"]
    assert applied.clock.slept == LOOKS
    assert applied.result("make:a").status is Status.DONE
    assert len(provider.runs) == 1


def test_a_listing_that_lags_behind() -> None:
    provider = FakeProvider()
    provider.lag = 3
    provider.trouble["create"] = [Trouble(after=LOST)]
    applied = run_apply(provider, make("a"))

    assert provider.writes == ["create a r1"]
    assert applied.clock.slept == LOOKS
    assert applied.result("make:a").status is Status.DONE


def test_a_listing_that_lags_behind_all_looks() -> None:
    provider = FakeProvider()
    provider.lag = 4
    provider.trouble["create"] = [Trouble(after=LOST)]
    applied = run_apply(provider, make("a"))

    assert provider.writes == ["create a r1"] * 2
    assert applied.result("make:a").status is Status.ALREADY_DONE
    assert applied.result("make:a").run_id == 1
    assert len(provider.runs) == 1


def test_both_replies_are_lost_and_one_post_ran() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=LOST), Trouble(after=LOST)]
    applied = run_apply(provider, make("a"))

    assert provider.writes == ["create a r1"] * 2
    assert applied.result("make:a").status is Status.DONE


def test_still_absent_after_two_posts_is_unknown() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=LOST), Trouble(before=LOST)]
    applied = run_apply(provider, make("a"))
    result = applied.result("make:a")

    assert provider.writes == ["create a r1"] * 2
    assert applied.clock.slept == LOOKS * 2
    assert result.status is Status.UNKNOWN
    assert "look for `a r1`" in result.message
    assert result.run_id is None
    assert applied.report.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("second", [UnreachableError("connection refused"), REFUSED])
def test_what_keeps_the_second_post_from_running_does_not_settle_the_first(
    second: Exception,
) -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=LOST), Trouble(before=second)]
    result = run_apply(provider, make("a")).result("make:a")

    assert result.status is Status.UNKNOWN
    assert "look for `a r1`" in result.message


def test_nothing_is_sent_twice_while_nobody_can_look() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=LOST)]
    provider.trouble["list"] = [Trouble(before=UnreachableError("down")) for _ in range(4)]
    result = run_apply(provider, make("a")).result("make:a")

    assert provider.writes == ["create a r1"]
    assert result.status is Status.UNKNOWN


def test_a_look_that_fails_is_followed_by_the_next() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(after=LOST)]
    provider.trouble["list"] = [Trouble(before=BadResponseError("not JSON"))]
    applied = run_apply(provider, make("a"))

    assert applied.clock.slept == [0.0, 1.0]
    assert applied.result("make:a").status is Status.DONE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (REFUSED, ExitCode.ERROR),
        (AccessError("no"), ExitCode.ACCESS),
        (UnreachableError("connection refused"), ExitCode.UNREACHABLE),
    ],
)
def test_a_post_that_provably_did_not_run_fails_at_once(error: Exception, code: ExitCode) -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=error)]
    applied = run_apply(provider, make("a"))

    assert provider.log == ["create a r1"]
    assert applied.result("make:a").status is Status.FAILED
    assert applied.result("make:a").message == str(error)
    assert applied.report.exit_code is code


def test_a_conflict_with_our_own_marker_is_done_already() -> None:
    provider = FakeProvider(live(7, "a"))
    applied = run_apply(provider, make("a"))

    assert provider.log == ["create a r1", "list None"]
    assert applied.result("make:a").status is Status.ALREADY_DONE
    assert applied.result("make:a").run_id == 7
    assert applied.report.exit_code is ExitCode.DONE


def test_our_own_marker_counts_when_escaped() -> None:
    text = f"<p>Text &amp; more</p><p>{marker('a')}</p>"
    applied = run_apply(FakeProvider(live(7, title="a r1", description=text)), make("a"))

    assert applied.result("make:a").status is Status.ALREADY_DONE


def test_a_conflict_with_our_key_and_other_digests_is_a_lost_race() -> None:
    other = live(7, "a", description=marker("a", 1, "bbbbbbbb"))
    applied = run_apply(FakeProvider(other), make("a"))
    result = applied.result("make:a")

    assert result.status is Status.FAILED
    assert "lost the race" in result.message
    assert result.run_id == 7


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("By hand", "nobody's marker"),
        (marker("b"), "key `b`"),
        (marker("a", owner="others"), "owner `others`"),
    ],
)
def test_a_conflict_with_anybody_else_fails(description: str, words: str) -> None:
    applied = run_apply(FakeProvider(live(7, title="a r1", description=description)), make("a"))
    result = applied.result("make:a")

    assert result.status is Status.FAILED
    assert "run 7" in result.message
    assert words in result.message
    assert result.exit_code is ExitCode.ERROR


def test_a_conflict_with_a_run_that_is_listed_late() -> None:
    provider = FakeProvider()
    provider.lag = 2
    provider.add(RunFields("a r1", marker("a")))
    applied = run_apply(provider, make("a"))

    assert applied.clock.slept == [0.0, 1.0, 2.0]
    assert applied.result("make:a").status is Status.ALREADY_DONE


def test_a_conflict_with_a_run_that_is_never_listed_is_no_success() -> None:
    provider = FakeProvider()
    provider.trouble["create"] = [Trouble(before=ConflictError("taken", run_id=99))]
    result = run_apply(provider, make("a")).result("make:a")

    assert provider.writes == ["create a r1"]
    assert result.status in {Status.FAILED, Status.UNKNOWN}
    assert "run 99" in result.message


def test_somebody_took_the_title_while_the_reply_was_lost() -> None:
    provider = FakeProvider()
    taken = UnknownOutcomeError("lost")
    provider.trouble["create"] = [Trouble(before=taken)]
    provider.trouble["list"] = [
        Trouble(),
        Trouble(then=lambda: provider.add(RunFields("A  R1", "By hand"))),
    ]
    result = run_apply(provider, make("a")).result("make:a")

    assert provider.writes == ["create a r1"]
    assert result.status is Status.FAILED
    assert "run 1" in result.message


def test_another_revision_of_the_key_appeared_while_the_reply_was_lost() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["create"] = [
        Trouble(before=LOST, then=None),
    ]
    provider.trouble["list"] = [
        Trouble(then=lambda: provider.add(RunFields("other", marker("a", 2, "bbbbbbbb")))),
    ]
    result = run_apply(provider, make("a", 2, known_runs=(1,))).result("make:a")

    assert provider.writes == ["create a r2"]
    assert "lost the race: run 2" in result.message


def test_a_copy_of_an_older_run_is_no_rival() -> None:
    provider = FakeProvider(live(1, "a"), live(2, "a", title="Copy of Bob"))
    provider.trouble["create"] = [Trouble(before=LOST)]
    applied = run_apply(provider, make("a", 2, known_runs=(1,)))

    assert provider.writes == ["create a r2"] * 2
    assert applied.result("make:a").status is Status.DONE


def test_of_two_runs_with_our_marker_the_first_is_ours() -> None:
    provider = FakeProvider(live(3, "a"), live(5, "a", title="Copy of Bob"))
    applied = run_apply(provider, make("a"))

    assert applied.result("make:a").run_id == 3


def test_a_clone_is_made_exactly_once_too() -> None:
    provider = FakeProvider(live(1, "a"))
    provider.trouble["clone"] = [Trouble(after=LOST)]
    applied = run_apply(provider, make("b", source_run=1, query_plans=()))

    assert provider.log == ["clone 1 b r1", "list None"]
    assert applied.result("make:b").run_id == 2


def test_a_run_that_was_closed_since_is_still_ours() -> None:
    provider = FakeProvider(live(4, "a", closed_at=MOMENT))
    applied = run_apply(provider, make("a"))

    assert applied.result("make:a").status is Status.ALREADY_DONE
