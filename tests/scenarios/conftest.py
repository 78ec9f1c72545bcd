"""The demo database is built once and copied for each scenario."""

from pathlib import Path

import pytest

from runs_as_code.server import ensure_database

pytest.register_assert_rewrite("scenarios.judging", "scenarios.world")


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "demo.db"
    ensure_database(path)
    return path
