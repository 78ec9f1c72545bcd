"""Moments as the API writes them: ISO 8601 with milliseconds and `Z`."""

from datetime import UTC, datetime


def now() -> str:
    """Return the present moment, e.g. `2024-01-01T00:00:00.000Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
