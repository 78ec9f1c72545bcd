"""The project-wide rules: each stops a whole project before its first write."""

from collections.abc import Iterable
from dataclasses import replace

from runs_as_code.model.actions import CloseRun
from runs_as_code.model.desired import Limits
from runs_as_code.model.live import Listing
from runs_as_code.model.plan import Block, Change
from runs_as_code.planning.context import Context

TOO_MANY = "too-many-closes"
FREE_CLOSES = 3
"""Up to this many closes the percentage does not count: small projects would never get by."""


def incomplete_listing(listing: Listing) -> list[Block]:
    """Refuse a listing that is shorter than its own counters: runs would be missed."""
    listed_open = sum(run.is_open for run in listing.runs)
    listed_closed = len(listing.runs) - listed_open
    missing = max(
        (listing.open_counter or 0) - listed_open, (listing.closed_counter or 0) - listed_closed
    )
    if missing <= 0:
        return []
    return [
        Block(
            rule="incomplete-listing",
            message=f"the server counts {listing.open_counter} open and {listing.closed_counter}"
            f" closed runs but lists {listed_open} and {listed_closed}",
            line="run it again; nothing is safe to decide on part of the runs",
        )
    ]


def empty_manifest(ctx: Context, changes: Iterable[Change]) -> list[Block]:
    """Refuse to prune when none of the owner's open runs is declared: a wiped or wrong file."""
    is_pruned = any(
        change.key not in ctx.declarations and change.actions and not change.is_withheld
        for change in changes
    )
    if not is_pruned or ctx.approvals.allow_empty:
        return []
    declared = set(ctx.declarations)
    for declaration in ctx.declarations.values():
        declared.update(declaration.spec.previous_keys or ())
    open_runs = ctx.open_runs()
    if any(member.marker and member.marker.key in declared for member in open_runs):
        return []
    return [
        Block(
            rule="empty-manifest",
            message=f"none of the {len(open_runs)} open runs of owner `{ctx.owner}` is declared,"
            " so all of them would be closed",
            line="declare the runs that should stay, or `prune: keep`",
            flag="--allow-empty",
        )
    ]


def too_many_closes(ctx: Context, changes: Iterable[Change], limits: Limits) -> list[Block]:
    """Refuse more closes than the limits allow: a number, and a percentage of the open runs.

    Counted are prunes, closes of older revisions and of replaced runs, as far as nothing else
    withholds them; what a `state: closed` line or `closeWhen` closes was reviewed.
    """
    count = counted_closes(changes)
    if ctx.approvals.closes is not None:
        return []
    open_runs = len(ctx.open_runs())
    reasons, enough = [], []
    if count > limits.close:
        reasons.append(f"limits.close is {limits.close}")
        enough.append(f"close: {count}")
    if count > FREE_CLOSES and count * 100 > limits.percent * open_runs:
        reasons.append(f"limits.percent is {limits.percent} of {open_runs} open runs")
        # What is adopted is not among the open runs, so that even all of them may not be enough.
        enough += [f"percent: {-(-count * 100 // open_runs)}"] if count <= open_runs else [""]
    if not reasons:
        return []
    return [
        Block(
            rule=TOO_MANY,
            message=f"{count} runs would be closed, and {' and '.join(reasons)}",
            line=f"limits: {{{', '.join(enough)}}}" if all(enough) else "",
        )
    ]


def approvable(refusals: Iterable[Block], count: int) -> list[Block]:
    """Add the flag that approves the closes: their number over all projects of the call."""
    return [
        replace(refusal, flag=f"--approve-closes {count}") if refusal.rule == TOO_MANY else refusal
        for refusal in refusals
    ]


def counted_closes(changes: Iterable[Change]) -> int:
    """Count the closes that the limits count, leaving out what is withheld."""
    return sum(
        isinstance(action, CloseRun) and action.counts_to_limit
        for change in changes
        if not change.is_withheld
        for action in change.actions
    )


def wrong_approval(approved: int | None, count: int) -> list[Block]:
    """Refuse an approval of another number of closes than the plan has: something changed."""
    if approved is None or approved == count:
        return []
    return [
        Block(
            rule="approved-closes-differ",
            message=f"{approved} closes were approved, and the plan has {count}",
            flag=f"--approve-closes {count}",
        )
    ]
