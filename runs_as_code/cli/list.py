"""`qarun list`: the live runs, and whose they are."""

import click

from runs_as_code import __version__
from runs_as_code.cli.console import Console
from runs_as_code.cli.looping import Loop, connected
from runs_as_code.cli.options import Sources, format_option, output_options, source_options
from runs_as_code.cli.reading import connection_settings, first_file, read_valid
from runs_as_code.engine.inventory import take_inventory
from runs_as_code.errors import ExitCode
from runs_as_code.report.document import list_to_json
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.listing import render_list


@click.command("list")
@source_options
@format_option
@output_options
@click.pass_obj
def command(console: Console, sources: Sources, output: str) -> ExitCode:
    """List the live runs and what each is to the manifests.

    Managed, adopted, orphan, unmanaged, foreign, copy or damaged; with key, run id and address,
    which the next step of a pipeline needs.
    """
    manifests = read_valid(sources, console)
    settings = connection_settings(sources, console)
    with Loop() as loop, connected(loop, settings, first_file(manifests)) as connections:
        rows = loop.run(take_inventory(manifests, connections.server_of, connections.open))
    if output == "json":
        console.data(dump_json(list_to_json(rows, tool_version=__version__)))
    else:
        console.data(render_list(rows, console.style))
    return ExitCode.DONE
