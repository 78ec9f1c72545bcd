"""Databases full of hostile text, for the commands to show."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest


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
