"""What the decisions about one owner in one project share: who owns what, which titles are free."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runs_as_code.model.desired import CloneSource, Manifest, RunSpec, State
from runs_as_code.model.live import LiveRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.plan import Approvals, matches_target
from runs_as_code.model.text import clash_form
from runs_as_code.planning.ownership import MarkedRun, Ownership, ProjectRuns
from runs_as_code.planning.resolve import Resolver

_PLACEHOLDER = re.compile(r"\{(title|revision|key)\}")

Place = tuple[str, str]
"""Owner and key: what a plan of a project decides about."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared run with the manifest it stands in."""

    manifest: Manifest
    spec: RunSpec


@dataclass(frozen=True, slots=True)
class Member:
    """A live run of a key; an adopted run has no marker and counts as revision 0."""

    marked: MarkedRun

    @property
    def run(self) -> LiveRun:
        """The live run itself."""
        return self.marked.run

    @property
    def marker(self) -> Marker | None:
        """The run's marker; None for an adopted run."""
        return self.marked.marker

    @property
    def revision(self) -> int:
        """The revision the marker says, 0 for an adopted run."""
        return self.marker.revision if self.marker else 0


class Titles:
    """Which titles of a project are taken: by live runs, by declarations, by this very plan.

    `adopted` holds the keys, whoever owns them, that adopt a run by its id.
    """

    def __init__(self, runs: ProjectRuns, manifests: Sequence[Manifest]) -> None:
        self.adopted = {s.adopt: s.key for m in manifests for s in m.runs if s.adopt is not None}
        self._runs = runs
        self._declared: dict[str, tuple[str, str]] = {}
        self._reserved: dict[str, tuple[str, str]] = {}
        declared = [
            (m.owner, s.key, s.title) for m in manifests for s in m.runs if s.state is State.OPEN
        ]
        # A title is declared once; should it be twice, the order of the files must not decide.
        for owner, key, title in sorted(declared):
            self._declared.setdefault(clash_form(title), (owner, key))

    def bearers(self, title: str) -> list[MarkedRun]:
        """Return the live runs that bear a title, open or closed."""
        return self._runs.by_title.get(clash_form(title), [])

    def declared_by(self, title: str) -> tuple[str, str] | tuple[None, None]:
        """Return owner and key of the open run that is declared with a title."""
        return self._declared.get(clash_form(title), (None, None))

    def is_free(self, title: str, owner: str, key: str) -> bool:
        """Whether this key may take the title."""
        clash = clash_form(title)
        mine = (owner, key)
        return (
            clash not in self._runs.by_title
            and self._declared.get(clash, mine) == mine
            and self._reserved.get(clash, mine) == mine
        )

    def reserve(self, title: str, owner: str, key: str) -> None:
        """Keep a title for a run this plan makes, unless it is another's already."""
        if self.is_free(title, owner, key):
            self._reserved[clash_form(title)] = (owner, key)


class Context:
    """The facts about one owner in one project that the decision table reads."""

    def __init__(
        self,
        manifests: tuple[Manifest, ...],
        runs: ProjectRuns,
        titles: Titles,
        resolver: Resolver,
        approvals: Approvals,
    ) -> None:
        self.owner = manifests[0].owner
        self.project = manifests[0].project
        self.manifests = manifests
        self.declarations: Mapping[str, Declaration] = {
            spec.key: Declaration(manifest, spec)
            for manifest in manifests
            for spec in manifest.runs
        }
        self.runs = runs
        self.titles = titles
        self.resolver = resolver
        self.approvals = approvals
        self.aliases = frozenset(alias for m in manifests for alias in m.owner_aliases)
        self.adopted = titles.adopted
        self._by_key: dict[str, list[Member]] = {}
        for marked in runs.all:
            if marked.marker is not None and self.is_ours(marked):
                self._by_key.setdefault(marked.marker.key, []).append(Member(marked))

    def ownership(self, marked: MarkedRun) -> Ownership:
        """Say what a run is to this owner."""
        return self.runs.ownership(marked, self.owner, self.aliases)

    def is_ours(self, marked: MarkedRun) -> bool:
        """Whether the run is this owner's, by name or by alias."""
        return self.ownership(marked) in {Ownership.OURS, Ownership.ALIAS}

    def is_targeted(self, key: str) -> bool:
        """Whether this plan is about the key."""
        targets = self.approvals.targets
        return not targets or any(matches_target(key, pattern) for pattern in targets)

    def is_approved(self, key: str) -> bool:
        """Whether somebody approved this key for one apply."""
        return self._is_among(key, self.approvals.keys)

    def is_replacement_asked(self, key: str) -> bool:
        """Whether somebody asked for a new revision of this key."""
        return self._is_among(key, self.approvals.replace)

    def _is_among(self, key: str, given: frozenset[str]) -> bool:
        return bool(given) and not given.isdisjoint(spellings(self.project, self.owner, key))

    def members(self, spec: RunSpec) -> list[Member]:
        """Return the live runs of a declared key, previous keys and adoption included, by id."""
        if spec.adopt is None and not spec.previous_keys:
            return list(self._by_key.get(spec.key, ()))
        keys = {spec.key, *(spec.previous_keys or ())}
        members = [member for key in keys for member in self._by_key.get(key, ())]
        adopted = self.runs.by_id.get(spec.adopt) if spec.adopt is not None else None
        if adopted is not None and adopted.marker is None:
            members.append(Member(adopted))
        return sorted(members, key=lambda member: member.run.id)

    def source_key(self, source: CloneSource) -> str | None:
        """Return the declared key that `cloneFrom` names, or that will bear the title it names."""
        if source.key is not None:
            return source.key
        if source.title is None or self.titles.bearers(source.title):
            return None
        owner, key = self.titles.declared_by(source.title)
        return key if owner == self.owner else None

    def orphans(self) -> dict[str, list[Member]]:
        """Return the open runs of keys that nothing declares, by key."""
        found = {}
        for key in sorted(self._by_key.keys() - self._declared()):
            still_open = [m for m in self._by_key[key] if m.run.is_open]
            if still_open:
                found[key] = still_open
        return found

    def open_runs(self) -> list[Member]:
        """Return the open runs that an apply could close: its own, by alias those it declares."""
        declared = self._declared()
        return [
            member
            for key, members in self._by_key.items()
            for member in members
            if member.run.is_open
            and (key in declared or self.ownership(member.marked) is Ownership.OURS)
        ]

    def _declared(self) -> set[str]:
        """Return the keys that some run is declared for, or was under an earlier name."""
        declared = set(self.declarations)
        for declaration in self.declarations.values():
            declared.update(declaration.spec.previous_keys or ())
        return declared


def name_of(place: Place, owner: str) -> str:
    """Name a key for an owner: another owner's with that owner before it."""
    return place[1] if place[0] == owner else "/".join(place)


def place_of(name: str, owner: str) -> Place:
    """Return what `name_of` named; no key has a slash in it."""
    whose, slash, key = name.partition("/")
    return (whose, key) if slash else (owner, name)


def spellings(project: str, owner: str, key: str) -> tuple[str, str, str]:
    """Return the ways to name a key on the command line; the longer ones tell owners apart."""
    return key, f"{owner}/{key}", f"{project}/{owner}/{key}"


def expand_title(template: str, *, title: str, revision: int, key: str) -> str:
    """Fill `{title}`, `{revision}` and `{key}` into a template, never into each other."""
    values = {"title": title, "revision": str(revision), "key": key}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
