"""An independent judge of every write: by what its sender had last read, was it right?

It shares no code with planning or engine: it reads markers and manifests on its own.
"""

import asyncio
import html
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from torture.faults import Answer
from torture.problems import Problem, Wrong
from torture.readings import Reading, Seen, Sent, read, read_marker, read_sent
from torture.wire import Call

CLOSE = re.compile(r"/project/([^/]+)/run/(\d+)/close")
MAKE = re.compile(r"/project/([^/]+)/run(/clone)?")
MEMBERS = re.compile(r"/project/[^/]+/run/(\d+)/tcase")
CLOSE_LISTING_AGE = 2.01  # one second as promised, at most one more in the queue of the rate limit
KEPT_READINGS = 40
FREE_CLOSES = 3

Document = Mapping[str, Any]


@dataclass
class Brief:
    """What one apply was told: its manifests, its approvals, and what it has read and done.

    `queue` is how many seconds may lie between the decision to write and the arrival of the write:
    what was read in between can't have been heeded.
    """

    manifests: tuple[Document, ...]
    approved: frozenset[str] = frozenset()
    approved_closes: int | None = None
    targets: tuple[str, ...] = ()
    may_race: bool = False
    planned_on: tuple[Seen, ...] | None = None
    queue: float = 0.0
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))
    made: dict[int, str] = field(default_factory=dict)
    sent: dict[int, Sent] = field(default_factory=dict)
    members: set[int] = field(default_factory=set)
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

    def is_copy(self, run: Seen, view: tuple[Seen, ...]) -> bool:
        """Whether a run with a lower id bears the same marker, or did when the plan was made."""
        everything = (*(self.planned_on or ()), *view)
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
        sent, run_id = read_sent(call), answer.json["id"]
        marker = sent.marker
        brief.made[run_id], brief.sent[run_id] = marker, sent
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
        brief = self.briefs.get(call.who)
        if brief is None or not answer.is_success or call.method != "GET":
            return
        members = MEMBERS.fullmatch(call.path)
        if members:
            brief.members.add(int(members[1]))
        if not call.is_list:
            return
        try:
            reading = read(call, answer.body, asyncio.get_running_loop().time())
        except (ValueError, TypeError, KeyError):
            return
        brief.readings.append(reading)
        if brief.planned_on is None and "closed" not in call.query:
            brief.planned_on = reading.runs

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
        """Judge a close by the last list that its sender can have gone by.

        A list that is short allows what it shows and forbids nothing by what it leaves out; one
        that came while the close waited for its turn can't have been heeded.
        """
        true = self._look_up(run_id)
        if true is not None and not true.is_open:
            return  # it stays closed, whatever is sent
        newest_first = [reading for _, reading in sorted(enumerate(brief.readings), key=_moment)]
        wrongs: list[tuple[Wrong, str]] = [(Wrong.CLOSE, "closes without a look")]
        for number, reading in enumerate(newest_first):
            found = list(_close_objections(call, brief, run_id, reading))
            if not found:
                return
            wrongs = wrongs if number else found
            if reading.is_whole and reading.came <= call.at - brief.queue:
                break
        for wrong, what in wrongs:
            self._object(call, wrong, what)

    def _object(self, call: Call, wrong: Wrong, what: str) -> None:
        text = f"{call.who}: {call.method} {call.path}: {what}"
        self.violations.append(Problem(wrong, text))


Objections = Iterable[tuple[Wrong, str]]


def _moment(numbered: tuple[int, Reading]) -> tuple[float, int]:
    number, reading = numbered
    return -reading.came, -number


def _close_objections(call: Call, brief: Brief, run_id: int, reading: Reading) -> Objections:
    """Say why a close is wrong by one list that its sender had read."""
    run = next((run for run in reading.runs if run.id == run_id), None)
    age = call.at - reading.at
    if run is None or not run.is_open:
        yield Wrong.CLOSE, "closes what its last look did not show as open"
    elif age > CLOSE_LISTING_AGE:
        yield Wrong.CLOSE, f"closes after a look {age:.1f} s ago"
    elif not _is_managed(run, brief, reading.runs):
        yield Wrong.CLOSE, f"closes what is not its own: {run}"
    else:
        yield from _objections(run, brief, reading.runs)


def _is_managed(run: Seen, brief: Brief, view: tuple[Seen, ...]) -> bool:
    if not run.marker:
        return _adopter(run, brief) is not None
    return brief.is_ours(run) and not brief.is_copy(run, view)


def _objections(run: Seen, brief: Brief, view: tuple[Seen, ...]) -> Objections:
    """Say why a run of ours must not be closed by what was read and told."""
    before = {other.id: other for other in brief.planned_on or ()}.get(run.id)
    if before is None:
        yield Wrong.CLOSE, "closes a run that its plan did not see"
    elif run.recorded > before.recorded or (run.has_time and not before.has_time):
        yield Wrong.RESULT, f"closes {run}, which got results since the plan"
    elif run.statuses != before.statuses:
        yield Wrong.RESULT, f"closes {run}, in which cases were tested again since the plan"
    elif run.title != before.title:
        yield Wrong.CLOSE, f"closes {run}, which was renamed since the plan: {before.title}"
    declared = brief.declared(run.key) or _adopter(run, brief)
    yield from _lost_heirs(run, declared[0] if declared else run.key, brief)
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
        yield from _replacement_objections(run, (key, spec), brief, view)


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


def _replacement_objections(
    run: Seen, declared: tuple[str, Document], brief: Brief, view: tuple[Seen, ...]
) -> Objections:
    key, spec = declared
    keys = {key, *spec.get("previousKeys", ())}
    marked = [r for r in view if brief.is_ours(r) and r.key in keys and not brief.is_copy(r, view)]
    # A successor that the plan saw, and that lost its marker since, is still there.
    known = [r.id for r in brief.planned_on or () if brief.is_ours(r) and r.key in keys]
    marked += [r for r in view if not r.marker and r.id in known and r.id not in brief.sent]
    adopted = [r for r in view if (_adopter(r, brief) or ("", {}))[0] == key]
    same = [*marked, *adopted]
    later = [other for other in same if other.id > run.id]
    is_due = spec.get("closeWhen") == "complete" and run.is_complete
    if not any(other.is_open for other in later):
        if not is_due:
            yield Wrong.CLOSE, f"closes {run}, and no successor of it is open"
        return
    if not is_due:
        yield from _unproved(run, max(other.id for other in later), brief, "successor")
    made = max(other.revision for other in later)
    # A revision's own approval is for what it replaced, not for a second run of that revision.
    by_revision = spec.get("replace") == f"r{made}" and run.revision < made
    is_approved = key in brief.approved or spec.get("replace") == "always" or by_revision
    if run.has_results and not is_due and not is_approved:
        yield Wrong.RESULT, f"closes {run}, whose results nobody approved to put aside"
    if spec.get("replace") == "never" and not is_approved:
        yield Wrong.CLOSE, f"closes {run}, which is never to be replaced"


def _lost_heirs(run: Seen, key: str, brief: Brief) -> Objections:
    """Say what of the clones of other keys that this very apply made of a run was not looked at."""
    for run_id, sent in brief.sent.items():
        if sent.source == run.id and sent.key != key:
            yield from _unproved(run, run_id, brief, "clone")


def _unproved(run: Seen, run_id: int, brief: Brief, what: str) -> Objections:
    """Say what of a run that this very apply made was never looked at."""
    sent = brief.sent.get(run_id)
    if sent is None:
        return
    seen = [r for reading in brief.readings for r in reading.runs if r.id == run_id]
    if not any(sent.is_stored_as(other) for other in seen):
        yield Wrong.CLOSE, f"closes {run}, and nobody saw its {what} {run_id} as it was sent"
    elif sent.is_clone and seen[0].type != "live" and run_id not in brief.members:
        yield Wrong.CLOSE, f"closes {run}, and nobody read the cases of its {what} {run_id}"


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
