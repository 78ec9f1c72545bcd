"""A project in the middle of its life: what was applied, what people did since, what comes next.

The next commit wants everything an apply can do: creates, clones, replacements of both kinds,
closes by a line, by completion, by pruning.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from torture.applier import Applier
from torture.ground import Ground
from torture.virtual import VirtualRunner

from runs_as_code.server import ServerOptions

OWNER = "web-team"
OTHER = "api-team"

Document = dict[str, Any]


def manifest(runs: Mapping[str, Any], owner: str = OWNER, **more: Any) -> Document:
    """Return a manifest of the project."""
    head = {"apiVersion": "qarun/v1", "project": "BD", "owner": owner, "prune": "close"}
    return {**head, "limits": {"percent": 100}, "runs": dict(runs), **more}


def live(title: str, *folders: str, **more: Any) -> Document:
    """Return the declaration of a live run."""
    return {"title": title, "type": "live", "queryPlans": [{"folders": list(folders)}], **more}


def fixed(title: str, folder: str, **more: Any) -> Document:
    """Return the declaration of a static run."""
    return {"title": title, "type": "static", "queryPlans": [{"folders": [folder]}], **more}


FIRST = manifest(
    {
        "steady": live("Steady regression", "Cart", milestone="Sprint 24"),
        "retitled": live("Menu, first title", "Menu", milestone="Sprint 24"),
        "reselected": live("Checkout by folder", "Checkout", assignee=7),
        "fixed": fixed("Fixed set", "Menu", description="As it was."),
        "worked": live("With results", "Account", description="Before."),
        "ending": live("Ending by a line", "Menu"),
        "complete": live("Complete and closable", "Cart/Discounts", closeWhen="complete"),
        "gone-1": live("No longer declared 1", "Menu"),
        "gone-2": fixed("No longer declared 2", "Operations"),
    }
)

QUIET = manifest({**FIRST["runs"], "complete": live("Complete and closable", "Cart/Discounts")})
"""What the project is like already: no apply of this has anything to do."""

SECOND = manifest(
    {
        "steady": FIRST["runs"]["steady"],
        "retitled": live("Menu, second title", "Menu", milestone="Release 2.4"),
        "reselected": live("Checkout by folder", "Checkout", "Cart", assignee=7),
        "fixed": fixed("Fixed set", "Menu", description="As it is now."),
        "worked": live("With results", "Account", description="After.", replace="r2"),
        "ending": {"state": "closed"},
        "complete": FIRST["runs"]["complete"],
        "fresh": live("Quite new", "Cart", milestone="Sprint 24"),
        "fresh-fixed": fixed("Quite new and fixed", "Cart"),
        "again": {"title": "Steady once more", "cloneFrom": "steady"},
        "second-round": {"title": "Menu, second round", "cloneFrom": "retitled"},
    }
)

RIVAL = manifest(
    {"steady": live("Regression of the other team", "Cart"), "theirs": live("Theirs", "Menu")},
    owner=OTHER,
)

OPEN_AFTER = frozenset(
    {
        "steady",
        "retitled",
        "reselected",
        "fixed",
        "worked",
        "fresh",
        "fresh-fixed",
        "again",
        "second-round",
    }
)
"""The keys of the second commit that have exactly one open run when it is applied."""


def reworded(number: int) -> Document:
    """Return the second commit with other words in the runs that it replaces."""
    keys = ("retitled", "fixed", "reselected")
    runs = {key: {**SECOND["runs"][key], "description": f"Words {number}."} for key in keys}
    return {**SECOND, "runs": {**SECOND["runs"], **runs}}


INHERITED = {
    **SECOND,
    "runs": {
        **SECOND["runs"],
        "heir": {"title": "Operations, going on", "cloneFrom": {"title": "No longer declared 2"}},
    },
}
"""The second commit, and a clone of a fixed run that it prunes."""

CROWD = manifest(
    {**QUIET["runs"], **{f"more-{n}": live(f"One more, number {n}", "Menu") for n in range(12)}}
)
"""The project as it is, and more new runs than go out at once."""

CLOSED_BY_SECOND = frozenset(
    {"retitled", "reselected", "fixed", "worked", "ending", "complete", "gone-1", "gone-2"}
)
"""The keys of the first commit a run of which the second one closes."""


def build_estate(
    folder: Path,
    options: ServerOptions | None = None,
    before: Callable[[Ground], Awaitable[object]] | None = None,
) -> Path:
    """Build the project after its first commit and what people did; return its database.

    `before` is done to the empty project.
    """
    ground = Ground(folder, options or ServerOptions())
    runner = VirtualRunner()
    try:
        if before is not None:
            runner.run(before(ground))
        runner.run(_live_through(ground))
    finally:
        runner.close()
        ground.close()
    return ground.database


async def _live_through(ground: Ground) -> None:
    for document in (FIRST, RIVAL):
        ended = await Applier(ground, [document]).apply()
        assert ended.code == 0, (ended.error, ended.results)
    runs = {key: ids[0] for key, ids in ground.open_runs(OWNER).items()}
    people = ground.people
    by_hand = await people.create("Exploratory, by hand")
    await people.record(by_hand, 3)
    await people.clone(runs["steady"], "Somebody's copy of steady")
    await people.clone(runs["retitled"], "Somebody's copy of retitled")
    await people.record(runs["worked"], 2, "failed")
    await people.record(runs["complete"], 100)
    damaged = await people.create("Damaged by hand", "Notes [qarun:1 web-team steady r1 s")
    await people.record(damaged, 1)
    assert not ground.objections()
    assert asyncio.get_running_loop().time() < 600
