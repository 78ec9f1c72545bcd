"""Markdown for a comment or a summary: counts first, then each change, the next step last.

The first line is the hidden marker. All that a server or a manifest says stands in fences or code
spans, where it is neither a link nor a mention nor a tag.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from runs_as_code.model.plan import Block, Change, Plan, ProjectPlan
from runs_as_code.report.changes import MESSAGE_LIMIT, Surroundings, is_quiet, symbol_of
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.outputs.bounded import DEFAULT_BYTES, Section, fit
from runs_as_code.report.outputs.diff import block_diff, change_diff
from runs_as_code.report.outputs.escaping import code_span, fence, html_code
from runs_as_code.report.outputs.marker import hidden_marker
from runs_as_code.report.safe import safe
from runs_as_code.report.style import PLAIN, Symbol
from runs_as_code.report.summary import (
    closes_words,
    cost_words,
    summarize,
    summary_words,
    withheld_words,
)
from runs_as_code.report.text import headline
from runs_as_code.report.words import count

Scope = tuple[str, str, str]
"""Server, project and owner that a text is about."""

_COMMAND_LIMIT = 500
_PROJECT_LIMIT = 100

# What can't be undone or waits for somebody comes first: it must not be what is left out.
_ORDER = (
    Symbol.BLOCKED,
    Symbol.DECIDE,
    Symbol.CLOSE,
    Symbol.REPLACE,
    Symbol.CREATE,
    Symbol.CLONE,
    Symbol.DRIFT,
    Symbol.ADOPT,
    Symbol.NOTHING,
)


def plan_markdown(
    plan: Plan,
    *,
    digest: str,
    command: str,
    comment_id: str = "",
    max_bytes: int = DEFAULT_BYTES,
) -> str:
    """Return a plan in at most `max_bytes` bytes; `command` is what applies it."""
    head = [hidden_marker("plan", comment_id), f"### {headline(plan)}", ""]
    for words in filter(None, (withheld_words(plan), closes_words(plan))):
        head += [f"**{words}**", ""]
    sections = [_places(plan), *(_project(plan, project) for project in plan.projects)]
    return fit(_lines(head), sections, _lines(_tail(plan, digest, command)), max_bytes)


def scopes(plan: Plan) -> list[Scope]:
    """Return what a plan is about."""
    return [(project.server, project.project, project.owner) for project in plan.projects]


def diff_section(summary: str, pieces: list[str], *, is_open: bool = True) -> Section:
    """Return pieces as one diff that can be folded away; `summary` is HTML."""
    ticks = fence(pieces)
    opening = f"<details{' open' if is_open else ''}><summary>{summary}</summary>\n\n{ticks}diff\n"
    return Section(opening, pieces, f"{ticks}\n\n</details>\n\n")


def place_line(scope: Scope, words: str = "") -> str:
    """Return the item of a list that names what a text is about."""
    server, project, owner = (code_span(part, _PROJECT_LIMIT) for part in scope)
    place = f"- project {project}, owner {owner}, server {server}"
    return f"{place}: {words}\n" if words else f"{place}\n"


def command_lines(command: str) -> list[str]:
    """Return a command to copy, as a block of its own."""
    shown = safe(command, _COMMAND_LIMIT)
    ticks = fence((shown,))
    return [f"{ticks}sh", shown, ticks]


def _places(plan: Plan) -> Section:
    is_only = len(plan.projects) == 1
    lines = [
        place_line(scope, "" if is_only else _project_words(project))
        for scope, project in zip(scopes(plan), plan.projects, strict=True)
    ]
    return Section("", lines, "\n", is_counted=False)


def _project_words(project: ProjectPlan) -> str:
    words = summary_words(summarize(project.changes)) or "nothing declared"
    return f"REFUSED; without the refusal {words}" if project.refusals else words


def _project(plan: Plan, project: ProjectPlan) -> Section:
    around = Surroundings(PLAIN, Names(project), is_refused=bool(project.refusals))
    refusals = ["".join(f"{line}\n" for line in _refusal(block)) for block in project.refusals]
    shown = sorted((c for c in project.changes if not is_quiet(c)), key=rank)
    changes = [change_diff(change, around) for change in shown]
    notes = [f"  note: {safe(note, MESSAGE_LIMIT)}\n" for note in project.notes]
    summary = count(len(shown), "run")
    if len(plan.projects) > 1:
        name, owner = html_code(project.project, NAME_LIMIT), html_code(project.owner, NAME_LIMIT)
        summary = f"project {name}, owner {owner}: {summary}"
    return diff_section(
        summary, list(chain(refusals, changes, notes)), is_open=len(plan.projects) == 1
    )


def _refusal(block: Block) -> Iterator[str]:
    yield from block_diff(block, "refused: ")
    yield ""


def rank(change: Change) -> int:
    """Return where a change belongs among others: what must not be overlooked comes first."""
    return _ORDER.index(symbol_of(change))


def _tail(plan: Plan, digest: str, command: str) -> Iterable[str]:
    return [cost_words(plan), "", f"Digest: `{safe(digest)}`", "", *_next(plan, command)]


def next_step(plan: Plan, command: str) -> tuple[str, str]:
    """Say what to do next, and with which command, where there is one."""
    if plan.actions and not plan.is_withheld:
        return "Next, apply exactly this plan:", command
    if plan.actions:
        words = (
            "Next, add a line or a flag that is named above and plan again; or do only the rest:"
        )
        return words, f"{command} --skip-blocked"
    if plan.is_withheld:
        return "Next, add a line or a flag that is named above, and plan again.", ""
    return "Nothing is to be done.", ""


def _next(plan: Plan, command: str) -> list[str]:
    words, line = next_step(plan, command)
    return [words, "", *command_lines(line)] if line else [words]


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
