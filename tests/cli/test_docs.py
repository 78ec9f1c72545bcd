"""`docs/cli.md` is what the program says today."""

import importlib.util
from pathlib import Path

import click
import pytest

from runs_as_code.cli.program import COMMANDS, program
from runs_as_code.errors import ExitCode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")


def test_the_page_is_fresh():
    spec = importlib.util.spec_from_file_location("docs_cli", ROOT / "script" / "docs_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.render(PAGE) == PAGE, "run `.venv/bin/python script/docs_cli.py`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_on_the_page(name: str):
    command = program.get_command(click.Context(program), name)
    assert command is not None
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert all(option in section for option in parameter.opts), parameter.opts


def test_every_exit_code_is_on_the_page():
    assert all(f"\n| {code.value} | " in PAGE for code in ExitCode)
