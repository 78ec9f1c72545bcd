"""When freeze windows last: times of day in zones, nights, chains, days on which clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from runs_as_code.engine.freezing import find_frozen
from runs_as_code.errors import UsageError
from runs_as_code.model.restraint import FreezeWindow

ZURICH = "Europe/Zurich"
NIGHT = FreezeWindow("16:00", "08:00", ("fri",), ZURICH, "weekend")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def until(window: FreezeWindow, text: str) -> str | None:
    frozen = find_frozen((window,), at(text))
    return None if frozen is None else frozen.until


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-20T15:59:59+01:00", None),  # a Friday
        ("2026-11-20T16:00:00+01:00", "2026-11-21T08:00+01:00"),
        ("2026-11-20T15:00:00+00:00", "2026-11-21T08:00+01:00"),
        ("2026-11-21T07:59:59+01:00", "2026-11-21T08:00+01:00"),
        ("2026-11-21T08:00:00+01:00", None),
        ("2026-11-19T20:00:00+01:00", None),
        ("2026-07-03T14:00:00+00:00", "2026-07-04T08:00+02:00"),  # summer time
        ("2026-07-03T13:59:59+00:00", None),
    ],
)
def test_a_night_of_every_week(moment, end):
    assert until(NIGHT, moment) == end


def test_the_reason_is_told():
    frozen = find_frozen((NIGHT,), at("2026-11-20T20:00:00+01:00"))
    assert frozen is not None
    assert frozen.reason == "weekend"


def test_a_day_that_ends_at_midnight():
    window = FreezeWindow("00:00", "24:00", ("sat",))
    assert until(window, "2026-11-21T23:59:59+00:00") == "2026-11-22T00:00+00:00"
    assert until(window, "2026-11-22T00:00:00+00:00") is None


def test_windows_without_a_gap_are_one():
    weekend = (
        FreezeWindow("16:00", "24:00", ("fri",), ZURICH, "weekend"),
        FreezeWindow("00:00", "24:00", ("sat", "sun"), ZURICH),
        FreezeWindow("00:00", "06:30", ("mon",), ZURICH),
    )
    frozen = find_frozen(weekend, at("2026-11-20T17:00:00+01:00"))
    assert frozen is not None
    assert (frozen.until, frozen.reason) == ("2026-11-23T06:30+01:00", "weekend")


def test_windows_that_never_end_have_an_end_far_away():
    always = (FreezeWindow("00:00", "24:00", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),)
    frozen = find_frozen(always, at("2026-11-20T17:00:00+00:00"))
    assert frozen is not None
    assert at(frozen.until) - at("2026-11-20T17:00:00+00:00") > timedelta(days=50)


@pytest.mark.parametrize(
    ("window", "first", "end"),
    [
        (
            FreezeWindow("2026-12-24T12:00", "2027-01-04T08:00", (), ZURICH),
            "2026-12-24T11:00Z",
            "Z",
        ),
        (
            FreezeWindow("2026-12-24T12:00:00+01:00", "2027-01-04T08:00:00+01:00"),
            "2026-12-24T11:00Z",
            "Z",
        ),
        (
            FreezeWindow("2026-12-24T12:00Z", "2027-01-04T08:00Z", (), ZURICH),
            "2026-12-24T12:00Z",
            "",
        ),
    ],
)
def test_a_window_that_comes_once(window, first, end):
    assert until(window, first) is not None
    assert find_frozen((window,), at(first) - timedelta(seconds=1)) is None
    after = at("2027-01-04T07:00Z" if end else "2027-01-04T08:00Z")
    assert find_frozen((window,), after) is None
    assert find_frozen((window,), after - timedelta(seconds=1)) is not None


def moments_of(window: FreezeWindow, start: str, hours: int) -> set[str]:
    """The quarters of an hour in UTC that a window freezes."""
    first = at(start)
    quarters = [first + timedelta(minutes=15 * step) for step in range(4 * hours)]
    return {f"{q:%H:%M}" for q in quarters if find_frozen((window,), q)}


def test_where_clocks_go_back_both_hours_count():
    # 2026-10-25: 03:00 of summer time is 02:00 again, at 01:00 UTC; 02:30 is 00:30 and 01:30 UTC.
    window = FreezeWindow("02:30", "03:30", ("sun",), ZURICH)
    frozen = moments_of(window, "2026-10-25T00:00:00+00:00", 4)
    assert min(frozen) == "00:30"
    assert max(frozen) == "02:15"
    ending = FreezeWindow("01:00", "02:30", ("sun",), ZURICH)
    assert (
        max(
            moments_of(ending, "2026-10-24T23:00:00+00:00", 4)
            - {"23:00", "23:15", "23:30", "23:45"}
        )
        == "01:15"
    )


def test_where_clocks_go_forward_an_hour_that_does_not_exist_is_no_gap():
    # 2026-03-29: 02:00 is 03:00, at 01:00 UTC.
    window = FreezeWindow("02:30", "04:00", ("sun",), ZURICH)
    frozen = moments_of(window, "2026-03-29T00:00:00+00:00", 4)
    assert {"01:00", "01:15", "01:30", "01:45"} <= frozen
    assert "02:00" not in frozen
    whole = FreezeWindow("00:00", "24:00", ("sun",), ZURICH)
    assert len(moments_of(whole, "2026-03-28T23:00:00+00:00", 24)) == 4 * 23


def test_the_day_is_that_of_the_zone():
    window = FreezeWindow("09:00", "10:00", ("mon",), "Pacific/Kiritimati")  # UTC+14
    assert until(window, "2026-11-22T19:30:00+00:00") == "2026-11-23T10:00+14:00"


@pytest.mark.parametrize(
    "window",
    [
        FreezeWindow("25:00", "08:00", ("fri",)),
        FreezeWindow("soon", "later"),
        FreezeWindow("16:00", "08:00", ("fri",), "Mars/Olympus"),
        FreezeWindow("16:00", "08:00", ("fri",), "../../etc/passwd"),
    ],
)
def test_what_can_not_be_read_is_refused(window):
    with pytest.raises(UsageError):
        find_frozen((window,), datetime(2026, 11, 20, 17, tzinfo=UTC))


def test_the_end_of_time_is_no_trouble():
    window = FreezeWindow("9999-12-31T00:00", "9999-12-31T23:59", (), "America/New_York")
    assert find_frozen((window,), at("2026-11-20T17:00:00+00:00")) is None
    weekly = FreezeWindow("16:00", "08:00", ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    assert find_frozen((weekly,), datetime.max.replace(tzinfo=UTC)) is None
