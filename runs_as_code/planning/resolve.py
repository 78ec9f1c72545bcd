"""Names to ids: what a manifest calls by name, the plan compares and sends by id."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

from runs_as_code.model.desired import Manifest, Name, QueryPlan, RunSpec
from runs_as_code.model.live import Catalog, Entry, LiveRun, NamesNeeded
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.plan import Block, Value
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.model.text import normal_form
from runs_as_code.planning.digest import canonical_json, data_digest

_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Resolved:
    """A desired run's references by id; None for what the file does not manage.

    `selection` is the digest of type and plans, `-` where the file declares none.
    """

    milestone: Value | None = None
    is_milestone_archived: bool = False
    assignee: Value | None = None
    plans: tuple[ResolvedPlan, ...] = ()
    selection: str = UNKNOWN


def names_needed(specs: Iterable[tuple[Manifest, RunSpec]], live: Iterable[LiveRun]) -> NamesNeeded:
    """Say which kinds of names these runs use; e-mail addresses the live runs show need none."""
    milestones = folders = tags = False
    users: set[str] = set()
    tcases: set[int | str] = set()
    for manifest, group in groupby(specs, key=itemgetter(0)):
        emails: set[str] = set()
        for _, spec in group:
            milestones |= _is_name(spec.milestone)
            if spec.assignee is not None and isinstance(spec.assignee.value, str):
                emails.add(spec.assignee.value.casefold())
            for plan in spec.query_plans:
                folders |= any(map(_is_name, plan.folders))
                tags |= any(map(_is_name, plan.tags))
                tcases.update([name.value for name in plan.tcases])
        users |= emails - {email.casefold() for email in manifest.users}
    if users:
        users -= {run.assignee_email.casefold() for run in live if run.assignee_email}
    return NamesNeeded(
        milestones=milestones,
        folders=folders,
        tags=tags,
        users=tuple(sorted(users)),
        tcases=tuple(sorted(tcases, key=str)),
    )


def _is_name(name: Name | None) -> bool:
    return name is not None and isinstance(name.value, str)


class _Near:
    """Finds the names near to a word, once a word: a wrong default is asked for by every run."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names
        self._found: dict[str, str] = {}

    def to(self, word: str) -> str:
        """Ask for the nearest names; empty when there are none."""
        if word not in self._found:
            from difflib import get_close_matches  # noqa: PLC0415 -- for errors only

            near = get_close_matches(word, sorted(self._names), n=3, cutoff=0.5)
            shown = " or ".join(f"`{name}`" for name in near)
            self._found[word] = f"did you mean {shown}?" if near else ""
        return self._found[word]


@dataclass(frozen=True, slots=True)
class _Index:
    """The entries of one kind by the normal form of their names.

    `ids` are those that are known to be there; None where nobody read which there are.
    """

    kind: str
    entries: Mapping[str, list[Entry]]
    near: _Near
    ids: frozenset[int] | None = None

    def find(self, name: str) -> Sequence[Entry]:
        """Return the entries of a name."""
        return self.entries.get(normal_form(name), ())

    def lacks(self, entry_id: int) -> bool:
        """Whether nothing of this kind has the id, as far as that was read."""
        return self.ids is not None and entry_id not in self.ids


class Resolver:
    """Resolves the names of one project against one catalog; built once, asked per run."""

    def __init__(self, catalog: Catalog, live: Collection[LiveRun]) -> None:
        self._tcases = catalog.tcases
        self._folders = _index("folder", catalog.folders)
        self._tags = _index("tag", catalog.tags)
        # What is gone, and a live run still has, agrees with that run.
        borne = {run.milestone_id for run in live if run.milestone_id is not None}
        self._milestones = _index("milestone", catalog.milestones, borne)
        self._archived = {e.id for e in catalog.milestones or () if e.is_archived}
        self._milestone_names = {e.id: e.name for e in catalog.milestones or ()}
        users = {entry.name.casefold(): entry.id for entry in catalog.users or ()}
        for run in live:
            if run.milestone_id is not None and run.milestone_title:
                self._milestone_names.setdefault(run.milestone_id, run.milestone_title)
            if run.assignee_id is not None and run.assignee_email:
                users.setdefault(run.assignee_email.casefold(), run.assignee_id)
        self._users = users
        self._are_users_complete = catalog.are_users_complete
        self._user_names = {user_id: email for email, user_id in users.items()}
        self._user_ids = {*users.values(), *(run.assignee_id for run in live)}
        self._people: dict[str, int] = {}
        self._near_people = _Near(())
        self._people_of: Manifest | None = None
        self._selections: dict[object, tuple[tuple[ResolvedPlan, ...], str]] = {}

    def resolve(self, manifest: Manifest, spec: RunSpec) -> tuple[Resolved, tuple[Block, ...]]:
        """Return the run's ids, and a block for each name that does not resolve."""
        blocks: list[Block] = []
        milestone = self._milestone(spec.milestone, blocks)
        assignee = self._assignee(manifest, spec.assignee, blocks)
        plans, selection = self._selection(spec, blocks)
        resolved = Resolved(
            milestone=milestone,
            is_milestone_archived=milestone is not None and milestone.id in self._archived,
            assignee=assignee,
            plans=plans,
            # Of use though another name does not resolve: a renamed key is known by it.
            selection=selection,
        )
        return resolved, tuple(blocks)

    def words(self, plans: Iterable[QueryPlan]) -> str:
        """Say a selection for people, with the ids of names."""
        return " | ".join(map(self._words, plans))

    def is_archived(self, milestone_id: int | None) -> bool:
        """Whether the milestone is known to be archived."""
        return milestone_id in self._archived

    def is_milestone_named(self, milestone_id: int | None, name: Name | None) -> bool:
        """Whether a milestone has this title, though another one may win by it."""
        if name is None or not isinstance(name.value, str):
            return False
        return any(entry.id == milestone_id for entry in self._milestones.find(name.value))

    def milestone_value(self, milestone_id: int | None) -> Value:
        """Return a milestone with its title, where that is known."""
        name = None if milestone_id is None else self._milestone_names.get(milestone_id)
        return Value(name, milestone_id)

    def user_value(self, user_id: int | None) -> Value:
        """Return a user with the e-mail address, where that is known."""
        name = None if user_id is None else self._user_names.get(user_id)
        return Value(name, user_id)

    def _milestone(self, name: Name | None, blocks: list[Block]) -> Value | None:
        if name is None:
            return None
        if isinstance(name.value, int):
            return replace(self.milestone_value(name.value), id=_id(self._milestones, name, blocks))
        entries = self._milestones.find(name.value)
        # An active milestone wins over archived ones of the same title. Of several archived ones
        # any will do: no run is made for them, and the runs of all of them agree with the title.
        active = [entry for entry in entries if not entry.is_archived]
        entries = active or sorted(entries, key=lambda entry: entry.id)[-1:]
        return Value(name.value, _only(self._milestones, name, entries, blocks))

    def _assignee(self, manifest: Manifest, name: Name | None, blocks: list[Block]) -> Value | None:
        if name is None:
            return None
        if isinstance(name.value, int):
            if self._are_users_complete and name.value not in self._user_ids:
                message = f"no user with the id {name.value} on this server"
                blocks.append(_unresolved(name, message, "the id or e-mail address of a user"))
            return self.user_value(name.value)
        if manifest is not self._people_of:
            declared = {email.casefold(): user_id for email, user_id in manifest.users.items()}
            self._people = self._users | declared
            self._near_people = _Near(self._people)
            self._people_of = manifest
        user_id = self._people.get(name.value.casefold())
        if user_id is None:
            blocks.append(
                _unknown_user(name, self._near_people, is_complete=self._are_users_complete)
            )
        return Value(name.value, user_id)

    def _selection(
        self, spec: RunSpec, blocks: list[Block]
    ) -> tuple[tuple[ResolvedPlan, ...], str]:
        """Resolve equal selections once: the runs of a large project share a few."""
        written = (spec.type, *map(_as_written, spec.query_plans))
        known = self._selections.get(written)
        if known is not None:
            return known
        found: list[Block] = []
        plans = tuple([self._plan(plan, found) for plan in spec.query_plans])
        if found:
            blocks += found
            return plans, UNKNOWN
        digest = UNKNOWN
        if plans and spec.type is not None:
            digest = selection_digest(spec.type, plans)
        return self._selections.setdefault(written, (plans, digest))

    def _plan(self, plan: QueryPlan, blocks: list[Block]) -> ResolvedPlan:
        return ResolvedPlan(
            tcase_ids=_sorted(self._tcase(name, blocks) for name in plan.tcases),
            folder_ids=_sorted(_id(self._folders, name, blocks) for name in plan.folders),
            tag_ids=_sorted(_id(self._tags, name, blocks) for name in plan.tags),
            priorities=tuple(sorted(set(plan.priorities))),
        )

    def _tcase(self, name: Name, blocks: list[Block]) -> str | None:
        found = self._tcases.get(name.value)
        if found is None:
            blocks.append(
                _unresolved(
                    name,
                    f"no test case `{name.value}` in this project",
                    "a marker (`BD-012`), a sequence number, an id or a legacy id",
                )
            )
        return found

    def _words(self, plan: QueryPlan) -> str:
        parts = [
            _listed("test cases", plan.tcases),
            _listed("folders", plan.folders, self._folders),
            _listed("tags", plan.tags, self._tags),
        ]
        if plan.priorities:
            parts.append("priorities " + ", ".join(plan.priorities))
        return "; ".join(part for part in parts if part)


def selection_digest(run_type: str, plans: Iterable[ResolvedPlan]) -> str:
    """Return the digest of a selection: the type, and the plans as a set of sets of ids.

    The type is part of it, so that a server that stores another type than was sent makes drift and
    not one replacement after the other. Rules of marker version 1.
    """
    data = {canonical_json(_plan_data(plan)).decode("ascii") for plan in plans}
    return data_digest({"type": str(run_type), "plans": sorted(data)})


def _plan_data(plan: ResolvedPlan) -> dict[str, list[str] | list[int]]:
    return {
        "folders": sorted(plan.folder_ids),
        "priorities": sorted(plan.priorities),
        "tags": sorted(plan.tag_ids),
        "tcases": sorted(plan.tcase_ids),
    }


def _as_written(plan: QueryPlan) -> tuple[tuple[int | str, ...], ...]:
    names = (plan.tcases, plan.folders, plan.tags)
    return (*(tuple([name.value for name in group]) for group in names), plan.priorities)


def _index(kind: str, entries: Collection[Entry] | None, more: Iterable[int] = ()) -> _Index:
    by_name: dict[str, list[Entry]] = {}
    for entry in entries or ():
        by_name.setdefault(normal_form(entry.name), []).append(entry)
    ids = None if entries is None else frozenset([entry.id for entry in entries]).union(more)
    return _Index(kind, by_name, _Near(by_name), ids)


def _id(index: _Index, name: Name, blocks: list[Block]) -> int | None:
    if isinstance(name.value, str):
        return _only(index, name, index.find(name.value), blocks)
    if index.lacks(name.value):
        message = f"no {index.kind} with the id {name.value} in this project"
        way_out = f"the name or id of a {index.kind} of this project"
        if near := index.find(str(name.value)):
            way_out = f'"{near[0].name}" in quotes, which is a name, or {way_out}'
        blocks.append(_unresolved(name, message, way_out))
        return None
    return name.value


def _only(index: _Index, name: Name, entries: Sequence[Entry], blocks: list[Block]) -> int | None:
    if len(entries) == 1:
        return entries[0].id
    if entries:
        found = sorted(entries, key=lambda entry: entry.id)
        ids = ", ".join(str(entry.id) for entry in found)
        blocks.append(
            Block(
                rule="ambiguous-name",
                message=f"{len(found)} {index.kind}s are named `{name.value}`: ids {ids}",
                line=f"write the id instead of the name, for example `{found[0].id}`",
                location=name.location,
            )
        )
        return None
    message = f"no {index.kind} `{name.value}` in this project"
    near = index.near.to(str(name.value)) or f"the name or id of a {index.kind} of this project"
    blocks.append(_unresolved(name, message, near))
    return None


def _unknown_user(name: Name, near: _Near, *, is_complete: bool) -> Block:
    """Say whether there is no such user, or whether the key can't see who there is."""
    message = f"no user `{name.value}` on this server"
    if not is_complete:
        message = (
            f"the user id of `{name.value}` can't be found: listing users needs an admin's key and"
            " may show no ids; else ids are known only of people who are assigned to a run, and of"
            " the key's own user"
        )
    line = f'`users: {{"{name.value}": ID}}` at the top of the file, with the id from the web page'
    found = near.to(str(name.value))
    if not found:
        return _unresolved(name, message, line)
    # Where not everybody is known, the address may well be right.
    return _unresolved(
        name, message, f"{line}; {'' if is_complete else 'if it is a slip, '}{found}"
    )


def _unresolved(name: Name, message: str, way_out: str) -> Block:
    return Block(rule="unresolved-name", message=message, line=way_out, location=name.location)


_Id = TypeVar("_Id", int, str)


def _sorted(values: Iterable[_Id | None]) -> tuple[_Id, ...]:
    return tuple(sorted({value for value in values if value is not None}))


def _listed(kind: str, names: tuple[Name, ...], index: _Index | None = None) -> str:
    if not names:
        return ""
    shown = []
    for name in names[:_MAX_SHOWN]:
        entries = index.find(name.value) if index and isinstance(name.value, str) else ()
        suffix = f" ({entries[0].id})" if len(entries) == 1 else ""
        shown.append(f"{name.value}{suffix}")
    more = len(names) - _MAX_SHOWN
    return f"{kind} {', '.join(shown)}" + (f" and {more} more" if more > 0 else "")
