"""Moments as the API writes them: ISO 8601 with milliseconds and `Z`."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """Return the present moment, e.g. `2024-01-01T00:00:00.000Z`."""
    return write_moment(datetime.now(UTC))


def now_after(earlier: str | None) -> str:
    """Return the present moment, or the one after `earlier` where the clock is not past that."""
    moment = now()
    if earlier is None or moment > earlier:
        return moment
    return write_moment(datetime.fromisoformat(earlier) + timedelta(milliseconds=1))


def write_moment(moment: datetime) -> str:
    """Write a moment of any zone as the API does."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
