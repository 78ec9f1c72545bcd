"""`qarun exit-codes`: the table of exit codes."""

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import output_options
from runs_as_code.errors import ExitCode
from runs_as_code.report.applied import EXITS

WHO = {
    ExitCode.CHANGES: "`plan --detailed-exitcode`, or drift in `drift`",
    ExitCode.SIGINT: "SIGINT",
    ExitCode.SIGTERM: "SIGTERM",
}


@click.command("exit-codes")
@output_options
@click.pass_obj
def command(console: Console) -> None:
    """Explain the exit codes."""
    console.data("".join(f"{code:>4}  {meaning}\n" for code, meaning in exit_table()))


def exit_table() -> list[tuple[int, str]]:
    """Return each exit code with what it means."""
    return [
        (code.value, f"{EXITS[code]} ({WHO[code]})" if code in WHO else EXITS[code])
        for code in ExitCode
    ]
