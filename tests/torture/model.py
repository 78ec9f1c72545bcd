"""Users, people in the web page, faults and applies at random, and what must hold after each step.

A state machine for hypothesis: `test_model.py` runs it briefly, `script/torture` for long.
"""

import asyncio
import contextlib
import copy
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from torture.acts import At
from torture.applier import Applier, Ended, lies
from torture.estate import OTHER, OWNER
from torture.faults import Weather
from torture.ground import Ground, PeopleError
from torture.problems import Problem
from torture.settling import settle
from torture.virtual import VirtualRunner

from runs_as_code.manifest import read_manifests
from runs_as_code.model.source import Severity
from runs_as_code.server import ServerOptions, ensure_database

KEYS = ("a", "b", "c", "d", "e")
TITLES = (
    "Alpha",
    "Beta",
    "Gamma & <i>co</i>",
    "Délta",
    "Epsilon  twice",
    "alpha (r2)",
    "Beta (r3)",
    "Zeta",
)
FOLDERS = (["Menu"], ["Cart"], ["Menu", "Cart"], [6], ["Account"], ["Cart/Discounts"])
MILESTONES = (None, "Sprint 24", "Release 2.4", 5)
BEFORE = "before"

keys = st.sampled_from(KEYS)
owners = st.sampled_from((OWNER, OWNER, OTHER))
picks = st.integers(0, 30)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(TITLES),
    "description": st.sampled_from((None, "Text", "a < b & c\n\nd", "Other <b>text</b>")),
    "milestone": st.sampled_from(MILESTONES),
    "assignee": st.sampled_from((None, 7, 4)),
    "type": st.sampled_from(("live", "static", "static_struct")),
    "queryPlans": st.sampled_from(FOLDERS).map(lambda folders: [{"folders": folders}]),
    "state": st.sampled_from(("open", "open", "closed", "unmanaged")),
    "closeWhen": st.sampled_from(("never", "complete")),
    "onClosed": st.sampled_from(("leave", "recreate")),
    "ifExists": st.sampled_from(("fail", "adopt")),
    "protect": st.booleans(),
    "replace": st.sampled_from(("auto", "never", "always", "r2", "r3")),
    "ignoreChanges": st.sampled_from(([], ["title"], ["milestone", "description"])),
    "previousKeys": st.sampled_from(([], ["a"], ["b"], ["c"])),
}
changes = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda name: FIELDS[name].map(lambda value: (name, value))
)
approvals = st.fixed_dictionaries(
    {
        "keys": st.frozensets(keys, max_size=2),
        "replace": st.one_of(st.just(frozenset()), st.frozensets(keys, max_size=1)),
        "allow_empty": st.booleans(),
        "targets": st.sampled_from(((), (), (), ("a",), ("[ab]",))),
    }
)


class Model(RuleBasedStateMachine):
    """One project, two owners, and everybody who may get in each other's way."""

    seed: ClassVar[Path | None] = None
    applies: ClassVar[int] = 0
    scopes: ClassVar[tuple[str, ...]] = ("project", "milestone", "none")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="torture-"))
        self.runner = VirtualRunner()
        self.ground: Ground
        self.documents: dict[str, dict[str, Any]] = {}
        self.older: dict[str, dict[str, Any]] = {}
        self.planned: Any = None
        self.is_broken = False

    @classmethod
    def database(cls) -> Path:
        """Return a database without runs, which every example copies."""
        if cls.seed is None or not cls.seed.exists():
            cls.seed = Path(tempfile.mkdtemp(prefix="torture-seed-")) / "seed.db"
            ensure_database(cls.seed)
        return cls.seed

    @initialize(
        scope=st.integers(0, 2),
        mangling=st.sampled_from(("none", "trim", "escape")),
        close=st.sampled_from((25, 25, 2)),
        percent=st.sampled_from((100, 30)),
    )
    def begin(self, scope: int, mangling: Any, close: int, percent: int) -> None:
        """Build the ground and two manifests."""
        title_scope: Any = self.scopes[scope % len(self.scopes)]
        options = ServerOptions(title_scope=title_scope, mangle_text=mangling)
        self.ground = Ground(self.folder / "ground", options, self.database())
        for owner in (OWNER, OTHER):
            self.documents[owner] = {
                "apiVersion": "qarun/v1",
                "project": "BD",
                "owner": owner,
                "prune": "close",
                "limits": {"close": close, "percent": percent},
                "runs": {},
            }
        for key, title in (("a", "Alpha"), ("b", "Beta"), ("c", "Zeta")):
            self.edit(OWNER, lambda runs, k=key, t=title: runs.update({k: _run(t)}))
        self.older = copy.deepcopy(self.documents)

    # Users.

    @rule(owner=owners, key=keys, title=FIELDS["title"], folders=st.sampled_from(FOLDERS))
    def declare(self, owner: str, key: str, title: str, folders: Any) -> None:
        """Declare a run."""
        self.edit(owner, lambda runs: runs.update({key: _run(title, folders)}))

    @rule(owner=owners, key=keys, source=keys, title=FIELDS["title"])
    def declare_clone(self, owner: str, key: str, source: str, title: str) -> None:
        """Declare a clone of another key."""
        self.edit(owner, lambda runs: runs.update({key: {"title": title, "cloneFrom": source}}))

    @rule(key=keys, pick=picks, title=FIELDS["title"])
    def declare_adoption(self, key: str, pick: int, title: str) -> None:
        """Declare that a run which is there is the run of a key."""
        run_id = self.pick(pick)
        self.edit(OWNER, lambda runs: runs.update({key: _run(title) | {"adopt": {"run": run_id}}}))

    @rule(owner=owners, key=keys, change=changes)
    def change(self, owner: str, key: str, change: tuple[str, Any]) -> None:
        """Change one field of a declaration."""
        name, value = change

        def alter(runs: dict[str, Any]) -> None:
            if key in runs:
                runs[key][name] = value

        self.edit(owner, alter)

    @rule(owner=owners, key=keys)
    def drop(self, owner: str, key: str) -> None:
        """Declare a run no longer."""
        self.edit(owner, lambda runs: runs.pop(key, None))

    @rule(owner=owners, key=keys, new=keys)
    def rename(self, owner: str, key: str, new: str) -> None:
        """Rename a key and say so."""

        def move(runs: dict[str, Any]) -> None:
            if key in runs and new not in runs:
                runs[new] = {**runs.pop(key), "previousKeys": [key]}

        self.edit(owner, move)

    @rule(owner=owners, prune=st.sampled_from(("keep", "close", "close")))
    def set_prune(self, owner: str, prune: str) -> None:
        """Say what becomes of runs that are no longer declared."""
        self.documents[owner]["prune"] = prune

    def edit(self, owner: str, alter: Callable[[dict[str, Any]], object]) -> None:
        """Commit a change of a manifest if `validate` lets it pass."""
        document = copy.deepcopy(self.documents[owner])
        alter(document["runs"])
        for run in document["runs"].values():
            if run.get("closeWhen") == "complete":
                run["onClosed"] = "leave"  # else each round asks for the next
        others = [doc for name, doc in self.documents.items() if name != owner]
        paths = self.ground.write([document, *others], "embedded")
        found = read_manifests(paths).diagnostics
        if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
            return
        self.older[owner] = self.documents[owner]
        self.documents[owner] = document

    # People.

    @rule(title=FIELDS["title"], milestone=st.sampled_from((None, 6)))
    def person_creates(self, title: str, milestone: int | None) -> None:
        """Make a run by hand."""
        self.person(self.creating(title, milestone))

    @rule(pick=picks, title=FIELDS["title"])
    def person_clones(self, pick: int, title: str) -> None:
        """Clone a run in the web page, marker and all."""
        self.person(self.ground.people.clone(self.pick(pick), title))

    @rule(pick=picks)
    def person_closes(self, pick: int) -> None:
        """Close a run."""
        self.person(self.ground.people.close(self.pick(pick)))

    @rule(pick=picks, count=st.sampled_from((1, 2, 100)))
    def person_records(self, pick: int, count: int) -> None:
        """Record results."""
        self.person(self.ground.people.record(self.pick(pick), count))

    @rule(pick=picks, title=st.sampled_from((*TITLES, "By hand")))
    def person_renames(self, pick: int, title: str) -> None:
        """Rename a run, as far as the server lets them."""
        runs = self.ground.truth()
        if self.ground.options.title_scope == "none" or title not in {
            run.seen.title for run in runs.values()
        }:
            self.person(self.editing(self.pick(pick), title=title))

    @rule(pick=picks, how=st.sampled_from(("wipe", "damage", "copy", "more")), other=picks)
    def person_edits_description(self, pick: int, how: str, other: int) -> None:
        """Wipe or damage a marker, copy it into another run, or write something around it."""
        run_id = self.pick(pick)
        self.person(self.marking(run_id, how, self.pick(other)))

    @rule(pick=picks, field=st.sampled_from(("milestone_id", "assignment_id", "time_spent")))
    def person_assigns(self, pick: int, field: str) -> None:
        """Change a field that has a form of its own."""
        value = {"milestone_id": 6, "assignment_id": 4, "time_spent": 60_000}[field]
        self.person(self.editing(self.pick(pick), **{field: value}))

    async def creating(self, title: str, milestone: int | None) -> None:
        run_id = await self.ground.people.create(title)
        if milestone is not None:
            self.ground.people.edit(run_id, milestone_id=milestone)

    async def editing(self, run_id: int, **values: Any) -> None:
        if run_id in self.ground.truth():
            self.ground.people.edit(run_id, **values)

    async def marking(self, run_id: int, how: str, other: int) -> None:
        runs = self.ground.truth()
        if run_id not in runs:
            return
        old = runs[run_id].description
        new = {
            "wipe": "Written anew",
            "damage": old.replace(" r", " r?", 1),
            "copy": runs[other].description if other in runs else old,
            "more": f"{old} See also the wiki.",
        }[how]
        self.ground.people.edit(run_id, description=new)

    def pick(self, number: int) -> int:
        """Return some run, newer ones rather than older ones."""
        runs = sorted(self.ground.truth(), reverse=True)
        return runs[number % len(runs)] if runs else 0

    def person(self, deed: Coroutine[Any, Any, object]) -> None:
        """Let a person do something; the server may refuse it."""
        self.runner.run(_tolerating(deed))

    # Applies.

    @rule(owner=owners, skip=st.booleans(), given=approvals)
    def apply(self, owner: str, skip: bool, given: dict[str, Any]) -> None:  # noqa: FBT001  drawn
        """Apply in fine weather."""
        self.finished(self.applier(owner, given, skip=skip).apply())

    @rule(owner=owners, seed=st.integers(0, 10_000), probability=st.sampled_from((0.1, 0.3)))
    def apply_in_bad_weather(self, owner: str, seed: int, probability: float) -> None:
        """Apply while replies are lost."""
        weather = Weather(seed, probability, most=25)
        self.finished(self.applier(owner).apply(), weather)

    @rule(owner=owners, number=st.integers(1, 25), is_carried_out=st.booleans())
    def die(self, owner: str, number: int, is_carried_out: bool) -> None:  # noqa: FBT001  drawn
        """Apply, and be killed."""
        work = self.applier(owner).killed(number, is_carried_out=is_carried_out)
        self.runner.run(work)

    @rule(
        owner=owners,
        number=st.integers(1, 12),
        pick=picks,
        deed=st.sampled_from(("close", "record", "clone", "wipe", "copy", "create")),
        title=FIELDS["title"],
    )
    def apply_while_somebody_works(
        self, owner: str, number: int, pick: int, deed: str, title: str
    ) -> None:
        """Apply, and a person does something between two of its calls."""
        applier = self.applier(owner)

        async def act() -> None:
            run_id = self.pick(pick)
            people = self.ground.people
            deeds = {
                "close": lambda: people.close(run_id),
                "record": lambda: people.record(run_id, 1),
                "clone": lambda: people.clone(run_id, title),
                "wipe": lambda: self.marking(run_id, "wipe", run_id),
                "copy": lambda: self.marking(run_id, "copy", self.pick(pick + 1)),
                "create": lambda: people.create(title),
            }
            await _tolerating(deeds[deed]())

        self.finished(applier.apply(), At("", deed=act, number=number), is_alone=False)

    @rule(owner=owners, given=approvals)
    def plan(self, owner: str, given: dict[str, Any]) -> None:
        """Plan now, to apply it later."""
        applier = self.applier(owner, given, skip=True)
        try:
            planned = self.runner.run(applier.plan())
        finally:
            self.runner.run(applier.hang_up())
        self.planned = (applier, planned)

    @precondition(lambda self: self.planned is not None)
    @rule(is_reviewed=st.booleans())
    def apply_planned(self, is_reviewed: bool) -> None:  # noqa: FBT001  drawn
        """Apply what was planned some steps ago, in the same call or as a reviewed file."""
        applier, planned = self.planned
        # Two processes that plan before either writes are a race, whoever comes first.
        applier.brief.may_race = True
        if is_reviewed:
            self.finished(applier.apply_reviewed(planned.plan), is_alone=False)
        else:
            self.finished(applier.apply_planned(planned), is_alone=False)
        self.planned = None

    @rule(owner=owners, other=owners, is_older=st.booleans())
    def race(self, owner: str, other: str, is_older: bool) -> None:  # noqa: FBT001  drawn
        """Let two applies run at once, perhaps of two commits."""
        documents = self.older if is_older else self.documents
        appliers = [
            Applier(self.ground, [copy.deepcopy(doc)], skip_blocked=True, may_race=True)
            for doc in (self.documents[owner], documents[other])
        ]

        async def both() -> None:
            await asyncio.gather(*(applier.apply() for applier in appliers))
            await self.ground.wire.quiet()

        self.runner.run(both())

    @rule(owner=owners)
    def converge(self, owner: str) -> None:
        """Apply until nothing is left, which must not take long."""
        settling = settle(self.ground, [copy.deepcopy(self.documents[owner])], skip_blocked=True)
        self.expect_nothing_of(self.runner.run(settling))

    def expect_nothing_of(self, problems: list[Problem]) -> None:
        """Raise AssertionError for what is wrong."""
        if problems:
            self.is_broken = True
            raise AssertionError("\n".join(map(str, problems)))

    def applier(
        self, owner: str, given: dict[str, Any] | None = None, *, skip: bool = True
    ) -> Applier:
        document = copy.deepcopy(self.documents[owner])
        return Applier(self.ground, [document], given or {}, skip_blocked=skip)

    def finished(
        self, work: Coroutine[Any, Any, Ended], *actors: Any, is_alone: bool = True
    ) -> None:
        """Run an apply to its end, late commits included, and hold its report against the truth."""

        async def whole() -> Ended:
            self.ground.wire.actors[:] = actors
            ended = await work
            self.ground.wire.actors.clear()
            await self.ground.wire.quiet()
            return ended

        ended = self.runner.run(whole())
        if is_alone:
            self.expect_nothing_of(lies(self.ground, ended))

    @invariant()
    def nothing_is_wrong(self) -> None:
        """No duplicate, no wrong close, no lost result, no limit exceeded."""
        if hasattr(self, "ground"):
            self.expect_nothing_of(self.ground.objections())

    def teardown(self) -> None:
        try:
            if hasattr(self, "ground") and not self.is_broken:
                for owner in (OWNER, OTHER, OWNER):
                    self.converge(owner)
                self.nothing_is_wrong()
        finally:
            if hasattr(self, "ground"):
                Model.applies += self.ground.applies
                self.ground.close()
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def _run(title: str, folders: Any = ("Menu",)) -> dict[str, Any]:
    return {"title": title, "type": "live", "queryPlans": [{"folders": list(folders)}]}


async def _tolerating(deed: Coroutine[Any, Any, object]) -> None:
    with contextlib.suppress(PeopleError):
        await deed
