"""Read manifests, and let `--output` tell of those that are invalid."""

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import Sources
from runs_as_code.cli.outputs import Outputs, publish
from runs_as_code.cli.reading import InvalidManifestsError, read_valid
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.restraints import tighten


def read_or_publish(
    sources: Sources, console: Console, outputs: Outputs, policy: Policy | None = None
) -> ManifestSet:
    """Read the manifests; where they are invalid, write what can say so before raising.

    `policy` is the command line's; raises RefusedError where it would loosen a file's.
    """
    try:
        manifests = read_valid(sources, console)
        return manifests if policy is None else tighten(manifests, policy)
    except InvalidManifestsError as error:
        if outputs.is_wanted:
            _publish(console, outputs, error)
        raise


def _publish(console: Console, outputs: Outputs, error: InvalidManifestsError) -> None:
    from runs_as_code.cli.publications import invalid_publication  # noqa: PLC0415  lazy: few need it

    publish(console, outputs, invalid_publication(error.diagnostics, outputs, console.environ))
