"""What a plan comes to: each change counted once, and the closes and requests of an apply."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from runs_as_code.model.actions import CloseReason, CloseRun
from runs_as_code.model.plan import Change, Outcome, Plan
from runs_as_code.report.words import count, purpose_words

_KINDS = {
    Outcome.CREATE: "create",
    Outcome.CLONE: "clone",
    Outcome.REPLACE_BY_CLONE: "replace",
    Outcome.REPLACE_BY_CREATE: "replace",
    Outcome.CLOSE: "close",
    Outcome.KEEP: "unchanged",
    Outcome.STAY_CLOSED: "stay_closed",
    Outcome.ADOPT: "adopted",
    Outcome.ORPHAN: "orphans",
    Outcome.DECIDE: "decide",
    Outcome.UNMANAGED: "unmanaged",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """How many changes there are of each kind; only `drifted` counts some of them again.

    What a safety rule withholds is `blocked`, or `decide` where only a person can say what to do.
    """

    create: int = 0
    clone: int = 0
    replace: int = 0
    close: int = 0
    blocked: int = 0
    decide: int = 0
    orphans: int = 0
    adopted: int = 0
    stay_closed: int = 0
    unmanaged: int = 0
    unchanged: int = 0
    drifted: int = 0


def summarize(changes: Iterable[Change]) -> Summary:
    """Count the changes."""
    kinds: Counter[str] = Counter()
    for change in changes:
        kinds[kind_of(change)] += 1
        kinds["drifted"] += bool(change.drift)
    return Summary(**kinds)


def kind_of(change: Change) -> str:
    """Return the one kind a change is counted under, a field of `Summary`."""
    if change.is_withheld and change.outcome is not Outcome.DECIDE:
        return "blocked"
    return _KINDS[change.outcome]


def summary_words(summary: Summary) -> str:
    """Say what there is, leaving out what there is not."""
    parts = [
        _part(summary.create, "to create"),
        _part(summary.clone, "to clone"),
        _part(summary.replace, "to replace"),
        _part(summary.close, "to close (irreversible)"),
        _part(summary.blocked, "blocked"),
        _part(summary.decide, "to decide"),
        *rest_words(summary),
        _part(summary.unchanged, "unchanged"),
    ]
    words = ", ".join(part for part in parts if part)
    return f"{words}; drift in {summary.drifted}" if summary.drifted else words


def rest_words(summary: Summary) -> list[str]:
    """Say what is no change and still not just unchanged."""
    parts = [
        count(summary.orphans, "orphan") if summary.orphans else "",
        _part(summary.adopted, "adopted"),
        _part(summary.stay_closed, "closed by somebody"),
        _part(summary.unmanaged, "not managed"),
    ]
    return [part for part in parts if part]


def withheld_words(plan: Plan) -> str:
    """Say that an apply does nothing of what can be done; empty where it does, or nothing can."""
    if not plan.is_withheld or not plan.actions:
        return ""
    return (
        "Withheld: an apply does nothing of this as it is; with `--skip-blocked` it does the rest"
    )


def closes_words(plan: Plan) -> str:
    """Say how many runs an apply closes, why, and how much work is in them; empty for none."""
    closes = [action for action in plan.actions if isinstance(action, CloseRun)]
    if not closes:
        return ""
    reasons = Counter(close.reason for close in closes)
    why = ", ".join(
        f"{reasons[reason]} {purpose_words(reason)}" for reason in CloseReason if reasons[reason]
    )
    recorded = sum(close.recorded for close in closes)
    work = f"; {count(recorded, 'recorded result')} in them" if recorded else ""
    opening = "The rest closes" if plan.is_withheld else "Closes"
    return f"{opening} {count(len(closes), 'run')} (irreversible): {why}{work}"


def seconds_needed(plan: Plan) -> int:
    """Return the whole seconds that the requests take at the rate limit; 0 where there is none."""
    if not plan.cost.rate:
        return 0
    return -(-(plan.cost.reads + plan.cost.writes) // plan.cost.rate)


def cost_words(plan: Plan) -> str:
    """Say what an apply costs at most."""
    requests = f"{count(plan.cost.reads, 'read')} and {count(plan.cost.writes, 'write')}"
    if plan.cost.reads + plan.cost.writes == 0:
        return "Cost: no requests"
    if not plan.cost.rate:
        return f"Cost: at most {requests}, without a rate limit"
    duration = _duration(seconds_needed(plan))
    return f"Cost: at most {requests}, {duration} at {plan.cost.rate} requests a second"


def _part(number: int, words: str) -> str:
    return f"{number} {words}" if number else ""


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"about {seconds} s"
    return f"about {minutes} min" + (f" {rest} s" if rest else "")
