"""Readers of the documentation: a folder and a database of their own, and quiet order."""

import shutil
from pathlib import Path

import pytest
from docs.stories import Story

from runs_as_code.engine import context


@pytest.fixture
def story(demo_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    # One at a time, so that the ids of runs are those of the page.
    monkeypatch.setattr(context, "PARALLEL_ACTIONS", 1)
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Story(folder, Path(shutil.copy(demo_database, tmp_path / "live.db")))
