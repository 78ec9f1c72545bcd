"""The program: finds the command, runs it, and turns every way to end into an exit code."""

import difflib
import importlib
import sys
from typing import Any, NoReturn

import click

from runs_as_code import __version__
from runs_as_code.cli.console import Console, OutputClosedError
from runs_as_code.cli.ending import end_of
from runs_as_code.errors import ExitCode, QarunError

COMMANDS = {
    "validate": "Check manifests offline and show every problem at once.",
    "plan": "Show what apply would do.",
    "drift": "Show what people changed, apart from what Git wants to change.",
    "show": "Show a saved plan, offline.",
    "apply": "Create, clone and close runs until they are as the manifests say.",
    "reconcile": "Plan and apply, once or for ever, without anybody to ask.",
    "list": "List the live runs and what each is to the manifests.",
    "serve": "Serve an embedded QA Sphere on a port.",
    "exit-codes": "Explain the exit codes.",
}
"""The commands in the order of the help, each in the module of its name."""


class Program(click.Group):
    """A group that imports a command's module only when that command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click calls it so
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click calls it so
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"runs_as_code.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a call; names the nearest where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"no command `{args[0]}`{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click calls it so
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the commands into the help without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a call and end the process with its exit code, whatever happens."""
        arguments = extra.get("args")
        console = Console(arguments=tuple(sys.argv[1:] if arguments is None else arguments))
        console.prepare()
        try:
            done = super().main(*args, **extra | {"standalone_mode": False, "obj": console})
            code = int(done or 0)
            console.data("")
        except OutputClosedError:
            code = ExitCode.ERROR
        except Exception as error:  # noqa: BLE001 -- no traceback ever reaches a user
            code = end_of(_reason(error, console), console)
        sys.exit(int(code))


def _reason(error: Exception, console: Console) -> Exception:
    """Return what an error means: click's own texts fail without a word of why."""
    if isinstance(error, OSError):
        try:
            console.data("")
        except QarunError as reason:
            return reason
    return error


@click.group(
    "qarun",
    cls=Program,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`qarun COMMAND --help` explains a command, `qarun exit-codes` the exit codes.",
)
@click.version_option(__version__, message="qarun %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Keep the test runs of a QA Sphere project the way YAML files in Git say.

    A file declares the desired runs; `plan` shows how the live ones differ, `apply` makes them
    agree. A closed run can't be opened again, so nothing is closed that was not reviewed.
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError("a command is missing", ctx)
