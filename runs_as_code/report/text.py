"""A plan as text: who it is for, what it comes to, then each change, then what it costs."""

from collections.abc import Iterator

from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.report.changes import (
    MESSAGE_LIMIT,
    Surroundings,
    block_lines,
    brief_line,
    change_lines,
    is_quiet,
)
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.safe import safe
from runs_as_code.report.style import Colour, Style, Symbol
from runs_as_code.report.summary import (
    closes_words,
    cost_words,
    kind_of,
    rest_words,
    summarize,
    summary_words,
    withheld_words,
)
from runs_as_code.report.words import TITLE_LIMIT, count


def render_plan(
    plan: Plan, *, digest: str, style: Style, show_unmanaged: bool = False, verbose: bool = False
) -> str:
    """Return the plan for people; `verbose` lists the unchanged keys too."""
    # Several plans say whose they are where each begins, so that nobody reads all of them twice.
    is_only = len(plan.projects) == 1
    lines = [project_words(project) for project in plan.projects if is_only]
    summary = [headline(plan), withheld_words(plan), closes_words(plan)]
    lines += [style.paint(line, Colour.BOLD) for line in summary if line]
    for project in plan.projects:
        body = list(_project_lines(project, style, verbose=verbose))
        if show_unmanaged:
            body += _unmanaged_lines(project)
        if not is_only:
            comes_to = summary_words(summarize(project.changes)) or "nothing declared"
            lines += ["", style.paint(f"{project_words(project)}: {comes_to}", Colour.BOLD)]
        lines += body
    return "\n".join([*lines, "", f"Digest: {safe(digest)}", cost_words(plan), ""])


def project_words(project: ProjectPlan) -> str:
    """Name the server, project and owner of a plan."""
    server, code = safe(project.server, MESSAGE_LIMIT), safe(project.project, NAME_LIMIT)
    return f"Server {server}, project {code}, owner {safe(project.owner, NAME_LIMIT)}"


def headline(plan: Plan) -> str:
    """Say in one line what a plan comes to."""
    if not plan.is_pending:
        return _no_changes(plan)
    words = summary_words(summarize(c for project in plan.projects for c in project.changes))
    refused = sum(bool(project.refusals) for project in plan.projects)
    if not refused:
        return f"Plan: {words}"
    if refused == len(plan.projects):
        return f"Plan: REFUSED, nothing will be done. Without the refusal: {words}"
    projects = count(len(plan.projects), "project")
    return f"Plan: REFUSED in {refused} of {projects}. Without the refusal: {words}"


def _no_changes(plan: Plan) -> str:
    changes = [change for project in plan.projects for change in project.changes]
    summary = summarize(changes)
    without_run = sum(kind_of(change) == "unchanged" and change.run is None for change in changes)
    agreeing = summary.unchanged - without_run
    parts = ["No changes."]
    if agreeing:
        parts.append(
            f"{count(agreeing, 'run')} {'agrees' if agreeing == 1 else 'agree'} with the file."
        )
    rest = rest_words(summary)
    if without_run:
        rest.append(f"{count(without_run, 'key')} without a run, as declared")
    if summary.drifted:
        rest.append(f"drift in {summary.drifted}")
    if rest:
        parts.append(f"Besides: {', '.join(rest)}.")
    elif not agreeing:
        parts.append("No run is declared, and none of this owner is open.")
    return " ".join(parts)


def _project_lines(project: ProjectPlan, style: Style, *, verbose: bool) -> Iterator[str]:
    for refusal in project.refusals:
        yield ""
        yield from block_lines(refusal, style, f"{style.column(Symbol.BLOCKED)} refused: ")
    around = Surroundings(style, Names(project), is_refused=bool(project.refusals))
    # What an apply or a person has to act on comes first, what is only good to know after it.
    for change in sorted(project.changes, key=lambda change: not change.is_pending):
        if not is_quiet(change):
            yield ""
            yield from change_lines(change, around)
    quiet = [change for change in project.changes if is_quiet(change)] if verbose else []
    if quiet:
        yield ""
        yield from (brief_line(change, style) for change in quiet)
    if project.notes:
        yield ""
        yield from (f"note: {safe(note, MESSAGE_LIMIT)}" for note in project.notes)


def _unmanaged_lines(project: ProjectPlan) -> list[str]:
    if not project.unmanaged:
        return ["", "Every open run is managed"]
    return ["", f"{count(len(project.unmanaged), 'open run')} that nobody manages:"] + [
        f"    run {run.id}: {safe(run.title, TITLE_LIMIT)}" for run in project.unmanaged
    ]
