"""Which test cases a query plan selects.

Filters of one plan narrow each other, values of one filter widen it, several plans are a union
[SEED, HELP]. A set of cases is one whole number with a bit for each case, so ten thousand runs
are evaluated in memory after three queries.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from runs_as_code.server import guesses
from runs_as_code.server.rules.folders import children_of, with_descendants
from runs_as_code.server.store.tables import tcase, tcase_tag

Plan = Mapping[str, Any]


class CaseIndex:
    """Answer query plans over the cases that one project has now."""

    def __init__(self, connection: Connection, project_id: str) -> None:
        self.ids: list[str] = []
        self.positions: dict[str, int] = {}
        self._by_folder: dict[int, int] = {}
        self._by_priority: dict[str, int] = {}
        self._by_tag: dict[int, int] = {}
        self._eligible = 0
        self._known: dict[str, int] = {}
        self._children = children_of(connection, project_id)
        self._load_cases(connection, project_id)
        self._load_tags(connection, project_id)

    def _load_cases(self, connection: Connection, project_id: str) -> None:
        rows = connection.execute(
            select(tcase.c.id, tcase.c.folder_id, tcase.c.priority, tcase.c.type, tcase.c.is_draft)
            .where(tcase.c.project_id == project_id)
            .order_by(tcase.c.seq)
        )
        by_folder: dict[int, list[int]] = {}
        by_priority: dict[str, list[int]] = {}
        eligible = []
        for position, (case_id, folder_id, priority, kind, is_draft) in enumerate(rows):
            self.ids.append(case_id)
            self.positions[case_id] = position
            by_folder.setdefault(folder_id, []).append(position)
            by_priority.setdefault(priority, []).append(position)
            if may_enter_runs(kind, is_draft=is_draft):
                eligible.append(position)
        self._by_folder = {key: self._set(found) for key, found in by_folder.items()}
        self._by_priority = {key: self._set(found) for key, found in by_priority.items()}
        self._eligible = self._set(eligible)

    def _load_tags(self, connection: Connection, project_id: str) -> None:
        rows = connection.execute(
            select(tcase_tag.c.tag_id, tcase_tag.c.tcase_id)
            .join(tcase, tcase.c.id == tcase_tag.c.tcase_id)
            .where(tcase.c.project_id == project_id)
        )
        by_tag: dict[int, list[int]] = {}
        for tag_id, case_id in rows:
            by_tag.setdefault(tag_id, []).append(self.positions[case_id])
        self._by_tag = {key: self._set(found) for key, found in by_tag.items()}

    def _set(self, positions: Iterable[int]) -> int:
        bits = bytearray(len(self.ids) // 8 + 1)
        for position in positions:
            bits[position >> 3] |= 1 << (position & 7)
        return int.from_bytes(bits, "little")

    def select(self, plans: Iterable[Plan]) -> int:
        """Return the set of cases that a run with these plans has now."""
        found = 0
        for plan in plans:
            found |= self._select_plan(plan)
        return found

    def _select_plan(self, plan: Plan) -> int:
        key = repr(sorted(plan.items()))
        if key not in self._known:
            self._known[key] = self._evaluate(plan)
        return self._known[key]

    def _evaluate(self, plan: Plan) -> int:
        named = plan.get("tcaseIds") or ()
        cases = self._set(self.positions[case] for case in named if case in self.positions)
        filtered = self._filter(plan)
        if not named:
            return filtered
        if guesses.TCASE_IDS_NARROW_FILTERS:
            return cases & filtered
        has_filters = any(value for name, value in plan.items() if name != "tcaseIds")
        return (cases & self._eligible) | (filtered if has_filters else 0)

    def _filter(self, plan: Plan) -> int:
        found = self._eligible
        if folders := plan.get("folderIds"):
            if guesses.RUN_FOLDERS_INCLUDE_SUBFOLDERS:
                folders = with_descendants(self._children, folders)
            found &= _union(self._by_folder, folders)
        if tags := plan.get("tagIds"):
            found &= _union(self._by_tag, tags)
        if priorities := plan.get("priorities"):
            found &= _union(self._by_priority, priorities)
        return found

    def list_ids(self, cases: int) -> list[str]:
        """Return the ids in a set of cases."""
        return [self.ids[position] for position in _positions(cases)]

    def holds(self, cases: int, case_id: str) -> bool:
        """Say whether a case is in a set."""
        position = self.positions.get(case_id)
        return position is not None and bool(cases >> position & 1)


def _union(sets: Mapping[Any, int], keys: Iterable[Any]) -> int:
    found = 0
    for key in keys:
        found |= sets.get(key, 0)
    return found


def _positions(cases: int) -> Iterator[int]:
    return (position for position, bit in enumerate(reversed(bin(cases))) if bit == "1")


def may_enter_runs(kind: str, *, is_draft: bool) -> bool:
    """Say whether a case of this type can be in a run: never a template [HELP]."""
    return kind in {"standalone", "filled"} and (guesses.DRAFTS_ENTER_RUNS or not is_draft)
