"""Each scenario file against the embedded server, in every title scope, escaping and trimming."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from scenarios.judging import (
    check_blocks,
    compare_decisions,
    compare_live,
    decisions,
    settled_decisions,
)
from scenarios.stories import VARIANTS, Story, read_story, story_files
from scenarios.world import World

from runs_as_code.errors import ExitCode

STORIES = [pytest.param(path, id=path.stem) for path in story_files()]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("path", STORIES)
def test_scenario(path: Path, variant: str, demo_database: Path, tmp_path: Path) -> None:
    story = read_story(path)
    database = Path(shutil.copy(demo_database, tmp_path / "server.db"))
    asyncio.run(play(story, variant, database, tmp_path))


async def play(story: Story, variant: str, database: Path, folder: Path) -> None:
    world = World(database, story.options(variant), folder)
    try:
        await play_in(world, story, story.expected(variant))
    finally:
        await world.close()


async def play_in(world: World, story: Story, expected: dict[str, Any]) -> None:
    await world.take(story.given)
    world.forget_calls()
    paths = world.write(story.desired, story.beside)
    planned = await world.plan(paths, story.approvals)
    plan = planned.plan

    compare_decisions(expected["decisions"], plan)
    assert sorted(b.rule for p in plan.projects for b in p.refusals) == expected.get("refusals", [])
    notes = [note for project in plan.projects for note in project.notes]
    for text in expected.get("notes", ()):
        assert any(text in note for note in notes), notes
    check_blocks(plan)

    await world.take(story.meanwhile)
    world.forget_calls()
    code, report = await world.apply(planned, story.approvals)

    assert await world.calls() == sorted(expected.get("calls", []))
    assert code == expected.get("exit", 0), (report.results, report.findings)
    compare_live(expected["live"], await world.live(), world.options)

    if code == ExitCode.STALE:
        return
    lasting = {k: v for k, v in story.approvals.items() if k not in {"replace", "approve_closes"}}
    again = (await world.plan(paths, lasting if world.recorder.posts else story.approvals)).plan
    if plan.is_withheld and not story.approvals.get("skip_blocked"):
        assert decisions(again) == decisions(plan)
        await skip_blocked(world, paths, story, expected)
        return
    settled_decisions(plan, again, expected.get("again", {}))


async def skip_blocked(
    world: World, paths: list[Path], story: Story, expected: dict[str, Any]
) -> None:
    """Go on with what is not withheld: then nothing is left but what is."""
    approvals = {**story.approvals, "skip_blocked": True}
    planned = await world.plan(paths, approvals)
    world.forget_calls()
    code, report = await world.apply(planned, approvals)

    assert code == ExitCode.REFUSED, (report.results, report.findings)
    assert await world.calls() == sorted(expected.get("skipping", []))

    lasting = {k: v for k, v in approvals.items() if k not in {"replace", "approve_closes"}}
    again = await world.plan(paths, lasting if world.recorder.posts else approvals)
    settled_decisions(planned.plan, again.plan, expected.get("again", {}))
