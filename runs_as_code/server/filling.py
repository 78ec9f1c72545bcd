"""From a seed document to rows; same document, same ids."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update

from runs_as_code.server import guesses
from runs_as_code.server.rules.cases import (
    FILLED,
    TEMPLATE,
    CaseDraft,
    add_case,
    add_tag,
    ensure_requirements,
)
from runs_as_code.server.rules.customfields import check_values
from runs_as_code.server.rules.folders import ROOT, add_folder
from runs_as_code.server.rules.statuses import DEFAULTS
from runs_as_code.server.store.ids import make_id
from runs_as_code.server.store.tables import (
    custom_field,
    folder,
    milestone,
    project,
    requirement,
    shared_precondition,
    shared_step,
    status,
    tag,
    tcase,
    tcase_version,
    user,
)
from runs_as_code.server.web.problems import refuse

SEED_TIME = "2024-01-01T00:00:00.000Z"
_SEED_MILLISECONDS = 1_704_067_200_000
_FIELD_MOMENT = 0
_REQUIREMENTS = 1 << 40  # beyond the sequence numbers of test cases
_Entry = Mapping[str, Any]
DEFAULT_USERS: Sequence[_Entry] = (
    {"id": 1, "email": "owner@example.com", "name": "System Owner", "role": "owner"},
)


def _entries(items: Iterable[Any]) -> list[_Entry]:
    """Return entries that may be written as a bare title."""
    return [{"title": item} if isinstance(item, str) else item for item in items]


def _numbered(items: Sequence[_Entry], taken: set[int], name: str = "id") -> Iterator[_Entry]:
    """Give a free number to each entry that has none; numbers in the file come first."""
    given = [item[name] for item in items if name in item]
    if len(set(given)) < len(given) or taken & set(given):
        twice = next(number for number in given if given.count(number) > 1 or number in taken)
        raise refuse(f"{name} {twice} is given twice")
    taken |= set(given)
    free = (number for number in count(1) if number not in taken)
    for item in items:
        yield item if name in item else {**item, name: next(free)}


def _placed(cases: Iterable[tuple[int, _Entry]]) -> Iterator[tuple[int, _Entry]]:
    """Give each case without a position the one after the case before it in its folder."""
    last: dict[int, int] = {}
    taken = set()
    for folder_id, case in cases:
        pos = case.get("pos", last.get(folder_id, -1) + 1)
        if guesses.TAKEN_POSITION_IS_REFUSED and (folder_id, pos) in taken:
            raise refuse(f"test case {case['seq']} has a position that another one has, {pos}")
        taken.add((folder_id, pos))
        last[folder_id] = pos
        yield folder_id, {**case, "pos": pos}


def _moment(**more: Any) -> dict[str, Any]:
    return {"created_at": SEED_TIME, "updated_at": SEED_TIME, **more}


def fill(connection: Connection, document: Mapping[str, Any]) -> None:
    """Write a seed document into new, empty tables; refuse one that contradicts itself."""
    custom = {item["id"]: item for item in document.get("statuses", ())}
    connection.execute(insert(status), [_status_row(row, custom) for row in DEFAULTS])
    users = list(_numbered(document.get("users") or DEFAULT_USERS, set()))
    if not any(item["role"] == "owner" and item.get("active", True) for item in users):
        raise refuse("one active user must have the role owner")
    connection.execute(insert(user), [_user_row(item) for item in users])
    projects = document.get("projects", ())
    ids = {item["code"]: item.get("id") or _make_id(n, 0) for n, item in enumerate(projects, 1)}
    _add_custom_fields(connection, document.get("customFields", ()), ids)
    author = min(item["id"] for item in users if item["role"] == "owner")
    numbers = {table: set[Any]() for table in _NUMBERED}
    numbers[requirement] = {
        entry["id"] for item in projects for entry in item.get("requirements", ()) if "id" in entry
    }
    for number, item in enumerate(projects, start=1):
        _Project(connection, item, ids[item["code"]], (number, author), numbers).fill()


_NUMBERED = (folder, milestone, shared_step, shared_precondition)


def _status_row(row: Mapping[str, Any], custom: Mapping[str, _Entry]) -> dict[str, Any]:
    wanted = custom.get(row["id"], {})
    changes = {name: wanted[name] for name in ("name", "color") if name in wanted}
    if "active" in wanted:
        changes["is_active"] = wanted["active"]
    return {**row, **changes}


def _user_row(item: _Entry) -> dict[str, Any]:
    return {
        "id": item["id"],
        "email": item["email"],
        "name": item.get("name") or item["email"],
        "role": item["role"],
        "is_active": item.get("active", True),
        "created_at": SEED_TIME,
    }


def _make_id(moment: int, entropy: int) -> str:
    # Same seed, same ids: the moment is fixed and the entropy counts.
    return make_id(_SEED_MILLISECONDS + moment, entropy)


def _add_custom_fields(
    connection: Connection, fields: Sequence[_Entry], projects: Mapping[str, str]
) -> None:
    for pos, item in enumerate(fields):
        codes = item.get("projects")
        if unknown := set(codes or ()) - projects.keys():
            raise refuse(f"custom field {item['systemName']} names the unknown project {unknown}")
        options = [
            {"id": _make_id(_FIELD_MOMENT, (pos + 1) * 1000 + number), "value": value}
            for number, value in enumerate(item.get("options", ()), start=1)
        ]
        values = _moment(
            id=_make_id(_FIELD_MOMENT, (pos + 1) * 1000),
            system_name=item["systemName"],
            name=item["name"],
            type=item["type"],
            is_required=item.get("required", False),
            is_enabled=item.get("enabled", True),
            options=options or None,
            default_value=item.get("default", ""),
            pos=pos,
            project_ids=None if codes is None else [projects[code] for code in codes],
        )
        connection.execute(insert(custom_field).values(values))


def _check_templates(cases: Sequence[_Entry]) -> None:
    """Refuse a template that does not have one filled case for each set of its values."""
    filled = Counter(case.get("template") for case in cases)
    for case in cases:
        sets = len(case.get("parameterValues", ()))
        if case.get("type") != TEMPLATE and (sets or case.get("filledTCaseTitleSuffixParams")):
            raise refuse(f"test case {case['seq']} has parameters, but is no template")
        if sets != filled[case["seq"]]:
            raise refuse(
                f"template {case['seq']} has parameterValues for {sets} filled test cases, "
                f"but {filled[case['seq']]} name it as their template"
            )


class _Project:
    """Write one project of a seed document."""

    def __init__(
        self,
        connection: Connection,
        item: _Entry,
        project_id: str,
        origin: tuple[int, int],
        numbers: dict[Table, set[Any]],
    ) -> None:
        self._connection = connection
        self._item = item
        self._id = project_id
        self._number, self._author = origin
        self._numbers = numbers
        ids = (_make_id(self._number, _REQUIREMENTS + number) for number in count(1))
        self._requirement_ids = (found for found in ids if found not in numbers[requirement])
        self._shared: dict[Table, dict[str, int]] = {shared_step: {}, shared_precondition: {}}

    def fill(self) -> None:
        """Write the project and all it has."""
        item = self._item
        self._connection.execute(
            insert(project).values(
                _moment(
                    id=self._id,
                    code=item["code"],
                    title=item["title"],
                    overview_title=item.get("overviewTitle", ""),
                    overview_description=item.get("overviewDescription", ""),
                    links=list(item.get("links", ())),
                    last_seq=0,
                )
            )
        )
        self._add_tags(_entries(item.get("tags", ())))
        self._add_milestones(_entries(item.get("milestones", ())))
        self._add_requirements(item.get("requirements", ()))
        self._add_shared(shared_step, item.get("sharedSteps", ()))
        self._add_shared(shared_precondition, item.get("sharedPreconditions", ()))
        self._add_cases(self._add_folders(item.get("folders", ())))
        self._backdate()

    def _add_tags(self, tags: Sequence[_Entry]) -> None:
        # Tags of a second project take the numbers after those of the first.
        for entry in tags:
            add_tag(self._connection, self._id, entry["title"], entry.get("id"))

    def _add_requirements(self, entries: Sequence[_Entry]) -> list[str]:
        make_id = partial(next, self._requirement_ids)
        ids = ensure_requirements(self._connection, self._id, entries, make_id)
        if len(set(ids)) < len(ids):
            twice = next(
                entry["text"]
                for entry, found in zip(entries, ids, strict=True)
                if ids.count(found) > 1
            )
            raise refuse(f"the requirement {twice!r} is given twice")
        return ids

    def _add_milestones(self, milestones: Sequence[_Entry]) -> None:
        for entry in _numbered(milestones, self._numbers[milestone]):
            values = _moment(project_id=self._id, id=entry["id"], title=entry["title"])
            if entry.get("archived"):
                values |= {"archived_at": SEED_TIME, "archived_by": self._author}
            self._connection.execute(insert(milestone).values(values))
            self._numbers[milestone].add(entry["id"])

    def _add_shared(self, table: Table, entries: Sequence[_Entry]) -> None:
        for entry in _numbered(entries, self._numbers[table]):
            values = _moment(project_id=self._id, id=entry["id"], title=entry["title"], version=1)
            if table is shared_step:
                values["sub_steps"] = [dict(step) for step in entry["steps"]]
            else:
                values["text"] = entry["text"]
            self._connection.execute(insert(table).values(values))
            self._numbers[table].add(entry["id"])
            self._shared[table][entry["title"]] = entry["id"]

    def _add_folders(self, folders: Sequence[_Entry]) -> list[tuple[int, _Entry]]:
        """Make the folders of the tree, top down; return each case with its folder."""
        flat: list[_Entry] = []
        waiting = [(entry, ROOT) for entry in reversed(folders)]
        parents: list[int] = []
        while waiting:
            entry, parent = waiting.pop()
            flat.append(entry)
            parents.append(parent)
            position = len(flat)
            waiting += [(child, position) for child in reversed(entry.get("folders", ()))]
        cases = []
        ids: list[int] = [ROOT]
        for entry, parent in zip(_numbered(flat, self._numbers[folder]), parents, strict=True):
            made = add_folder(self._connection, self._id, ids[parent], entry["title"], entry["id"])
            self._numbers[folder].add(made)
            ids.append(made)
            if comment := entry.get("comment"):
                self._connection.execute(
                    update(folder).where(folder.c.id == made).values(comment=comment)
                )
            cases += [(made, case) for case in entry.get("cases", ())]
        return cases

    def _add_cases(self, cases: Sequence[tuple[int, _Entry]]) -> None:
        numbered = list(_numbered([case for _, case in cases], set(), "seq"))
        placed = _placed(zip((folder_id for folder_id, _ in cases), numbered, strict=True))
        # Filled cases name their templates, wherever in the file those are.
        for folder_id, case in sorted(placed, key=lambda item: item[1].get("type") == FILLED):
            self._add_case(folder_id, case)
        _check_templates(numbered)

    def _add_case(self, folder_id: int, case: _Entry) -> None:
        draft = CaseDraft(
            title=case["title"],
            folder_id=folder_id,
            priority=case.get("priority", "medium"),
            type=case.get("type", "standalone"),
            pos=case["pos"],
            is_draft=case.get("draft", False),
            is_automated=case.get("automated", False),
            legacy_id=case.get("legacyId", ""),
            template_id=self._template(case),
            case_id=case.get("id") or _make_id(self._number, case["seq"]),
            seq=case["seq"],
            tags=case.get("tags", ()),
            content=dict(self._content(case)),
        )
        add_case(self._connection, self._id, draft, self._author)

    def _template(self, case: _Entry) -> str | None:
        if "template" not in case:
            return None
        found = self._connection.scalar(
            select(tcase.c.id).where(
                tcase.c.project_id == self._id,
                tcase.c.seq == case["template"],
                tcase.c.type == TEMPLATE,
            )
        )
        if found is None:
            raise refuse(f"test case {case['seq']} names the unknown template {case['template']}")
        return str(found)

    def _content(self, case: _Entry) -> Iterator[tuple[str, Any]]:
        for name in ("comment", "links", "parameterValues", "filledTCaseTitleSuffixParams"):
            if name in case:
                yield name, case[name]
        if steps := case.get("steps"):
            yield "steps", [self._step(step) for step in steps]
        if found := case.get("precondition"):
            yield "precondition", self._precondition(found)
        if wanted := case.get("requirements"):
            yield "requirements", self._add_requirements(wanted)
        if values := case.get("customFields"):
            fields = {name: {"value": value, "isDefault": False} for name, value in values.items()}
            yield "customFields", check_values(self._connection, self._id, fields)

    def _step(self, step: _Entry) -> dict[str, Any]:
        if "shared" in step:
            return {"sharedStepId": self._shared_id(shared_step, step["shared"])}
        return {name: step.get(name, "") for name in ("description", "expected")}

    def _precondition(self, found: Any) -> dict[str, Any]:
        if isinstance(found, str):
            return {"text": found}
        shared_id = self._shared_id(shared_precondition, found["shared"])
        return {"sharedPreconditionId": shared_id}

    def _shared_id(self, table: Table, title: str) -> int:
        if title not in self._shared[table]:
            raise refuse(f"there is no {table.name.replace('_', ' ')} {title!r}")
        return self._shared[table][title]

    def _backdate(self) -> None:
        for table in (tcase, folder):
            made = update(table).where(table.c.project_id == self._id)
            self._connection.execute(made.values(_moment()))
        for table in (tag, requirement):
            made = update(table).where(table.c.project_id == self._id)
            self._connection.execute(made.values(created_at=SEED_TIME))
        of_project = select(tcase.c.id).where(tcase.c.project_id == self._id)
        versions = update(tcase_version).where(tcase_version.c.tcase_id.in_(of_project))
        self._connection.execute(versions.values(created_at=SEED_TIME))
        highest = select(func.max(tcase.c.seq)).where(tcase.c.project_id == self._id)
        self._connection.execute(
            update(project)
            .where(project.c.id == self._id)
            .values(last_seq=self._connection.scalar(highest) or 0)
        )
