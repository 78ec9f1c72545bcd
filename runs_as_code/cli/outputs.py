"""`--output FORMAT=PATH`: files for reviews and pipelines, written beside what goes to stdout."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import Decorator, grouped
from runs_as_code.cli.writing import append_file, check_apart, check_target, is_terminal, write_file
from runs_as_code.errors import UsageError
from runs_as_code.report.outputs.bounded import DEFAULT_BYTES, LEAST_BYTES

if TYPE_CHECKING:  # most calls want no output, and should not pay for any
    from runs_as_code.report.outputs.github import Annotation

GITHUB = "github"
MARKDOWN = "markdown"
PLAN_FORMATS = (
    "json",
    MARKDOWN,
    "html",
    "sarif",
    "gitlab-terraform",
    "gitlab-codequality",
    GITHUB,
)
FINDINGS_FORMATS = ("json", MARKDOWN, "junit", "sarif", "gitlab-codequality", GITHUB)
REPORT_FORMATS = ("json", MARKDOWN, "junit", GITHUB)

Render = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which files are wanted, how much may be in a comment, and which comment that is."""

    files: tuple[tuple[str, Path], ...] = ()
    is_github: bool = False
    max_bytes: int = DEFAULT_BYTES
    is_quiet: bool = False
    comment_id: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether a call has to make anything of a result beside its text."""
        return bool(self.files) or self.is_github or self.is_quiet

    def check(self, *others: Path | None, read: Iterable[str | Path] = ()) -> None:
        """Raise UsageError for a path that can't be written to, is wanted twice, or is `read`."""
        paths = [path for _, path in self.files]
        for path in paths:
            check_target(path)
        check_apart([*paths, *filter(None, others)], read)
        # Unlike that of `Path`, this never raises, whatever a link leads to.
        wanted = [os.path.realpath(path) for path in (*paths, *others) if path is not None]
        # Two texts may well go to one terminal, only not into one file.
        twice = {path for path in wanted if wanted.count(path) > 1 and not is_terminal(path)}
        if twice:
            raise UsageError(f"`{min(twice)}` is to be written twice", hint="name another file")


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of GitHub Actions gets: outputs, annotations, the Markdown of its summary."""

    values: Mapping[str, str | int | bool] = field(default_factory=dict)
    annotations: "Sequence[Annotation]" = ()
    summary: Render = field(default=lambda: "")


@dataclass(frozen=True, slots=True)
class Publication:
    """What a result looks like in each format that has one; `marker` is its Markdown's first line.

    `is_unchanged` tells whether there is nothing to report.
    """

    texts: Mapping[str, Render]
    step: Step
    marker: str = ""
    is_unchanged: bool = False


def publish(console: Console, outputs: Outputs, publication: Publication) -> bool:
    """Write what is wanted and return whether there is nothing more to say on stdout.

    A format in which this result can't be told is passed over. Raises QarunError when something
    can't be written.
    """
    for name, path in outputs.files:
        if name in publication.texts:
            write_file(path, _text(name, outputs, publication))
    if outputs.is_github:
        _tell_github(console, outputs, publication)
    return outputs.is_quiet and publication.is_unchanged


def outputs_options(formats: tuple[str, ...], *, has_quiet: bool = True) -> Decorator:
    """Return a decorator that adds the wanted files as `outputs`."""
    named = ", ".join(f"`{name}`" for name in formats if name != GITHUB)
    options = [
        click.option(
            "--output",
            "outputs",
            multiple=True,
            metavar="FORMAT=PATH",
            callback=_parser(formats),
            help=f"Write this as well, beside what goes to stdout; repeatable. {named}; or"
            f" `{GITHUB}` without a path: step summary, step outputs and annotations.",
        ),
        click.option(
            "--max-bytes",
            type=click.IntRange(min=LEAST_BYTES),
            default=DEFAULT_BYTES,
            show_default=True,
            metavar="N",
            help="The most that `markdown` may have; what does not fit is counted.",
        ),
        click.option(
            "--comment-id",
            default="",
            metavar="NAME",
            help="Put this name into the hidden first line of `markdown`, by which a comment is"
            " found again: one for each set of manifests that is told of in one place.",
        ),
    ]
    if has_quiet:
        options.append(
            click.option(
                "--quiet-if-unchanged",
                is_flag=True,
                help="When there is nothing to report: no text on stdout, no step summary, and"
                " `markdown` is only its hidden first line.",
            )
        )
    return grouped("outputs", _make_outputs, *options)


def _make_outputs(**given: Any) -> Outputs:
    wanted: list[tuple[str, Path | None]] = given["outputs"]
    return Outputs(
        files=tuple((name, path) for name, path in wanted if path is not None),
        is_github=any(name == GITHUB for name, _ in wanted),
        max_bytes=given["max_bytes"],
        is_quiet=given.get("quiet_if_unchanged", False),
        comment_id=given["comment_id"],
    )


def _parser(
    formats: tuple[str, ...],
) -> Callable[[click.Context, click.Parameter, Iterable[str]], list[tuple[str, Path | None]]]:
    def parse(
        _ctx: click.Context, _parameter: click.Parameter, values: Iterable[str]
    ) -> list[tuple[str, Path | None]]:
        return [_parse(value, formats) for value in values]

    return parse


def _parse(value: str, formats: tuple[str, ...]) -> tuple[str, Path | None]:
    name, separator, path = value.partition("=")
    if name not in formats:
        listed = ", ".join(f"`{each}`" for each in formats)
        raise click.BadParameter(f"no format `{name}` here; expected one of {listed}")
    if name == GITHUB:
        if separator:
            raise click.BadParameter(f"`{GITHUB}` takes no path: the environment names the files")
        return name, None
    if path in {"", "-"}:
        raise click.BadParameter(f"name a file: `{name}=PATH`")
    return name, Path(path)


def _text(name: str, outputs: Outputs, publication: Publication) -> str:
    if name == MARKDOWN and outputs.is_quiet and publication.is_unchanged:
        return f"{publication.marker}\n"
    return publication.texts[name]()


def _tell_github(console: Console, outputs: Outputs, publication: Publication) -> None:
    from runs_as_code.report.outputs.github import (  # noqa: PLC0415  lazy, as above
        annotation_lines,
        output_lines,
    )

    step = publication.step
    paths = {f"{name.replace('-', '_')}_path": str(path) for name, path in outputs.files}
    texts: dict[str, Render] = {"GITHUB_OUTPUT": lambda: output_lines({**step.values, **paths})}
    if not (outputs.is_quiet and publication.is_unchanged):
        texts["GITHUB_STEP_SUMMARY"] = step.summary
    for variable, render in texts.items():
        path = console.environ.get(variable)
        if path:
            append_file(Path(path), render())
        else:
            console.warn(f"`{variable}` is not set, so nothing was written there")
    for line in annotation_lines(step.annotations):
        console.say(line)
