"""`qarun show`: a saved plan, offline."""

from pathlib import Path

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import Sources, output_options
from runs_as_code.cli.outputs import PLAN_FORMATS, Outputs, outputs_options, publish
from runs_as_code.cli.reading import read_plan_file
from runs_as_code.cli.showing import View, shown_plan, view_options
from runs_as_code.errors import ExitCode, UsageError
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.report.comparing import compare_plans


@click.command("show")
@click.argument("plan", metavar="PLAN.json", type=click.Path(path_type=Path))
@view_options
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="PLAN.json",
    help="Show only how the actions differ from those of this plan, e.g. the reviewed one.",
)
@outputs_options(PLAN_FORMATS)
@output_options
@click.pass_obj
def command(
    console: Console, plan: Path, view: View, against: Path | None, outputs: Outputs
) -> ExitCode:
    """Show a saved plan, offline.

    Needs no server and no key. A file that was edited after it was saved is refused.
    """
    outputs.check(read=filter(None, (plan, against)))
    shown, digest = read_plan_file(plan)
    if against is None:
        _show(console, shown, plan, view, outputs)
        return ExitCode.DONE
    if view.output == "json":
        raise UsageError("`--against` has no JSON form", hint="leave `--format json` out")
    if outputs.files or outputs.is_github:
        raise UsageError("`--against` has text only", hint="leave `--output` out")
    other, other_digest = read_plan_file(against)
    if digest == other_digest:
        console.data("The actions are the same\n")
        return ExitCode.DONE
    lines = compare_plans(other, shown)
    console.data("\n".join([*lines, f"Digest: {other_digest} -> {digest}", ""]))
    return ExitCode.DONE


def _show(console: Console, plan: Plan, path: Path, view: View, outputs: Outputs) -> None:
    is_told = False
    if outputs.is_wanted:
        from runs_as_code.cli.publications import (  # noqa: PLC0415  lazy: few calls need any
            apply_command,
            plan_publication,
        )

        command = apply_command(Sources(), Approvals(), saved=path)
        publication = plan_publication(plan, outputs, console.environ, command=command, saved=path)
        is_told = publish(console, outputs, publication)
    if not is_told or view.output == "json":
        console.data(shown_plan(plan, console.style, view))
