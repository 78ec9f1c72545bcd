"""The list of runs as text: one table per project."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from runs_as_code.model.listing import ListedRun
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.safe import safe, width
from runs_as_code.report.style import Colour, Style
from runs_as_code.report.words import count

_HEADS = ("run", "state", "is", "owner", "key", "rev", "title", "milestone", "assignee", "results")
_TITLE_LIMIT = 60
_CELL_LIMIT = 40


def render_list(rows: Iterable[ListedRun], style: Style) -> str:
    """Return the runs as a table per project, in the order given; each ends in its address."""
    lines: list[str] = []
    total = 0
    for (server, project), group in groupby(rows, key=lambda row: (row.server, row.project)):
        runs = list(group)
        total += len(runs)
        lines.append(f"Server {safe(server)}, project {safe(project, NAME_LIMIT)}")
        lines += [*_table(runs, style), ""]
    return "\n".join([*lines, count(total, "run"), ""])


def _table(runs: Sequence[ListedRun], style: Style) -> Iterator[str]:
    cells = [_HEADS, *(_cells(run) for run in runs)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    urls = ["url", *(safe(run.url) for run in runs)]
    for number, (row, url) in enumerate(zip(cells, urls, strict=True)):
        filled = [cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)]
        line = "  " + "  ".join([*filled, url]).rstrip()
        yield style.paint(line, Colour.DIM) if number == 0 else line


def _cells(run: ListedRun) -> tuple[str, ...]:
    counts = run.counts
    return (
        str(run.run_id),
        "open" if run.is_open else "closed",
        run.ownership.value,
        safe(run.owner or "-", _CELL_LIMIT),
        safe(run.key or "-", _CELL_LIMIT),
        "-" if run.revision is None else f"r{run.revision}",
        safe(run.title, _TITLE_LIMIT),
        _named(run.milestone_title, run.milestone_id),
        _named(run.assignee_email, run.assignee_id),
        f"{counts.all - counts.open}/{counts.all}",
    )


def _named(name: str | None, entry_id: int | None) -> str:
    if entry_id is None:
        return "-"
    return str(entry_id) if not name else f"{safe(name, _CELL_LIMIT)} ({entry_id})"
