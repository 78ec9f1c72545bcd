"""`qarun drift`: what people changed, apart from what Git wants to change."""

from dataclasses import dataclass
from itertools import chain

import click

from runs_as_code import __version__
from runs_as_code.cli.console import Console
from runs_as_code.cli.looping import Loop, connected
from runs_as_code.cli.options import Sources, format_option, grouped, output_options, source_options
from runs_as_code.cli.outputs import (
    REPORT_FORMATS,
    Outputs,
    outputs_options,
    publish,
)
from runs_as_code.cli.publishing import read_or_publish
from runs_as_code.cli.reading import (
    check_targets,
    connection_settings,
    first_file,
    now,
)
from runs_as_code.engine.cases import read_drift
from runs_as_code.engine.connecting import ConnectionSettings
from runs_as_code.engine.planning import make_plan
from runs_as_code.errors import ExitCode, RefusedError
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.drift import DriftKind, DriftReport
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.report.drifting import drift_to_json, render_drift
from runs_as_code.report.jsontext import dump_json


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which drift is looked for: only of these keys, not of these kinds, in test cases as well."""

    targets: tuple[str, ...]
    ignored: tuple[str, ...]
    with_test_cases: bool


wish_options = grouped(
    "wishes",
    Wishes,
    click.option(
        "--target", "targets", multiple=True, metavar="GLOB", help="Only these keys. Repeatable."
    ),
    click.option(
        "--ignore",
        "ignored",
        multiple=True,
        type=click.Choice([kind.value for kind in DriftKind]),
        metavar="KIND",
        help="Leave this kind of drift out; repeatable. docs/outputs.md has the kinds.",
    ),
    click.option(
        "--cases",
        "with_test_cases",
        is_flag=True,
        help="Also which static runs would hold other test cases, were they made today: reads the"
        " project's test cases, and those of each such run.",
    ),
)


@click.command("drift")
@source_options
@wish_options
@format_option
@outputs_options(REPORT_FORMATS)
@output_options
@click.pass_obj
def command(
    console: Console,
    sources: Sources,
    wishes: Wishes,
    *,
    output: str,
    outputs: Outputs,
) -> ExitCode:
    """Show what people changed, apart from what Git wants to change.

    Ends with 2 when there is any: fields changed by hand, runs closed by hand, markers lost or
    damaged, titles taken, runs in doubt, copies. Reads only; what Git wants to change is only
    counted, and `plan` shows it.
    """
    outputs.check(read=sources.read)
    manifests = read_or_publish(sources, console, outputs)
    settings = connection_settings(sources, console)
    report = _drift(manifests, settings, wishes)
    report = report.without(frozenset(map(DriftKind, wishes.ignored)))
    is_told = outputs.is_wanted and _publish(console, outputs, report)
    if output == "json":
        console.data(dump_json(drift_to_json(report, tool_version=__version__)))
    elif not is_told:
        console.data(render_drift(report, console.style))
    return ExitCode.CHANGES if report.found else ExitCode.DONE


def _publish(console: Console, outputs: Outputs, report: DriftReport) -> bool:
    from runs_as_code.cli.publications import drift_publication  # noqa: PLC0415  lazy: few need it

    return publish(console, outputs, drift_publication(report, outputs, console.environ))


def _drift(manifests: ManifestSet, settings: ConnectionSettings, wishes: Wishes) -> DriftReport:
    targets = Approvals(targets=wishes.targets)
    check_targets(targets, manifests)
    with Loop() as loop, connected(loop, settings, first_file(manifests)) as connections:
        planned = loop.run(
            make_plan(manifests, connections.server_of, connections.open, targets, now())
        )
        _refuse_incomplete(planned.plan)
        projects = [
            loop.run(read_drift(session, with_test_cases=wishes.with_test_cases))
            for session in planned.sessions
        ]
    return DriftReport(planned.plan.created_at, tuple(chain.from_iterable(projects)))


def _refuse_incomplete(plan: Plan) -> None:
    for project in plan.projects:
        for refusal in project.refusals:
            if refusal.rule == "incomplete-listing":
                raise RefusedError(refusal.message, hint=refusal.line)
