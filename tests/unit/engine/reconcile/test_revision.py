"""Which commit the files are of: by Git, by the folder's name, by the pipeline."""

import os
import subprocess
from pathlib import Path

import pytest

from runs_as_code.engine.reconcile.revision import find_revision

COMMIT = "3f2c9d1e" * 5
OTHER = "a" * 40


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as git-sync makes it: a link to one that bears the commit's name."""
    (tmp_path / ".worktrees" / COMMIT / "qa").mkdir(parents=True)
    (tmp_path / "current").symlink_to(Path(".worktrees") / COMMIT)
    return tmp_path / "current" / "qa"


def test_git_knows_best(checkout: Path):
    environ = {name: os.environ[name] for name in ("PATH", "HOME")} | {"GITHUB_SHA": OTHER}
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], cwd=checkout, check=True, env=environ)
    found = find_revision(checkout, environ)
    assert len(found) == 40
    assert found not in {COMMIT, OTHER}


def test_without_git_the_name_of_the_checkout_tells(checkout: Path):
    environ = {"PATH": str(checkout), "GITHUB_SHA": OTHER}
    assert find_revision(checkout, environ) == COMMIT
    assert find_revision(checkout / "runs.yaml", environ) == COMMIT


@pytest.mark.parametrize(("told", "found"), [(OTHER, OTHER), ("main", ""), ("", "")])
def test_else_the_pipeline_tells(tmp_path: Path, told: str, found: str):
    assert find_revision(tmp_path, {"PATH": str(tmp_path), "CI_COMMIT_SHA": told}) == found


def test_a_path_that_leads_nowhere_says_nothing(tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    assert find_revision(tmp_path / "loop" / "x", {"PATH": str(tmp_path)}) == ""
