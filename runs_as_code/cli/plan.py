"""`qarun plan`: what apply would do."""

from pathlib import Path

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.looping import Loop, connected
from runs_as_code.cli.options import (
    Sources,
    approval_options,
    output_options,
    policy_option,
    source_options,
)
from runs_as_code.cli.outputs import (
    PLAN_FORMATS,
    Outputs,
    outputs_options,
    publish,
)
from runs_as_code.cli.provenance import find_provenance
from runs_as_code.cli.publishing import read_or_publish
from runs_as_code.cli.reading import (
    check_approvals,
    check_targets,
    connection_settings,
    first_file,
    now,
)
from runs_as_code.cli.showing import View, plan_json, shown_plan, view_options
from runs_as_code.cli.writing import check_target, write_file
from runs_as_code.engine.planning import make_plan
from runs_as_code.errors import ExitCode
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.safe import safe


@click.command("plan")
@source_options
@view_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan as well, for `qarun apply FILE`.",
)
@click.option(
    "--detailed-exitcode",
    "is_detailed",
    is_flag=True,
    help="End with 2 when something is to be done or decided.",
)
@outputs_options(PLAN_FORMATS)
@approval_options
@policy_option
@output_options
@click.pass_obj
def command(  # noqa: PLR0913  one for each group of options
    console: Console,
    sources: Sources,
    view: View,
    approvals: Approvals,
    *,
    outputs: Outputs,
    out: Path | None,
    is_detailed: bool,
    policy: Policy | None,
) -> ExitCode:
    """Show what apply would do.

    Reads the manifests and the live runs, and writes nothing. The approvals are those of apply:
    with the same ones, apply does what this plan shows.
    """
    if out is not None:
        check_target(out)
    outputs.check(out, read=sources.read)
    manifests = read_or_publish(sources, console, outputs, policy)
    plan = _plan(console, sources, approvals, manifests)
    if out is not None:
        write_file(out, plan_json(plan))
        console.say(f"The plan is saved in {safe(str(out))}")
    is_told = outputs.is_wanted and _publish(
        console, outputs, plan, (sources, approvals, policy, out)
    )
    if not is_told or view.output == "json":
        console.data(shown_plan(plan, console.style, view))
    return ExitCode.CHANGES if is_detailed and plan.is_pending else ExitCode.DONE


def _publish(
    console: Console,
    outputs: Outputs,
    plan: Plan,
    made_of: tuple[Sources, Approvals, Policy | None, Path | None],
) -> bool:
    from runs_as_code.cli.publications import (  # noqa: PLC0415  lazy: few calls need any
        apply_command,
        plan_publication,
    )

    sources, approvals, policy, out = made_of
    line = apply_command(sources, approvals, policy=policy, digest=plan_digest(plan), saved=out)
    publication = plan_publication(plan, outputs, console.environ, command=line, saved=out)
    return publish(console, outputs, publication)


def _plan(console: Console, sources: Sources, approvals: Approvals, manifests: ManifestSet) -> Plan:
    check_targets(approvals, manifests)
    settings = connection_settings(sources, console)
    with Loop() as loop, connected(loop, settings, first_file(manifests)) as connections:
        planning = make_plan(
            manifests,
            connections.server_of,
            connections.open,
            approvals,
            now(),
            is_logged=find_provenance(console.environ) is not None,
        )
        planned = loop.run(planning)
        plan = connections.bind(planned.plan)
    check_approvals(approvals, plan)
    return plan
