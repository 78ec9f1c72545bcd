"""A plan as one HTML file that needs nothing else: no network, and no script to be read."""

from base64 import b64encode
from hashlib import sha256

from jinja2 import BaseLoader, Environment, StrictUndefined

from runs_as_code.model.plan import Plan
from runs_as_code.report.outputs.page import plan_page
from runs_as_code.report.outputs.page_script import SCRIPT
from runs_as_code.report.outputs.page_style import STYLE
from runs_as_code.report.outputs.page_template import TEMPLATE


def plan_html(plan: Plan, *, digest: str, command: str, tool_version: str) -> str:
    """Return a page of a plan; `command` is what applies it.

    Its policy allows exactly this style and this script, so that even a mistake in an escape could
    run nothing and load nothing.
    """
    environment = Environment(
        loader=BaseLoader(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["pieces"] = _pieces
    return environment.from_string(TEMPLATE).render(
        page=plan_page(plan, digest=digest, command=command, version=tool_version),
        style=STYLE,
        script=SCRIPT,
        policy=policy(),
    )


def policy() -> str:
    """Return the content security policy of the page."""
    parts = {
        "default-src": "'none'",
        "style-src": _source(STYLE),
        "script-src": _source(SCRIPT),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _pieces(text: str) -> list[tuple[int, str]]:
    """Take a text apart at its backticks; every second piece is code, where they come in pairs."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(0, text)]
    return [(number % 2, part) for number, part in enumerate(parts)]
