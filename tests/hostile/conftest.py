"""Databases full of hostile text, for the commands to show."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runs_as_code.provider import retry
from runs_as_code.server import ensure_database


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "demo.db"
    ensure_database(path)
    return path


@pytest.fixture
def database(demo_database: Path, tmp_path: Path) -> Path:
    """A demo database where a manifest in this folder expects it."""
    folder = tmp_path / ".qarun"
    folder.mkdir()
    return Path(shutil.copy(demo_database, folder / "embedded.db"))


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retry, "FIRST_THROTTLED_PAUSE", 0.001)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what was made without the pauses that a slow server is given."""
    for module in ("making", "closing"):
        monkeypatch.setattr(f"runs_as_code.engine.{module}.LOOK_DELAYS", (0.0, 0.01))
    for module in ("making", "verification"):
        monkeypatch.setattr(f"runs_as_code.engine.{module}.SEEN_DELAYS", (0.0, 0.01))


@contextmanager
def changing(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the database behind the server's back, and commit."""
    with closing(sqlite3.connect(database)) as connection, connection:
        yield connection
