"""What holds for every test: no one's environment, credentials or folder is read."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from runs_as_code.server import ensure_database

# `ci` decides on what is in the commit, `dev` looks further on every run.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))

PREFIXES = ("QAS_", "QARUN_", "XDG_", "GITHUB_", "GITLAB_", "BITBUCKET_", "BUILDKITE", "JENKINS_")
NAMES = frozenset(
    {
        "ALL_PROXY",
        "CI",
        "CIRCLECI",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "FORCE_COLOR",
        "FTP_PROXY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LINES",
        "NO_COLOR",
        "NO_PROXY",
    }
)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path, tmp_path: Path) -> None:
    """Take away what a shell or a pipeline sets, and run in a folder without `.env` above it."""
    for name in tuple(os.environ):
        if name.upper() in NAMES or name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("USERPROFILE", str(empty_home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo project without runs, built once; tests take copies."""
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
    monkeypatch.setattr("runs_as_code.provider.retry.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("runs_as_code.provider.retry.FIRST_THROTTLED_PAUSE", 0.001)
