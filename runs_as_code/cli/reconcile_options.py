"""The options of `qarun reconcile`: how often, what is watched, who is told."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runs_as_code.cli.logs import NOTIFY_URL
from runs_as_code.cli.options import grouped
from runs_as_code.cli.writing import check_apart, check_target
from runs_as_code.engine.reconcile.loop import Pace
from runs_as_code.errors import UsageError

DEFAULT_INTERVAL = "5m"
DEFAULT_JITTER = "10%"
LOOPBACK = "127.0.0.1"

_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(s|m|h)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LEAST, _MOST = 0.1, 24 * 3600
_SHARE = re.compile(r"([0-9]{1,2})%", re.ASCII)
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/\[\]]{0,253})):([0-9]{1,5})", re.ASCII)
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a round begins; `pace` is None for one round only."""

    pace: Pace | None


@dataclass(frozen=True, slots=True)
class Watching:
    """Where metrics go, and how the log looks."""

    metrics_address: tuple[str, int] | None = None
    metrics_file: Path | None = None
    is_json: bool = False
    is_verbose: bool = False

    def check(self, read: Iterable[str | Path]) -> None:
        """Raise UsageError for a file that can't be written to, or that is `read`."""
        if self.metrics_file is not None:
            check_target(self.metrics_file)
            check_apart([self.metrics_file], read)


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told of transitions, and in which form."""

    url: str | None = None
    template: Path | None = None
    memory: Path | None = None


def _duration(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    return None if value is None else _seconds(value)


def _seconds(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not _LEAST <= seconds <= _MOST:
        raise click.BadParameter("write a number and `s`, `m` or `h`, such as `5m`; at most `24h`")
    return seconds


def _share(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    found = _SHARE.fullmatch(value)
    if found is None:
        raise click.BadParameter("write a share of the interval from `0%` to `99%`")
    return int(found[1]) / 100


def _address(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    found = _ADDRESS.fullmatch(value)
    if found is None or int(found[3]) > _LAST_PORT:
        raise click.BadParameter("write `HOST:PORT`, or `:PORT` for this machine only")
    return found[1] or found[2] or LOOPBACK, int(found[3])


def _make_rhythm(**given: Any) -> Rhythm:
    if not given["is_once"]:
        interval = given["interval"] or _seconds(DEFAULT_INTERVAL)
        return Rhythm(Pace(interval, given["jitter"]))
    if given["interval"] is not None:
        raise UsageError("`--once` and `--interval` exclude each other", hint="leave one out")
    return Rhythm(None)


rhythm_options = grouped(
    "rhythm",
    _make_rhythm,
    click.option(
        "--once", "is_once", is_flag=True, help="One round, for cron; ends as `apply` does."
    ),
    click.option(
        "--interval",
        metavar="DURATION",
        callback=_duration,
        help="A round, then a pause of this length, for ever: `30s`, `5m`, `1h`."
        f" Default: `{DEFAULT_INTERVAL}`.",
    ),
    click.option(
        "--jitter",
        metavar="SHARE",
        default=DEFAULT_JITTER,
        show_default=True,
        callback=_share,
        help="Make each pause longer or shorter by up to this share of it.",
    ),
)
"""Adds how often, as `rhythm`."""


watching_options = grouped(
    "watching",
    Watching,
    click.option(
        "--metrics-address",
        metavar="HOST:PORT",
        callback=_address,
        help="Serve `/metrics`, `/healthz` and `/readyz` there; `:9090` is this machine only.",
    ),
    click.option(
        "--metrics-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write the metrics to this file after each round, in one step.",
    ),
    click.option(
        "--log-format",
        "is_json",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=lambda _ctx, _parameter, value: value == "json",
        help="The form of the log on stderr: lines for people, or JSON objects, one a line.",
    ),
    click.option(
        "-v",
        "--verbose",
        "is_verbose",
        is_flag=True,
        help="Log rounds without news as well.",
    ),
)
"""Adds what is watched, as `watching`."""


telling_options = grouped(
    "telling",
    Telling,
    click.option(
        "--notify-url",
        "url",
        metavar="URL",
        envvar=NOTIFY_URL,
        show_envvar=True,
        help="Post a notification there when a project drifts, is blocked, fails, or is well"
        " again. Such an address is a secret: better in the variable.",
    ),
    click.option(
        "--notify-template",
        "template",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A Jinja2 template of the body, for chat services; it makes JSON.",
    ),
    click.option(
        "--memory",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Remember here how it stood, so that `--once` and restarts tell changes only.",
    ),
)
"""Adds who is told, as `telling`."""
