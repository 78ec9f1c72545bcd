"""`qarun exit-codes`: the table of exit codes."""

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import output_options
from runs_as_code.errors import ExitCode
from runs_as_code.report.applied import EXITS

WHO = {
    ExitCode.CHANGES: "`plan --detailed-exitcode`",
    ExitCode.SIGINT: "SIGINT",
    ExitCode.SIGTERM: "SIGTERM",
}


@click.command("exit-codes")
@output_options
@click.pass_obj
def command(console: Console) -> None:
    """Explain the exit codes."""
    console.data("".join(f"{code.value:>4}  {_meaning(code)}\n" for code in ExitCode))


def _meaning(code: ExitCode) -> str:
    return f"{EXITS[code]} ({WHO[code]})" if code in WHO else EXITS[code]
