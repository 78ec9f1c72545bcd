"""Writes the commands of `docs/cli.md` from the command line itself; a test keeps them fresh.

Run it with `.venv/bin/python script/docs_cli.py` after a change of a command or an option.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from runs_as_code.cli.exit_codes import exit_table
from runs_as_code.cli.program import COMMANDS, program

START = "<!-- commands: written by script/docs_cli.py -->\n"
END = "<!-- end of commands -->\n"

TARGET = Path(__file__).resolve().parents[1] / "docs" / "cli.md"


def render(page: str) -> str:
    """Return the page with its commands as they are now."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return "".join((before, START, "\n", "\n".join(_parts()), "\n", END, after))


def _parts() -> Iterator[str]:
    context = click.Context(program, info_name="qarun", **program.context_settings)
    yield _table(("command", ""), [(f"[`{name}`](#{name})", COMMANDS[name]) for name in COMMANDS])
    for name in COMMANDS:
        command = program.get_command(context, name)
        if command is None:  # the names come from the program itself
            raise LookupError(name)
        yield from _command(command, click.Context(command, parent=context, info_name=name))
    yield "## Exit codes\n"
    yield _table(("exit", "meaning"), [(str(code), meaning) for code, meaning in exit_table()])


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(("qarun", command.name or "", *command.collect_usage_pieces(context)))
    yield f"## {command.name}\n\n```\n{usage}\n```\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    rows = [(f"`{record[0]}`", " ".join(record[1].split())) for record in records if record]
    yield _table(("option", ""), rows)


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    cells = [head, ("---", "---"), *rows]
    lines = [" | ".join(("", *(cell.replace("|", r"\|") for cell in row), "")) for row in cells]
    return "\n".join([*(line.strip() for line in lines), ""])


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
