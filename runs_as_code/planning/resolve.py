"""Names to ids: what a manifest calls by name, the plan compares and sends by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from runs_as_code.model.desired import Manifest, Name, QueryPlan, RunSpec
from runs_as_code.model.live import Catalog, Entry, LiveRun, NamesNeeded
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.plan import Block, Value
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.planning.text import canonical_json, data_digest, normal_form

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
    tcases: dict[int | str, None] = {}
    for manifest, spec in specs:
        milestones |= spec.milestone is not None and isinstance(spec.milestone.value, str)
        if spec.assignee is not None and isinstance(spec.assignee.value, str):
            email = spec.assignee.value.casefold()
            if email not in {known.casefold() for known in manifest.users}:
                users.add(email)
        for plan in spec.query_plans:
            folders |= any(isinstance(name.value, str) for name in plan.folders)
            tags |= any(isinstance(name.value, str) for name in plan.tags)
            tcases.update((name.value, None) for name in plan.tcases)
    if users:
        users -= {run.assignee_email.casefold() for run in live if run.assignee_email}
    return NamesNeeded(
        milestones=milestones,
        folders=folders,
        tags=tags,
        users=tuple(sorted(users)),
        tcases=tuple(sorted(tcases, key=str)),
    )


class Resolver:
    """Resolves the names of one project against one catalog; built once, asked per run."""

    def __init__(self, catalog: Catalog, live: Iterable[LiveRun]) -> None:
        self._tcases = catalog.tcases
        self._folders = _by_name(catalog.folders)
        self._tags = _by_name(catalog.tags)
        self._milestones = _by_name(catalog.milestones)
        self._archived = {e.id for e in catalog.milestones or () if e.is_archived}
        self._milestone_names = {e.id: e.name for e in catalog.milestones or ()}
        users = {entry.name.casefold(): entry.id for entry in catalog.users or ()}
        for run in live:
            if run.milestone_id is not None and run.milestone_title:
                self._milestone_names.setdefault(run.milestone_id, run.milestone_title)
            if run.assignee_id is not None and run.assignee_email:
                users.setdefault(run.assignee_email.casefold(), run.assignee_id)
        self._users = users
        self._user_names = {user_id: email for email, user_id in users.items()}

    def resolve(self, manifest: Manifest, spec: RunSpec) -> tuple[Resolved, tuple[Block, ...]]:
        """Return the run's ids, and a block for each name that does not resolve."""
        blocks: list[Block] = []
        milestone = self._milestone(spec.milestone, blocks)
        assignee = self._assignee(spec.assignee, manifest.users, blocks)
        plans = tuple(self._plan(plan, blocks) for plan in spec.query_plans)
        selection = UNKNOWN
        if plans and spec.type is not None and not blocks:
            selection = selection_digest(spec.type, plans)
        resolved = Resolved(
            milestone=milestone,
            is_milestone_archived=milestone is not None and milestone.id in self._archived,
            assignee=assignee,
            plans=plans,
            selection=selection,
        )
        return resolved, tuple(blocks)

    def words(self, plans: Iterable[QueryPlan]) -> str:
        """Say a selection for people, with the ids of names."""
        return " | ".join(map(self._words, plans))

    def is_archived(self, milestone_id: int | None) -> bool:
        """Whether the milestone is known to be archived."""
        return milestone_id in self._archived

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
            return self.milestone_value(name.value)
        entries = self._milestones.get(normal_form(name.value), ())
        # An active milestone wins over archived ones of the same title.
        entries = [e for e in entries if not e.is_archived] or entries
        return Value(name.value, _only("milestone", name, entries, self._milestones, blocks))

    def _assignee(
        self, name: Name | None, users: Mapping[str, int], blocks: list[Block]
    ) -> Value | None:
        if name is None:
            return None
        if isinstance(name.value, int):
            return self.user_value(name.value)
        declared = {email.casefold(): user_id for email, user_id in users.items()}
        email = name.value.casefold()
        user_id = declared.get(email, self._users.get(email))
        if user_id is None:
            blocks.append(_unknown_user(name, {*declared, *self._users}))
        return Value(name.value, user_id)

    def _plan(self, plan: QueryPlan, blocks: list[Block]) -> ResolvedPlan:
        return ResolvedPlan(
            tcase_ids=_sorted(self._tcase(name, blocks) for name in plan.tcases),
            folder_ids=_sorted(
                self._id("folder", name, self._folders, blocks) for name in plan.folders
            ),
            tag_ids=_sorted(self._id("tag", name, self._tags, blocks) for name in plan.tags),
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
            _listed("test cases", plan.tcases, {}),
            _listed("folders", plan.folders, self._folders),
            _listed("tags", plan.tags, self._tags),
        ]
        if plan.priorities:
            parts.append("priorities " + ", ".join(plan.priorities))
        return "; ".join(part for part in parts if part)

    @staticmethod
    def _id(
        kind: str, name: Name, index: Mapping[str, list[Entry]], blocks: list[Block]
    ) -> int | None:
        if isinstance(name.value, int):
            return name.value
        return _only(kind, name, index.get(normal_form(name.value), ()), index, blocks)


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


def _by_name(entries: Iterable[Entry] | None) -> dict[str, list[Entry]]:
    index: dict[str, list[Entry]] = {}
    for entry in entries or ():
        index.setdefault(normal_form(entry.name), []).append(entry)
    return index


def _only(
    kind: str,
    name: Name,
    entries: Iterable[Entry],
    index: Mapping[str, list[Entry]],
    blocks: list[Block],
) -> int | None:
    found = sorted(entries, key=lambda entry: entry.id)
    if len(found) == 1:
        return found[0].id
    if found:
        ids = ", ".join(str(entry.id) for entry in found)
        blocks.append(
            Block(
                rule="ambiguous-name",
                message=f"{len(found)} {kind}s are named `{name.value}`: ids {ids}",
                line=f"write the id instead of the name, for example `{found[0].id}`",
                location=name.location,
            )
        )
        return None
    message = f"no {kind} `{name.value}` in this project"
    blocks.append(_unresolved(name, message, _nearest(str(name.value), index)))
    return None


def _unknown_user(name: Name, known: set[str]) -> Block:
    return Block(
        rule="unresolved-name",
        message=f"the user id of `{name.value}` can't be found: the API shows ids only of people"
        " who are assigned to a run, and of the key's own user",
        line=f'`users: {{"{name.value}": ID}}` at the top of the file, with the id from the web'
        f" page{_also(_nearest(str(name.value), known))}",
        location=name.location,
    )


def _unresolved(name: Name, message: str, way_out: str) -> Block:
    return Block(rule="unresolved-name", message=message, line=way_out, location=name.location)


def _also(text: str) -> str:
    return f"; {text}" if text else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, sorted(known), n=3, cutoff=0.5)
    return "did you mean " + " or ".join(f"`{name}`" for name in near) + "?" if near else ""


_Id = TypeVar("_Id", int, str)


def _sorted(values: Iterable[_Id | None]) -> tuple[_Id, ...]:
    return tuple(sorted({value for value in values if value is not None}))


def _listed(kind: str, names: tuple[Name, ...], index: Mapping[str, list[Entry]]) -> str:
    if not names:
        return ""
    shown = []
    for name in names[:_MAX_SHOWN]:
        entries = index.get(normal_form(name.value), []) if isinstance(name.value, str) else []
        suffix = f" ({entries[0].id})" if len(entries) == 1 else ""
        shown.append(f"{name.value}{suffix}")
    more = len(names) - _MAX_SHOWN
    return f"{kind} {', '.join(shown)}" + (f" and {more} more" if more > 0 else "")
