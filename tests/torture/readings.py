"""What a caller has read: the runs of a list as it got them, markers read on their own."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torture.wire import Call

MARKER = re.compile(r"\[qarun:1 ([a-z0-9-]+) ([A-Za-z0-9._@=,-]+) r(\d+) [^\[\]]* ([pu])\]")


@dataclass(frozen=True)
class Seen:
    """One run as a list or the database shows it."""

    id: int
    title: str
    is_open: bool
    marker: str = ""
    owner: str = ""
    key: str = ""
    revision: int = 0
    is_protected: bool = False
    total: int = 0
    recorded: int = 0
    statuses: tuple[int, ...] = ()
    has_time: bool = False
    type: str = ""
    milestone: int | None = None
    assignee: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether no case of it is open any more."""
        return 0 < self.total == self.recorded

    @property
    def has_results(self) -> bool:
        """Whether people's work is in it."""
        return self.recorded > 0 or self.has_time


def see(run: Mapping[str, Any]) -> Seen:
    """Read one run of a list's reply."""
    counts = run["statusCounts"]
    return Seen(
        id=run["id"],
        title=run["title"],
        is_open=run["closedAt"] is None,
        total=counts["all"],
        recorded=counts["all"] - counts["open"],
        statuses=tuple(counts.get(name, 0) for name in ("passed", "failed", "blocked", "skipped")),
        has_time=bool(run["timeSpent"]),
        type=run["type"],
        milestone=run["milestoneId"],
        assignee=run["assignmentId"],
        **read_marker(run["description"]),
    )


def read_marker(description: str) -> dict[str, Any]:
    """Return what a description's marker says; nothing unless there is exactly one."""
    text = html.unescape(html.unescape(description))
    found = MARKER.search(text)
    if found is None or text.count("[qarun:") != 1:
        return {}
    owner, key, revision, flag = found.groups()
    return {
        "marker": found[0],
        "owner": owner,
        "key": key,
        "revision": int(revision),
        "is_protected": flag == "p",
    }


@dataclass(frozen=True)
class Reading:
    """One list as a caller got it, asked for `at` one moment and there when it `came`.

    It `is_whole` unless it is shorter than its own counters.
    """

    runs: tuple[Seen, ...]
    at: float
    came: float
    is_whole: bool = True


def read(call: Call, body: bytes, came: float) -> Reading:
    """Read the reply to a list; raises ValueError, TypeError or KeyError for what is none."""
    data = json.loads(body)
    runs = tuple(see(run) for run in data["runs"] or ())
    opened = sum(run.is_open for run in runs)
    is_whole = opened >= data["open"]
    if "closed" not in call.query:  # the counters are of all runs, whatever the query leaves out
        is_whole = is_whole and len(runs) - opened >= data["closed"]
    return Reading(runs, call.at, came, is_whole)


@dataclass(frozen=True)
class Sent:
    """What a create or clone asked for; `source` is the run that was cloned."""

    marker: str
    type: str | None
    milestone: int | None
    assignee: int | None
    source: int | None

    @property
    def is_clone(self) -> bool:
        """Whether it was made from another run."""
        return self.source is not None

    @property
    def key(self) -> str:
        """The key that its marker names."""
        return str(read_marker(self.marker).get("key", ""))

    def is_stored_as(self, run: Seen) -> bool:
        """Whether a list shows the run as it was sent; what was not sent may be anything."""
        pairs = (
            (self.marker, run.marker),
            (self.type, run.type),
            (self.milestone, run.milestone),
            (self.assignee, run.assignee),
        )
        return run.is_open and all(sent in (None, stored) for sent, stored in pairs)


def read_sent(call: Call) -> Sent:
    """Read the body of a create or clone."""
    body = call.json
    return Sent(
        marker=str(read_marker(body["description"]).get("marker")),
        type=body.get("type"),
        milestone=body.get("milestoneId"),
        assignee=body.get("assignmentId"),
        source=body["runId"] if call.path.endswith("/clone") else None,
    )
