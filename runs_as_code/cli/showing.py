"""A plan as text or JSON, and what of it is shown."""

from dataclasses import dataclass

import click

from runs_as_code import __version__
from runs_as_code.cli.options import format_option, grouped
from runs_as_code.model.plan import Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.document import plan_to_json
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.style import Style
from runs_as_code.report.text import render_plan


@dataclass(frozen=True, slots=True)
class View:
    """How a plan is shown."""

    output: str = "text"
    show_unmanaged: bool = False
    verbose: bool = False


view_options = grouped(
    "view",
    View,
    format_option,
    click.option(
        "--show-unmanaged",
        is_flag=True,
        help="List the open runs that nobody manages; JSON always has them.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, help="List the unchanged keys; JSON always has them."
    ),
)
"""Adds how a plan is shown, as `view`."""


def plan_text(plan: Plan, style: Style, view: View | None = None) -> str:
    """Return a plan for people."""
    seen = view or View()
    return render_plan(
        plan,
        digest=plan_digest(plan),
        style=style,
        show_unmanaged=seen.show_unmanaged,
        verbose=seen.verbose,
    )


def plan_json(plan: Plan) -> str:
    """Return a plan as JSON; what this gives can be shown and applied later."""
    return dump_json(plan_to_json(plan, digest=plan_digest(plan), tool_version=__version__))


def shown_plan(plan: Plan, style: Style, view: View) -> str:
    """Return a plan in the format that was asked for."""
    return plan_json(plan) if view.output == "json" else plan_text(plan, style, view)
