"""Read manifests, and let `--output` tell of those that are invalid."""

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import Sources
from runs_as_code.cli.outputs import Outputs, publish
from runs_as_code.cli.reading import InvalidManifestsError, read_valid
from runs_as_code.model.desired import ManifestSet


def read_or_publish(sources: Sources, console: Console, outputs: Outputs) -> ManifestSet:
    """Read the manifests; where they are invalid, write what can say so before raising."""
    try:
        return read_valid(sources, console)
    except InvalidManifestsError as error:
        if outputs.is_wanted:
            _publish(console, outputs, error)
        raise


def _publish(console: Console, outputs: Outputs, error: InvalidManifestsError) -> None:
    from runs_as_code.cli.publications import invalid_publication  # noqa: PLC0415  lazy: few need it

    publish(console, outputs, invalid_publication(error.diagnostics, console.environ))
