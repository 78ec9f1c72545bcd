"""An error of the program itself in the middle of an apply: no traceback, no key, a true end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cli.support import CANARY, ONE, call, rows, write

from runs_as_code.provider.project import ProjectProvider


def test_an_internal_error_ends_one_action_and_is_reported(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = ProjectProvider.create_run

    async def fail(self: ProjectProvider, fields: Any, *rest: Any) -> int:
        if fields.title == "Smoke of the week":
            raise RuntimeError(f"a bug near {CANARY}")
        await asyncio.sleep(0.1)
        return await send(self, fields, *rest)

    monkeypatch.setattr(ProjectProvider, "create_run", fail)
    other = ONE.replace("smoke:", "other:").replace("Smoke of the week", "Other")
    manifest = write(tmp_path / "m.yaml", ONE + other.removeprefix("runs:\n"))
    ended = call("apply", "--auto-approve", "-f", manifest)

    assert ended.code == 7
    assert "Apply: 1 done, 1 unknown" in ended.out
    assert "internal error: RuntimeError (engine/making.py:" in ended.out
    assert "look for `Smoke of the week` in the web page, plan again, and report this" in ended.out
    assert "canary" not in ended.all
    assert [title for _, title, _ in rows(database)] == ["Other"]

    monkeypatch.undo()
    again = call("apply", "--auto-approve", "-f", manifest)
    assert again.code == 0
    assert len(rows(database)) == 2
