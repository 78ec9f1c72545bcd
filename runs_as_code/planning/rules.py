"""The run-level safety rules: each builds the block that withholds a key's actions.

A block names a line for the file and a flag for one apply, so that nothing broader than needed is
ever approved. What no flag can lift has none.
"""

from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.plan import Block
from runs_as_code.model.source import Location
from runs_as_code.planning.context import Member


def approve(key: str) -> str:
    """Return the flag that approves one key for one apply."""
    return f"--approve {key}"


def has_results(key: str, run: LiveRun, revision: int, location: Location | None) -> Block:
    """Replacing this run would put recorded results aside."""
    counts = run.counts
    work = f"{counts.recorded} of {counts.all} cases have results"
    if run.time_spent:
        work += " and time was spent on it"
    return Block(
        rule="has-results",
        message=f"run {run.id} would be replaced although {work}",
        line=f"replace: r{revision}",
        flag=approve(key),
        location=location,
    )


def never_replaced(key: str, run: LiveRun, revision: int, location: Location | None) -> Block:
    """The file forbids replacing this run."""
    return Block(
        rule="replace-never",
        message=f"run {run.id} would be replaced, and `replace: never` forbids that",
        line=f"replace: r{revision}",
        flag=approve(key),
        location=location,
    )


def is_protected(run: LiveRun, location: Location | None, *, is_declared: bool) -> Block:
    """A protected run is neither replaced nor pruned; no flag lifts that."""
    line = "protect: false" if is_declared else "declare the key with protect: false, state: closed"
    return Block(
        rule="protected",
        message=f"run {run.id} is protected",
        line=line,
        location=location,
    )


def in_doubt(key: str, member: Member, location: Location | None) -> Block:
    """A run that is ours by its marker, but was renamed or shares its title."""
    return Block(
        rule="in-doubt",
        message=f"run {member.run.id} bears our marker but {member.marked.doubt}",
        line="state: unmanaged",
        flag=approve(key),
        location=location,
    )


def prune_has_results(key: str, run: LiveRun) -> Block:
    """An orphan with results and open cases: somebody is at work in it."""
    counts = run.counts
    return Block(
        rule="prune-has-results",
        message=f"run {run.id} is no longer declared, but {counts.recorded} of"
        f" {counts.all} cases have results and {counts.open} are still open",
        line=f"{key}: {{state: closed}}",
        flag=approve(key),
    )


def unverified_successor(key: str, run: LiveRun, why: str, location: Location | None) -> Block:
    """The newest revision is not what was sent, so the older ones stay open."""
    return Block(
        rule="unverified-successor",
        message=f"older revisions stay open: run {run.id} {why}",
        line="state: unmanaged",
        flag=approve(key),
        location=location,
    )


def successor_closed(
    key: str, closed: LiveRun, still_open: LiveRun, location: Location | None, *, is_due: bool
) -> Block:
    """Somebody closed the newest revision while an older one is open.

    A run that was due is not made anew because it is closed.
    """
    line = "`state: closed`, or another title"
    return Block(
        rule="successor-closed",
        message=f"run {closed.id}, the newest of this key, was closed, and run {still_open.id}"
        " before it is still open",
        line=line if is_due else f"`onClosed: recreate`, {line}",
        flag=approve(key),
        location=location,
    )


def adopting(run: LiveRun) -> str:
    """Return the line that adopts a run."""
    return f"adopt: {{run: {run.id}}}"


def marker_lost(
    key: str, run: LiveRun, location: Location | None, *, is_damaged: bool, or_else: str = ""
) -> Block:
    """An open run without a good marker bears the title of a run to be made, or to be closed.

    `or_else` is another way out.
    """
    state = "a damaged marker" if is_damaged else "no marker"
    return Block(
        rule="marker-lost",
        message=f"run {run.id} `{run.title}` bears the title of `{key}` and has {state}",
        line=f"{adopting(run)}{or_else}",
        location=location,
        run_id=run.id,
    )


def unreadable_marker(key: str, marker: Marker, location: Location | None) -> Block:
    """The marker could not be read back from the description that would be sent."""
    return Block(
        rule="unreadable-marker",
        message=f"the marker of `{key}` could not be found again in its description: {marker}",
        line="a `description` without anything like a marker, ids of at most 10 digits",
        location=location,
    )


def adopted_by_title(key: str, run: LiveRun, location: Location | None) -> Block:
    """Once it is replaced, nothing would say that this run was the key's."""
    return Block(
        rule="adopted-by-title",
        message=f"run {run.id} is the run of `{key}` by its title only, which is no record",
        line=adopting(run),
        location=location,
    )


def title_held(message: str, line: str, location: Location | None) -> Block:
    """The declared title belongs to a run that is not this key's."""
    return Block(rule="title-held", message=message, line=line, location=location)
