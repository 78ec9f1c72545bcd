"""The options that commands share, each set as one value for the command."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runs_as_code.cli.console import Console
from runs_as_code.errors import UsageError
from runs_as_code.model.plan import Approvals
from runs_as_code.model.restraint import Policy

DEFAULT_FILE = "qarun.yaml"

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


@dataclass(frozen=True, slots=True)
class Sources:
    """Which manifests, and which server instead of theirs."""

    files: tuple[str, ...] = ()
    server: str | None = None
    database: Path | None = None
    rate: int | None = None
    is_insecure_http_allowed: bool = False
    is_http_logged: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The given paths, or `qarun.yaml` of this folder; raises UsageError without either."""
        return paths_or_default(self.files)

    @property
    def read(self) -> tuple[str, ...]:
        """The paths that are looked at, whether anything is there or not."""
        return self.files or (DEFAULT_FILE,)


def paths_or_default(files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the given paths, or `qarun.yaml` of this folder; raise UsageError without either."""
    if files:
        return files
    if Path(DEFAULT_FILE).is_file():
        return (DEFAULT_FILE,)
    raise UsageError(
        f"no manifest given, and there is no `{DEFAULT_FILE}` in this folder",
        hint="name a file or a folder: `-f PATH`",
    )


def grouped(name: str, make: Callable[..., Any], *options: Decorator) -> Decorator:
    """Give a command several options as one argument `name`, built by `make`."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            mine = {key: given.pop(key) for key in parameters}
            return function(*args, **given, **{name: make(**mine)})

        before = {parameter.name for parameter in getattr(function, "__click_params__", ())}
        for option in reversed(options):
            option(call)
        after = {parameter.name for parameter in call.__dict__["__click_params__"]}
        parameters = sorted(str(parameter) for parameter in after - before)
        return call

    return decorate


def _keep(setting: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if isinstance(ctx.obj, Console):
            setattr(ctx.obj, setting, value)

    return callback


def output_options(function: Command) -> Command:
    """Add how output looks; the values go to the console."""
    options = (
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            expose_value=False,
            is_eager=True,
            callback=_keep("color"),
            help="When to color; `auto` heeds NO_COLOR and FORCE_COLOR.",
        ),
        click.option(
            "--ascii",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_keep("is_ascii"),
            help="Use ASCII symbols; automatic where the output is not UTF-8.",
        ),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_keep("is_debug"),
            help="Show the traceback of an internal error.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


format_option = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of what goes to stdout.",
)

files_option = click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    help=f"A manifest, or a folder of them; repeatable. Default: `{DEFAULT_FILE}` if it is there.",
)

_server_options = (
    click.option(
        "--server",
        metavar="ADDRESS",
        help="The server, instead of what the files say: `embedded` or an https address.",
    ),
    click.option(
        "--database",
        type=click.Path(path_type=Path),
        envvar="QARUN_DATABASE",
        show_envvar=True,
        metavar="FILE",
        help="The embedded server's file. Default: `.qarun/embedded.db` beside the first manifest,"
        " or in the working folder where that comes through a pipe.",
    ),
    click.option(
        "--rate",
        type=click.IntRange(min=0),
        envvar="QARUN_RATE",
        show_envvar=True,
        metavar="N",
        help="Send at most N requests a second, 0 for no limit. Default: 20, the service's limit.",
    ),
    click.option(
        "--insecure-http",
        "is_insecure_http_allowed",
        is_flag=True,
        help="Send the key over plain http to a host that is not this machine.",
    ),
    click.option(
        "--debug-http",
        "is_http_logged",
        is_flag=True,
        help="Log each request to stderr: method, address, status, size, time; no header, no body.",
    ),
)

source_options = grouped("sources", Sources, files_option, *_server_options)
"""Adds which manifests and which server, as `sources`."""


policy_option = click.option(
    "--policy",
    type=click.Choice([policy.value for policy in Policy]),
    callback=lambda _ctx, _parameter, value: None if value is None else Policy(value),
    help="How far to go at most; tightens the `policy` of the files and never loosens it.",
)


def _make_approvals(**given: Any) -> Approvals:
    return Approvals(
        keys=frozenset(given["approve"]),
        closes=given["approve_closes"],
        replace=frozenset(given["replace_keys"]),
        allow_empty=given["allow_empty"],
        targets=tuple(given["target"]),
        ignore_freeze=given["ignore_freeze"].strip(),
    )


approval_options = grouped(
    "approvals",
    _make_approvals,
    click.option(
        "--approve",
        multiple=True,
        metavar="KEY",
        help="Lift the blocks of this key that can be lifted; repeatable.",
    ),
    click.option(
        "--approve-closes",
        type=click.IntRange(min=0),
        metavar="N",
        help="Lift the limits of closes for exactly N closes.",
    ),
    click.option(
        "--replace",
        "replace_keys",
        multiple=True,
        metavar="KEY",
        help="Ask for a new revision of this key; repeatable.",
    ),
    click.option(
        "--allow-empty",
        is_flag=True,
        help="Prune even when none of the owner's open runs is declared.",
    ),
    click.option(
        "--target",
        multiple=True,
        metavar="GLOB",
        help="Only these keys; nothing is pruned then. Repeatable.",
    ),
    click.option(
        "--ignore-freeze",
        metavar="WHY",
        default="",
        help="Write although a freeze window lasts; the reason is shown with the plan.",
    ),
)
"""Adds what a person approves, as `approvals`."""
