"""An independent judge of every write: by what its sender had last read, was it right?

It shares no code with planning or engine: it reads markers and manifests on its own.
"""

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from torture.faults import Answer
from torture.problems import Problem, Wrong
from torture.wire import Call

MARKER = re.compile(r"\[qarun:1 ([a-z0-9-]+) ([A-Za-z0-9._@=,-]+) r(\d+) [^\[\]]* ([pu])\]")
CLOSE = re.compile(r"/project/([^/]+)/run/(\d+)/close")
MAKE = re.compile(r"/project/([^/]+)/run(/clone)?")
CLOSE_LISTING_AGE = 2.01  # one second as promised, at most one more in the queue of the rate limit
FREE_CLOSES = 3

Document = Mapping[str, Any]


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
    has_time: bool = False

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
        has_time=bool(run["timeSpent"]),
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


@dataclass
class Brief:
    """What one apply was told: its manifests, its approvals, and what it has read and done."""

    manifests: tuple[Document, ...]
    approved: frozenset[str] = frozenset()
    approved_closes: int | None = None
    targets: tuple[str, ...] = ()
    may_race: bool = False
    planned_on: tuple[Seen, ...] | None = None
    view: tuple[Seen, ...] = ()
    viewed_at: float = -1e9
    made: dict[int, str] = field(default_factory=dict)
    closes: dict[int, str] = field(default_factory=dict)
    writes: int = 0

    @property
    def owner(self) -> str:
        """Whose manifests they are; all of one owner."""
        return str(self.manifests[0]["owner"])

    @property
    def runs(self) -> dict[str, Document]:
        """The declared runs, with the defaults filled in."""
        return {
            key: {**manifest.get("defaults", {}), **run}
            for manifest in self.manifests
            for key, run in manifest["runs"].items()
        }

    def declared(self, key: str) -> tuple[str, Document] | None:
        """Return the declaration that a key, or a former name of it, belongs to."""
        for name, run in self.runs.items():
            if key == name or key in run.get("previousKeys", ()):
                return name, run
        return None

    def is_ours(self, run: Seen) -> bool:
        """Whether the marker of a run says that it is this owner's."""
        aliases = {a for m in self.manifests for a in m.get("ownerAliases", ())}
        return run.owner in {self.owner, *aliases}

    def is_copy(self, run: Seen) -> bool:
        """Whether a run with a lower id bore the same marker when the plan was made.

        Who writes the marker into an older run later does not make the planned run another one.
        """
        runs = self.planned_on or ()
        everything = runs if any(other.id == run.id for other in runs) else (*runs, *self.view)
        return any(other.marker == run.marker and other.id < run.id for other in everything)


class Ledger:
    """Hears every call and keeps what is wrong in `violations`.

    `look_up` gives the truth about a run, for what no caller can be blamed for: a marker that
    people wiped, a run that somebody else closed.
    """

    def __init__(self, title_scope: str, look_up: Callable[[int], Seen | None]) -> None:
        self.title_scope = title_scope
        self._look_up = look_up
        self.duplicates = 0
        self.briefs: dict[str, Brief] = {}
        self.violations: list[Problem] = []
        self.writes = 0
        self.closes = 0
        self._makes: dict[str, set[int]] = {}
        self._racing: set[str] = set()

    def brief(self, who: str, brief: Brief) -> Brief:
        """Say what an apply was told, before it begins."""
        self.briefs[who] = brief
        return brief

    def arrived(self, call: Call) -> None:
        """Judge a write by what its sender knew."""
        if not call.is_write:
            return
        brief = self.briefs[call.who]
        brief.writes += 1
        self.writes += 1
        closing = CLOSE.fullmatch(call.path)
        if closing:
            self.closes += 1
            self._judge_close(call, brief, int(closing[2]))
        elif MAKE.fullmatch(call.path):
            self._judge_make(call, brief)
        else:
            self._object(call, Wrong.WRITE, "does what nobody asked for")

    def carried_out(self, call: Call, answer: Answer) -> None:
        """Note what a write really did."""
        if not (call.is_write and answer.is_success):
            return
        brief = self.briefs[call.who]
        closing = CLOSE.fullmatch(call.path)
        if closing:
            brief.closes[int(closing[2])] = call.path
            return
        marker = str(read_marker(call.json["description"]).get("marker"))
        run_id = answer.json["id"]
        brief.made[run_id] = marker
        if brief.may_race:
            self._racing.add(marker)
        # Where titles are not unique nothing can keep two processes from making the same run, nor
        # where they are so in a milestone and a person moves the first run to another one.
        is_unavoidable = self.title_scope != "project" and marker in self._racing
        earlier = {one for one in self._makes.get(marker, ()) if self._bears(one, marker)}
        self._makes[marker] = {*earlier, run_id}
        if earlier and not is_unavoidable:
            self.duplicates += 1
            self._object(call, Wrong.DUPLICATE, f"makes a duplicate of {earlier}: {marker}")

    def delivered(self, call: Call, answer: Answer) -> None:
        """Note what a caller has read."""
        if not (call.is_list and answer.is_success):
            return
        try:
            view = tuple(see(run) for run in json.loads(answer.body)["runs"] or ())
        except (ValueError, TypeError, KeyError):
            return
        brief = self.briefs.get(call.who)
        if brief is None:
            return
        brief.view, brief.viewed_at = view, call.at
        if brief.planned_on is None and "closed" not in call.query:
            brief.planned_on = view

    def _bears(self, run_id: int, marker: str) -> bool:
        run = self._look_up(run_id)
        return run is not None and run.marker == marker

    def _judge_make(self, call: Call, brief: Brief) -> None:
        found = read_marker(call.json["description"])
        declared = brief.runs.get(found.get("key", ""))
        if found.get("owner") != brief.owner or declared is None:
            self._object(call, Wrong.WRITE, f"makes a run that nobody declared: {found}")
        elif declared.get("state", "open") != "open":
            self._object(call, Wrong.WRITE, "makes a run that is not declared open")

    def _judge_close(self, call: Call, brief: Brief, run_id: int) -> None:
        view = {run.id: run for run in brief.view}
        run = view.get(run_id)
        age = call.at - brief.viewed_at
        true = self._look_up(run_id)
        if true is not None and not true.is_open:
            return  # it stays closed, whatever is sent
        if run is None or not run.is_open:
            self._object(call, Wrong.CLOSE, "closes what its last look did not show as open")
        elif age > CLOSE_LISTING_AGE:
            self._object(call, Wrong.CLOSE, f"closes after a look {age:.1f} s ago")
        elif not self._is_managed(run, brief):
            self._object(call, Wrong.CLOSE, f"closes what is not its own: {run}")
        else:
            for wrong, what in _objections(run, brief):
                self._object(call, wrong, what)

    def _is_managed(self, run: Seen, brief: Brief) -> bool:
        if not run.marker:
            return _adopter(run, brief) is not None
        return brief.is_ours(run) and not brief.is_copy(run)

    def _object(self, call: Call, wrong: Wrong, what: str) -> None:
        text = f"{call.who}: {call.method} {call.path}: {what}"
        self.violations.append(Problem(wrong, text))


Objections = Iterable[tuple[Wrong, str]]


def _objections(run: Seen, brief: Brief) -> Objections:
    """Say why a run of ours must not be closed by what was read and told."""
    before = {other.id: other for other in brief.planned_on or ()}.get(run.id)
    if before is None:
        yield Wrong.CLOSE, "closes a run that its plan did not see"
    elif run.recorded > before.recorded or (run.has_time and not before.has_time):
        yield Wrong.RESULT, f"closes {run}, which got results since the plan"
    declared = brief.declared(run.key) or _adopter(run, brief)
    if declared is None:
        yield from _prune_objections(run, brief)
        return
    key, spec = declared
    if brief.targets and not any(fnmatchcase(key, target) for target in brief.targets):
        yield Wrong.CLOSE, f"closes {run}, which is no target"
    state = spec.get("state", "open")
    if state == "unmanaged":
        yield Wrong.CLOSE, f"closes {run}, which is declared unmanaged"
    if spec.get("protect", False):
        yield Wrong.CLOSE, f"closes {run}, which the file protects"
    if state == "open":
        yield from _replacement_objections(run, key, spec, brief)


def _adopter(run: Seen, brief: Brief) -> tuple[str, Document] | None:
    if run.marker:
        return None
    for key, spec in brief.runs.items():
        is_by_title = spec.get("ifExists") == "adopt" and _is_same_title(spec["title"], run.title)
        if spec.get("adopt", {}).get("run") == run.id or is_by_title:
            return key, spec
    return None


def _is_same_title(one: str, other: str) -> bool:
    return html.unescape(one).strip().casefold() == html.unescape(other).strip().casefold()


def _prune_objections(run: Seen, brief: Brief) -> Objections:
    if brief.targets:
        yield Wrong.CLOSE, f"prunes {run} under --target"
    if {manifest.get("prune", "keep") for manifest in brief.manifests} != {"close"}:
        yield Wrong.CLOSE, f"prunes {run}, and the files say keep"
    if run.is_protected:
        yield Wrong.CLOSE, f"prunes {run}, which is protected"
    if run.owner != brief.owner:
        yield Wrong.CLOSE, f"prunes {run}, which is ours by alias only"
    if run.has_results and not run.is_complete and run.key not in brief.approved:
        yield Wrong.RESULT, f"prunes {run}, in which somebody is at work"


def _replacement_objections(run: Seen, key: str, spec: Document, brief: Brief) -> Objections:
    keys = {key, *spec.get("previousKeys", ())}
    marked = [r for r in brief.view if brief.is_ours(r) and r.key in keys and not brief.is_copy(r)]
    adopted = [r for r in brief.view if (_adopter(r, brief) or ("", {}))[0] == key]
    same = [*marked, *adopted]
    later = [other for other in same if other.id > run.id]
    is_due = spec.get("closeWhen") == "complete" and run.is_complete
    if not any(other.is_open for other in later):
        if not is_due:
            yield Wrong.CLOSE, f"closes {run}, and no successor of it is open"
        return
    made = max(other.revision for other in later)
    is_approved = key in brief.approved or spec.get("replace") in {"always", f"r{made}"}
    if run.has_results and not is_due and not is_approved:
        yield Wrong.RESULT, f"closes {run}, whose results nobody approved to put aside"
    if spec.get("replace") == "never" and not is_approved:
        yield Wrong.CLOSE, f"closes {run}, which is never to be replaced"


def count_limited(brief: Brief) -> int:
    """Count the closes of an apply that the limits count."""
    before = {run.id: run for run in brief.planned_on or ()}
    count = 0
    for run_id in brief.closes:
        run = before.get(run_id)
        declared = brief.declared(run.key) if run else None
        if (
            run is None
            or declared is None
            or (
                declared[1].get("state", "open") == "open"
                and not (declared[1].get("closeWhen") == "complete" and run.is_complete)
            )
        ):
            count += 1
    return count


def limit_objections(who: str, brief: Brief) -> list[Problem]:
    """Say whether an apply closed more than the limits allow."""
    count = count_limited(brief)
    ours = sum(run.is_open and brief.is_ours(run) for run in brief.planned_on or ())
    limits = [manifest.get("limits", {}) for manifest in brief.manifests]
    most = min(limit.get("close", 25) for limit in limits)
    percent = min(limit.get("percent", 30) for limit in limits)
    if brief.approved_closes is not None:
        allowed = brief.approved_closes
    elif count <= FREE_CLOSES:
        allowed = most
    else:
        allowed = min(most, percent * ours // 100)
    if count <= allowed:
        return []
    return [Problem(Wrong.CLOSE, f"{who}: {count} closes, and the limits allow {allowed}")]
