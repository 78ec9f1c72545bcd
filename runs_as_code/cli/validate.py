"""`qarun validate`: check manifests offline."""

import click

from runs_as_code import __version__
from runs_as_code.cli.console import Console
from runs_as_code.cli.options import (
    DEFAULT_FILE,
    files_option,
    format_option,
    output_options,
    paths_or_default,
)
from runs_as_code.cli.outputs import FINDINGS_FORMATS, Outputs, outputs_options, publish
from runs_as_code.errors import ExitCode
from runs_as_code.manifest import read_manifests
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.source import Severity
from runs_as_code.report.document import diagnostics_to_json
from runs_as_code.report.findings import render_diagnostics
from runs_as_code.report.jsontext import dump_json


@click.command("validate")
@files_option
@format_option
@outputs_options(FINDINGS_FORMATS)
@output_options
@click.pass_obj
def command(console: Console, files: tuple[str, ...], output: str, outputs: Outputs) -> ExitCode:
    """Check manifests offline and show every problem at once.

    Ends with 3 when there are errors; warnings are advice and don't fail.
    """
    outputs.check(read=files or (DEFAULT_FILE,))
    manifests = read_manifests(paths_or_default(files))
    diagnostics = manifests.diagnostics
    is_told = outputs.is_wanted and _publish(console, outputs, manifests)
    if output == "json":
        console.data(dump_json(diagnostics_to_json(diagnostics, tool_version=__version__)))
    elif not is_told:
        console.data(render_diagnostics(diagnostics, console.style))
    is_valid = all(diagnostic.severity is not Severity.ERROR for diagnostic in diagnostics)
    return ExitCode.DONE if is_valid else ExitCode.INVALID


def _publish(console: Console, outputs: Outputs, manifests: ManifestSet) -> bool:
    from runs_as_code.cli.publications import findings_publication  # noqa: PLC0415  lazy: few need it

    read = [manifest.file for manifest in manifests.manifests]
    publication = findings_publication(manifests.diagnostics, outputs, console.environ, read)
    return publish(console, outputs, publication)
