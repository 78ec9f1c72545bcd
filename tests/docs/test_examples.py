"""Each example is applied once and then needs nothing more."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from runs_as_code.cli.program import program

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(EXAMPLES.glob("[0-9]*"))


@pytest.mark.parametrize("example", FOLDERS, ids=lambda path: path.name)
def test_an_example_is_applied_and_then_agrees(example: Path, tmp_path: Path):
    folder = tmp_path / example.name
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".qarun", "plan.json"))

    def call(*arguments: str) -> int:
        return CliRunner().invoke(program, [*arguments, "-f", str(folder)]).exit_code

    assert call("validate") == 0
    assert call("plan", "--detailed-exitcode") == 2
    assert call("apply", "--auto-approve") == 0
    assert call("plan", "--detailed-exitcode") == 0


def test_there_are_examples():
    assert len(FOLDERS) >= 3
