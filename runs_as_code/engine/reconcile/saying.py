"""What a round says: a line of the log for each project, and how it all ended."""

from collections.abc import Iterable

from runs_as_code.engine.reconcile.project import Workshop
from runs_as_code.engine.reconcile.settings import FILES
from runs_as_code.errors import ExitCode
from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Level,
    Observation,
    Standing,
    Value,
)
from runs_as_code.model.report import SUCCEEDED

_STOPPED = "stopped on the way; the next round does the rest"
_PASSED = {
    ExitCode.SIGINT: _STOPPED,
    ExitCode.SIGTERM: _STOPPED,
    ExitCode.STALE: "somebody else was at work; the next round looks again",
}


def report(seen: Observation, before: Standing, after: Standing, shop: Workshop) -> None:
    """Say in the log what a round showed of a scope."""
    counts: dict[str, Value] = {f"drift_{kind}": number for kind, number in seen.drift.items()}
    counts |= {f"blocked_{rule}": number for rule, number in seen.blocked.items()}
    if seen.ended is Ended.FAILED:
        message = f"{seen.error}; {after.failures} in a row"
        facts: dict[str, Value] = {
            "exit_code": seen.exit_code.value,
            "failures": after.failures,
            "hint": seen.hint,
        }
        shop.say(Level.ERROR, "project.failed", message, seen.scope, **facts)
    elif seen.ended is Ended.PASSED:
        message = seen.error or _PASSED.get(seen.exit_code, _PASSED[ExitCode.STALE])
        shop.say(Level.INFO, "project.passed", message, seen.scope)
    elif seen.scope != FILES:
        done = sum(n for (_, result), n in seen.actions.items() if result in SUCCEEDED)
        what = seen.drift if after.condition is Condition.DRIFT else seen.blocked
        told = ", ".join(f"{number} {name}" for name, number in sorted(what.items()))
        words = f"{after.condition}" + (f" ({told})" if told else "")
        words += f", {done} done" if done else ""
        is_news = bool(done or before.failures) or before.condition is not after.condition
        level = Level.INFO if is_news else Level.DEBUG
        facts = {"condition": str(after.condition), "actions": done, **counts}
        facts["converged"] = seen.is_converged
        facts["seconds"] = round(seen.seconds, 3)
        shop.say(level, "project.reconciled", words, seen.scope, **facts)


def exit_code_of(seen: Iterable[Observation]) -> ExitCode:
    """Return how a round ends as one apply would: its one bad end, or that there are several."""
    given = list(seen)
    codes = {each.exit_code for each in given} - {ExitCode.DONE}
    if len(codes) <= 1:
        return codes.pop() if codes else ExitCode.DONE
    is_something_done = any(each.actions for each in given)
    return ExitCode.PARTIAL if is_something_done else ExitCode.ERROR
