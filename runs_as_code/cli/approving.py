"""Whether an apply may write: what is withheld, what was reviewed, what somebody answers."""

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from runs_as_code.cli.console import Console
from runs_as_code.cli.ending import NOTHING_WRITTEN, InterruptionError
from runs_as_code.cli.options import grouped
from runs_as_code.errors import ExitCode, RefusedError, StaleError, UsageError
from runs_as_code.model.actions import CloseRun
from runs_as_code.model.plan import Block, Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.safe import safe

_SHOWN = 8
_HOUR = 3600
_NAME_LIMIT = 80
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CLOCK_SKEW = timedelta(minutes=5)
_DIGEST_LENGTH = len("sha256:") + 64


class WithheldError(RefusedError):
    """Something of the plan is withheld, and nobody said to skip it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the command line decides about an apply as a whole."""

    auto_approve: bool = False
    expect_digest: str | None = None
    max_plan_age: timedelta | None = None
    skip_blocked: bool = False
    no_verify: bool = False


def _check_digest(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is None:
        return None
    digits = value.removeprefix("sha256:")
    if len(value) != _DIGEST_LENGTH or not set(digits) <= set("0123456789abcdef"):
        raise click.BadParameter("write it as the plan shows it: `sha256:` and 64 hex digits")
    return value


def _read_age(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> timedelta | None:
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5})([smhd])", value)
    if found is None:
        raise click.BadParameter("write a number and `s`, `m`, `h` or `d`, e.g. `24h`")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


decision_options = grouped(
    "decision",
    Decision,
    click.option("--auto-approve", is_flag=True, help="Don't ask."),
    click.option(
        "--expect-digest",
        metavar="sha256:...",
        callback=_check_digest,
        help="Apply only a plan with this digest, the one that was reviewed; don't ask.",
    ),
    click.option(
        "--max-plan-age",
        metavar="AGE",
        callback=_read_age,
        help="Refuse a saved plan that is older, e.g. `24h`; `s`, `m`, `h` or `d`.",
    ),
    click.option(
        "--skip-blocked",
        is_flag=True,
        help="Do the rest where safety rules withhold something; ends with 5 all the same.",
    ),
    click.option("--no-verify", is_flag=True, help="Don't read back and plan again afterwards."),
)
"""Adds what is decided about an apply, as `decision`."""


def check_digest(plan: Plan, expected: str | None) -> None:
    """Raise StaleError when the plan is not the one that was reviewed."""
    found = plan_digest(plan)
    if expected is None or found == expected:
        return
    actions = [action.address for action in plan.actions]
    listed = ", ".join(f"`{safe(name, _NAME_LIMIT)}`" for name in actions[:_SHOWN])
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    raise StaleError(
        f"the plan is not the reviewed one: the digest is `{found}`, expected was `{expected}`;"
        f" it would now do {listed}{more}",
        hint="give the same files and approvals as for the review, or review it again;"
        " `qarun show NEW.json --against REVIEWED.json` names what differs between saved plans",
    )


def check_age(plan: Plan, most: timedelta | None, moment: datetime) -> None:
    """Raise StaleError when a saved plan is older than it may be, or does not say when it was made.

    `moment` is the time in UTC. A plan from the future has a time that nobody can rely on.
    """
    if most is None:
        return
    try:
        made = datetime.strptime(plan.created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise StaleError(
            "the plan does not say when it was made, so its age can't be told", hint="plan again"
        ) from None
    age = moment - made
    if -_CLOCK_SKEW <= age <= most:
        return
    problem = f"was made at {plan.created_at}, {_words(age)} ago"
    if age < most:
        problem = f"says it was made at {plan.created_at}, which is still to come"
    raise StaleError(
        f"the plan {problem}, and `--max-plan-age` allows {_words(most)}; nothing was written",
        hint="plan again, and have it reviewed again",
    )


def check_withheld(plan: Plan, decision: Decision) -> None:
    """Raise RefusedError when something is withheld that nobody said to skip."""
    blocks = withheld_blocks(plan)
    if not blocks or (decision.skip_blocked and plan.actions):
        return
    rules = ", ".join(f"`{rule}`" for rule in sorted({block.rule for block in blocks})[:_SHOWN])
    flags = sorted({block.flag for block in blocks if block.flag})[:_SHOWN]
    ways = [f"`{flag}`" for flag in flags]
    if not decision.skip_blocked and plan.actions:
        ways.append("`--skip-blocked` to do the rest")
    hint = f"the plan names a way out for each; for this apply: {', '.join(ways)}"
    raise WithheldError(
        f"withheld by safety rules ({rules}); nothing was written",
        hint=hint if ways else "the plan names a line for the file for each",
    )


def withheld_blocks(plan: Plan) -> list[Block]:
    """Return what withholds or refuses anything in the plan."""
    return [
        block
        for project in plan.projects
        for block in (*project.refusals, *(b for c in project.changes for b in c.blocks))
    ]


def ask(plan: Plan, console: Console) -> None:
    """Ask whether to apply; raise RefusedError unless somebody answers `yes`."""
    if not console.can_ask:
        why = "`CI` is set" if console.is_pipeline else "nobody is at a terminal"
        line = shlex.join(["qarun", *console.arguments, "--auto-approve"])
        raise RefusedError(
            f"an approval is missing, and apply can't ask: {why}; nothing was written",
            hint=f"`{line}`, or `--expect-digest {plan_digest(plan)}` for exactly this plan",
        )
    try:
        answer = console.ask(_question(plan))
    except KeyboardInterrupt:
        raise InterruptionError(NOTHING_WRITTEN, ExitCode.SIGINT) from None
    if answer != "yes":
        raise RefusedError("not approved; nothing was written")


def check_saved(paths: tuple[str, ...], given: list[str]) -> None:
    """Raise UsageError for options that a saved plan has decided already."""
    if paths:
        raise UsageError(
            "a saved plan needs no `-f`: it holds everything that was read from the files",
            hint="leave out either the plan or `-f`",
        )
    if given:
        raise UsageError(
            f"{', '.join(f'`{flag}`' for flag in given)} can't change a saved plan",
            hint="give it to `qarun plan --out`, then apply that plan",
        )


def _words(span: timedelta) -> str:
    """Say a time span, from an hour on to the minute."""
    seconds = int(span.total_seconds())
    if seconds >= _HOUR:
        seconds -= seconds % 60
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min")]
    parts.append((seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _question(plan: Plan) -> str:
    number = len(plan.actions)
    closes = sum(isinstance(action, CloseRun) for action in plan.actions)
    places = sorted({(p.server, p.project) for p in plan.projects if p.actions})
    where = ", ".join(
        f"project {safe(project, _NAME_LIMIT)} on {safe(server, _NAME_LIMIT)}"
        for server, project in places
    )
    what = "this action" if number == 1 else f"these {number} actions"
    lines = [f"Apply {what} to {where}?"]
    if closes:
        runs = "1 run" if closes == 1 else f"{closes} runs"
        lines.append(f"{runs} will be closed, and a closed run can't be opened again.")
    return "\n".join([*lines, 'Only "yes" is accepted: '])
