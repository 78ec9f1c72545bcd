"""Names on the wire: projects, folders, tags, milestones, users, test cases; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runs_as_code.model.live import Entry, LibraryCase
from runs_as_code.provider.shape import (
    Body,
    decode,
    each,
    integer,
    mapping,
    members,
    optional_integer,
    optional_string,
    required_mapping,
    string,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Project:
    """A project that the key may see."""

    id: str
    code: str
    title: str
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with its own title only; `parent_id` is 0 at the root [DOC api/folders]."""

    id: int
    title: str
    parent_id: int


@dataclass(frozen=True, slots=True)
class TestCaseKey:
    """The two names of a test case: its id and its number in the project."""

    id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a paged list, and how many entries all pages have together."""

    entries: tuple[T, ...]
    total: int


def parse_projects(label: str, body: Body) -> tuple[Project, ...]:
    """Read the list of projects."""
    return _listed(label, body, "projects", _project)


def parse_project(label: str, body: Body) -> Project:
    """Read one project."""
    return decode(label, body, _project)


def parse_milestones(label: str, body: Body) -> tuple[Entry, ...]:
    """Read the milestones, archived ones included."""
    return _listed(label, body, "milestones", _milestone)


def parse_tags(label: str, body: Body) -> tuple[Entry, ...]:
    """Read the tags of a project."""
    return _listed(label, body, "tags", _tag)


def parse_folder_page(label: str, body: Body) -> Page[Folder]:
    """Read one page of folders."""
    return _page(label, body, _folder)


def parse_test_case_page(label: str, body: Body) -> Page[TestCaseKey]:
    """Read one page of test cases."""
    return _page(label, body, _test_case)


def parse_library_page(label: str, body: Body) -> Page[LibraryCase]:
    """Read one page of test cases with their folder, priority and tags."""
    return _page(label, body, _library_case)


def parse_test_case(label: str, body: Body) -> TestCaseKey:
    """Read one test case."""
    return decode(label, body, _test_case)


def parse_users(label: str, body: Body) -> tuple[Entry, ...]:
    """Read the users; those without an id are left out, for no page documents one [DOC users]."""
    found = _listed(label, body, "users", _user)
    return tuple(user for user in found if user is not None)


def parse_me(label: str, body: Body) -> Entry | None:
    """Read the user whose key is used."""
    return decode(label, body, lambda data: _user(required_mapping(mapping(data), "user")))


def _listed(
    label: str, body: Body, key: str, parse: Callable[[Mapping[str, Any]], T]
) -> tuple[T, ...]:
    def parse_all(data: object) -> tuple[T, ...]:
        return tuple(each(members(mapping(data), key), key, lambda found: parse(mapping(found))))

    return decode(label, body, parse_all)


def _page(label: str, body: Body, parse: Callable[[Mapping[str, Any]], T]) -> Page[T]:
    def parse_all(data: object) -> Page[T]:
        reply = mapping(data)
        found = each(members(reply, "data"), "data", lambda entry: parse(mapping(entry)))
        return Page(entries=tuple(found), total=integer(reply, "total"))

    return decode(label, body, parse_all)


def _project(found: object) -> Project:
    project = mapping(found)
    return Project(
        id=string(project, "id"),
        code=string(project, "code"),
        title=optional_string(project, "title") or "",
        is_archived=bool(optional_string(project, "archivedAt")),
    )


def _milestone(found: Mapping[str, Any]) -> Entry:
    return Entry(
        id=integer(found, "id"),
        name=string(found, "title"),
        is_archived=bool(optional_string(found, "archivedAt")),
    )


def _tag(found: Mapping[str, Any]) -> Entry:
    return Entry(id=integer(found, "id"), name=string(found, "title"))


def _folder(found: Mapping[str, Any]) -> Folder:
    return Folder(
        id=integer(found, "id"),
        title=string(found, "title"),
        parent_id=optional_integer(found, "parentId") or 0,
    )


def _test_case(found: object) -> TestCaseKey:
    case = mapping(found)
    return TestCaseKey(id=string(case, "id"), seq=integer(case, "seq"))


def _library_case(found: Mapping[str, Any]) -> LibraryCase:
    tags = each(members(found, "tags"), "tags", lambda tag: integer(mapping(tag), "id"))
    return LibraryCase(
        id=string(found, "id"),
        seq=integer(found, "seq"),
        folder_id=integer(found, "folderId"),
        priority=string(found, "priority"),
        tag_ids=frozenset(tags),
    )


def _user(found: Mapping[str, Any]) -> Entry | None:
    user_id = optional_integer(found, "id")
    return None if user_id is None else Entry(id=user_id, name=string(found, "email"))
