"""`qarun plan`: what apply would do."""

from pathlib import Path

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.looping import Loop, connected
from runs_as_code.cli.options import Sources, approval_options, output_options, source_options
from runs_as_code.cli.reading import (
    check_approvals,
    check_targets,
    connection_settings,
    first_file,
    now,
    read_valid,
)
from runs_as_code.cli.showing import View, plan_json, shown_plan, view_options
from runs_as_code.cli.writing import check_target, write_file
from runs_as_code.engine.planning import make_plan
from runs_as_code.errors import ExitCode
from runs_as_code.model.plan import Approvals, Plan


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
@approval_options
@output_options
@click.pass_obj
def command(
    console: Console,
    sources: Sources,
    view: View,
    approvals: Approvals,
    out: Path | None,
    *,
    is_detailed: bool,
) -> ExitCode:
    """Show what apply would do.

    Reads the manifests and the live runs, and writes nothing. The approvals are those of apply:
    with the same ones, apply does what this plan shows.
    """
    if out is not None:
        check_target(out)
    plan = _plan(console, sources, approvals)
    if out is not None:
        write_file(out, plan_json(plan))
        console.say(f"The plan is saved in {out}")
    console.data(shown_plan(plan, console.style, view))
    return ExitCode.CHANGES if is_detailed and plan.is_pending else ExitCode.DONE


def _plan(console: Console, sources: Sources, approvals: Approvals) -> Plan:
    manifests = read_valid(sources, console)
    check_targets(approvals, manifests)
    settings = connection_settings(sources, console)
    with Loop() as loop, connected(loop, settings, first_file(manifests)) as connections:
        planned = loop.run(
            make_plan(manifests, connections.server_of, connections.open, approvals, now())
        )
    check_approvals(approvals, planned.plan)
    return planned.plan
