"""Result statuses: five fixed ones and four that a team may name [SEED, DOC v0/settings]."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from runs_as_code.server import guesses
from runs_as_code.server.store.tables import status
from runs_as_code.server.web.problems import refuse

OPEN = "open"
COUNTED = ("blocked", "failed", "open", "passed", "skipped")
COLORS = (
    "blue",
    "gray",
    "red",
    "orange",
    "yellow",
    "green",
    "teal",
    "indigo",
    "purple",
    "pink",
)
CUSTOM = ("custom1", "custom2", "custom3", "custom4")
DEFAULTS: tuple[dict[str, Any], ...] = tuple(
    {"id": name, "name": title, "color": color, "is_default": True, "is_active": True, "pos": pos}
    for pos, (name, title, color) in enumerate(
        (
            ("passed", "Passed", "green"),
            ("failed", "Failed", "red"),
            ("blocked", "Blocked", "orange"),
            ("skipped", "Skipped", "gray"),
            ("open", "Open", "blue"),
        )
    )
) + tuple(
    {
        "id": name,
        "name": f"Custom {pos}",
        "color": "purple",
        "is_default": False,
        "is_active": False,
        "pos": pos + 4,
    }
    for pos, name in enumerate(CUSTOM, start=1)
)


def check_status(connection: Connection, name: str) -> None:
    """Refuse a status that does not exist or is not switched on."""
    is_active = connection.scalar(select(status.c.is_active).where(status.c.id == name))
    if is_active is None:
        raise refuse("status must be one of passed, failed, blocked, skipped, open, custom1-4")
    if not is_active:
        raise refuse(f"status {name} is not active")


def show_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Build `statusCounts`: the seed's six numbers, and custom statuses that some case has."""
    shown = {"all": sum(counts.values())} | {name: counts.get(name, 0) for name in COUNTED}
    if guesses.CUSTOM_COUNTS_WHEN_NON_ZERO:
        shown |= {name: counts[name] for name in CUSTOM if counts.get(name)}
    return shown
