"""GitHub Actions: annotations on lines of files, and the outputs of a step.

Gitea and Forgejo read the same. The summary of a step is the Markdown of a comment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from runs_as_code.model.actions import CloseRun
from runs_as_code.model.plan import Plan
from runs_as_code.model.source import Diagnostic, Location, Severity
from runs_as_code.report.outputs.escaping import command_data, command_property
from runs_as_code.report.outputs.findings import message_words, plan_findings
from runs_as_code.report.safe import safe
from runs_as_code.report.words import TITLE_LIMIT, count, counts_words

MOST_ANNOTATIONS = 10
"""GitHub shows about this many of a kind for a step, and drops the rest without a word."""

SUMMARY_BYTES = 900_000
"""A step's summary may have 1 MiB."""

_MESSAGE_LIMIT = 1_000
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Level(StrEnum):
    """The kinds of annotations."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message at a line of a file, or at none."""

    level: Level
    title: str
    message: str
    location: Location | None = None


def annotation_lines(annotations: Iterable[Annotation]) -> list[str]:
    """Return the workflow commands, at most ten of a kind: the tenth says what is left out."""
    given = list(annotations)
    return [line for level in Level for line in _of_level(level, given)]


def finding_annotations(diagnostics: Iterable[Diagnostic]) -> list[Annotation]:
    """Return an annotation for each diagnostic."""
    levels = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING}
    return [
        Annotation(levels[each.severity], each.rule, message_words(each), each.location)
        for each in diagnostics
    ]


def plan_annotations(plan: Plan) -> list[Annotation]:
    """Return an annotation for each refusal, each block, and each run that is to be closed."""
    closes = "would close" if plan.is_withheld else "closes"
    notices = [
        Annotation(
            Level.NOTICE, f"{closes} run {action.run_id}", _close_words(action), change.location
        )
        for project in plan.projects
        if not project.refusals
        for change in project.changes
        if not change.is_withheld
        for action in change.actions
        if isinstance(action, CloseRun)
    ]
    return finding_annotations(plan_findings(plan)) + notices


def output_lines(values: Mapping[str, str | int | bool]) -> str:
    """Return the outputs of a step as its file wants them.

    Raises ValueError for a name that an expression could not use.
    """
    return "".join(_assignment(name, value) for name, value in values.items())


def _of_level(level: Level, annotations: list[Annotation]) -> Iterator[str]:
    mine = [annotation for annotation in annotations if annotation.level is level]
    shown = mine if len(mine) <= MOST_ANNOTATIONS else mine[: MOST_ANNOTATIONS - 1]
    yield from (_command(annotation) for annotation in shown)
    if left := len(mine) - len(shown):
        words = f"{count(left, f'more {level.value}')} of qarun; the step's summary has them"
        yield _command(Annotation(level, "qarun", words))


def _command(annotation: Annotation) -> str:
    place = annotation.location
    properties = {"title": safe(annotation.title, TITLE_LIMIT)}
    if place is not None:
        file = safe(place.file, _MESSAGE_LIMIT)
        where = {"file": file, "line": str(place.line), "col": str(place.column)}
        properties = where | properties
    listed = ",".join(f"{key}={command_property(value)}" for key, value in properties.items())
    message = command_data(safe(annotation.message, _MESSAGE_LIMIT))
    return f"::{annotation.level.value} {listed}::{message}"


def _close_words(action: CloseRun) -> str:
    work = counts_words(action.counts)
    return f"`{action.title}`: {work}; a closed run can't be opened again"


def _assignment(name: str, value: str | int | bool) -> str:  # noqa: FBT001 -- a value, no switch
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"`{name}` is no name of an output")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\n" not in text and "\r" not in text:
        return f"{name}={text}\n"
    # The delimiter depends on the text, so no text can hold its own.
    delimiter = f"end_{sha256(text.encode('utf-8', 'replace')).hexdigest()}"
    return f"{name}<<{delimiter}\n{text}\n{delimiter}\n"
