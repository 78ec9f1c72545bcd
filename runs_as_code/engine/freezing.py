"""When freeze windows last: their times in their zones, where clocks change as well.

Where clocks go forward or back, a time of day means no moment or two; then the window is the wider
one.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from runs_as_code.errors import UsageError
from runs_as_code.model.desired import Manifest
from runs_as_code.model.restraint import (
    DAYS,
    DEFAULT_ZONE,
    LAST_MINUTE,
    FreezeWindow,
    Frozen,
    parse_moment,
    parse_time,
)
from runs_as_code.planning.restraints import freeze_of

_LONGEST_CHAIN = 60
"""Windows that follow each other without a gap; after these the end is far enough away."""

Span = tuple[datetime, datetime]


def find_frozen(windows: Iterable[FreezeWindow], moment: datetime) -> Frozen | None:
    """Return why and until when nothing is written at this moment, None when it may be.

    Windows that follow each other without a gap count as one. Raises UsageError for a window that
    can't be read, which only a plan that was changed by hand can hold.
    """
    given = tuple(windows)
    first = _window_at(given, moment)
    if first is None:
        return None
    window, end = first
    for _ in range(_LONGEST_CHAIN):
        later = _window_at(given, end)
        if later is None:
            break
        end = later[1]
    until = end.astimezone(_zone(window)).isoformat(timespec="minutes")
    return Frozen(window.reason, until)


def frozen_owners(manifests: Iterable[Manifest], created_at: str) -> Mapping[str, Frozen]:
    """Return the owners for whom it is a freeze window at this time, ISO 8601 in UTC."""
    owners: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        if manifest.freeze:
            owners.setdefault(manifest.owner, []).append(manifest)
    found = {
        owner: find_frozen(freeze_of(group), datetime.fromisoformat(created_at))
        for owner, group in owners.items()
    }
    return {owner: frozen for owner, frozen in found.items() if frozen is not None}


def _window_at(
    windows: tuple[FreezeWindow, ...], moment: datetime
) -> tuple[FreezeWindow, datetime] | None:
    """Return the window that lasts at this moment and its end; of several the last to end."""
    ends = [
        (end, number)
        for number, window in enumerate(windows)
        for begin, end in _spans(window, moment)
        if begin <= moment < end
    ]
    if not ends:
        return None
    end, number = max(ends)
    return windows[number], end


def _spans(window: FreezeWindow, moment: datetime) -> Iterator[Span]:
    """Yield the times of a window that may hold this moment."""
    try:
        if window.days:
            yield from _weekly(window, moment)
        else:
            yield _once(window)
    except ValueError:
        raise UsageError(
            f"a freeze window from `{window.begin}` to `{window.end}` can't be read",
            hint="correct it in the manifest, and plan again",
        ) from None
    except OverflowError:  # at the end of all time
        return


def _once(window: FreezeWindow) -> Span:
    zone = _zone(window)
    begin, end = parse_moment(window.begin), parse_moment(window.end)
    return (
        begin if begin.tzinfo else min(_moments(begin, zone)),
        end if end.tzinfo else max(_moments(end, zone)),
    )


def _weekly(window: FreezeWindow, moment: datetime) -> Iterator[Span]:
    zone = _zone(window)
    begin = parse_time(window.begin)
    is_midnight = window.end == LAST_MINUTE
    end = time() if is_midnight else parse_time(window.end)
    today = moment.astimezone(zone).date()
    for back in (2, 1, 0):
        day: date = today - timedelta(days=back)
        if DAYS[day.weekday()] in window.days:
            last = day + timedelta(days=1) if is_midnight or end <= begin else day
            yield (
                min(_moments(datetime.combine(day, begin), zone)),
                max(_moments(datetime.combine(last, end), zone)),
            )


def _moments(local: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield what a local time can mean: once, or twice where clocks change."""
    for fold in (0, 1):
        yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _zone(window: FreezeWindow) -> tzinfo:
    if window.timezone == DEFAULT_ZONE:
        return UTC
    try:
        return ZoneInfo(window.timezone)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"the time zone `{window.timezone}` of a freeze window is not known here",
            hint="install the zones (`pip install tzdata`), or correct the name",
        ) from None
