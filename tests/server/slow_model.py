"""The run rules once more, slowly and in plain Python, over what the API itself shows.

Nothing here is shared with the server: sets and loops only, one rule a function.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from server.support import Api

STATUSES = ("blocked", "failed", "open", "passed", "skipped")


@dataclass
class Case:
    """A test case with all its versions; `number` is its sequence number."""

    number: int
    id: str
    folder: int
    pos: int
    versions: list[dict[str, Any]]
    is_template: bool = False
    is_draft: bool = False

    @property
    def newest(self) -> dict[str, Any]:
        return self.versions[-1]


@dataclass
class Catalog:
    """Cases by id and the parent of each folder."""

    cases: dict[str, Case] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)

    def is_inside(self, folder: int, root: int) -> bool:
        while folder and folder != root:
            folder = self.parents[folder]
        return folder == root

    def selects(self, plan: dict[str, Any], case: Case) -> bool:
        """Filters of a plan narrow each other, values of a filter widen it."""
        if case.is_template or case.is_draft:
            return False
        newest = case.newest
        checks = {
            "folderIds": lambda ids: any(self.is_inside(case.folder, root) for root in ids),
            "tagIds": lambda ids: any(tag in newest["tags"] for tag in ids),
            "priorities": lambda names: newest["priority"] in names,
            "tcaseIds": lambda ids: case.id in ids,
        }
        return all(check(plan[name]) for name, check in checks.items() if plan.get(name))

    def members(self, plans: list[dict[str, Any]]) -> set[str]:
        """Plans are a union."""
        return {
            case.id for case in self.cases.values() for plan in plans if self.selects(plan, case)
        }


def read_catalog(api: Api) -> Catalog:
    """Read cases and folders as they are now; only the newest version is known."""
    catalog = Catalog()
    for item in api.get("/project/BD/tcase/folders")["data"]:
        catalog.parents[item["id"]] = item["parentId"]
    for item in api.get("/project/BD/tcase?include=tags")["data"]:
        version = {
            "title": item["title"],
            "priority": item["priority"],
            "tags": {tag["id"] for tag in item["tags"]},
        }
        # What came before the newest version does not matter to what is read from here on.
        versions = [version] * item["version"]
        catalog.cases[item["id"]] = Case(
            item["seq"],
            item["id"],
            item["folderId"],
            item["pos"],
            versions,
            item["type"] == "template",
            item["isDraft"],
        )
    return catalog


def status_of(results: list[dict[str, Any]]) -> str:
    """The newest result is the status."""
    return max(results, key=lambda item: item["id"])["status"] if results else "open"


def fixed_version(results: list[dict[str, Any]]) -> int | None:
    """The first result that is not open fixes the version, until one sets it open again."""
    fixed = None
    for item in sorted(results, key=lambda item: item["id"]):
        if item["status"] == "open":
            fixed = None
        elif fixed is None:
            fixed = item["tcaseVersion"]
    return fixed


def count(statuses: list[str]) -> dict[str, int]:
    """What `statusCounts` must show."""
    found = Counter(statuses)
    return {"all": len(statuses)} | {name: found[name] for name in STATUSES}


def time_spent(results: list[dict[str, Any]]) -> int | None:
    """The sum of what was recorded; nothing where nothing was."""
    times = [item["timeTaken"] for item in results if item["timeTaken"] is not None]
    return sum(times) if times else None
