"""Look up the names that a plan needs: each kind once, all kinds at the same time."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from runs_as_code.errors import QarunError
from runs_as_code.model.live import Catalog, Entry, Library, Listing, NamesNeeded
from runs_as_code.provider import directory
from runs_as_code.provider.exchange import Sender
from runs_as_code.provider.wire_names import Folder

T = TypeVar("T")

CHUNK = 500
CODE = re.compile(r"[A-Za-z0-9]{2,5}")
MARKER = re.compile(r"([A-Za-z0-9]{2,5})-([0-9]{1,12})")
NUMBER = re.compile(r"[0-9]{1,12}")
BASE58 = "[1-9A-HJ-NP-Za-km-z]"
HQID = re.compile(f"{BASE58}{{9}}_{BASE58}{{13}}")


async def load_catalog(
    sender: Sender, project: str, needed: NamesNeeded, listing: Listing
) -> Catalog:
    """Look up the kinds of names that are needed; kinds that are not stay None."""
    milestones, folders, tags, people, tcases, library = await together(
        _if(needed.milestones, lambda: directory.list_milestones(sender, project)),
        _if(needed.folders, lambda: _folder_entries(sender, project)),
        _if(needed.tags, lambda: directory.list_tags(sender, project)),
        _if(needed.users, lambda: _users(sender, project, needed.users, listing)),
        _if(needed.tcases, lambda: _tcases(sender, project, needed.tcases, listing)),
        _if(needed.library, lambda: _library(sender, project)),
    )
    return Catalog(
        milestones=milestones,
        folders=folders,
        tags=tags,
        users=people[0] if people else None,
        are_users_complete=people is not None and people[1],
        tcases=tcases or {},
        library=library,
    )


async def together(*awaitables: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run all at the same time; the first error ends the others and is raised as it is."""
    failed: QarunError | None = None
    tasks: list[asyncio.Task[Any]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(awaitable) for awaitable in awaitables]
    except BaseExceptionGroup as errors:
        failed = next((e for e in errors.exceptions if isinstance(e, QarunError)), None)
        if failed is None:
            raise
    if failed is not None:
        raise failed
    return [task.result() for task in tasks]


def folder_entries(folders: Iterable[Folder]) -> tuple[Entry, ...]:
    """Name each folder by its full path, titles joined with `/`.

    A folder whose way to the root can't be told is left out: a name must never find it by half
    of its path.
    """
    by_id = {folder.id: folder for folder in folders}
    paths: dict[int, str | None] = {0: ""}
    for folder_id in by_id:
        _fill_path(folder_id, by_id, paths)
    found = ((folder_id, paths[folder_id]) for folder_id in by_id)
    return tuple(Entry(id=folder_id, name=path) for folder_id, path in found if path)


def is_test_case_id(reference: str) -> bool:
    """Tell whether a text has the form of a test case's id (hqid7)."""
    return HQID.fullmatch(reference) is not None


async def _if(needed: object, look_up: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    return await look_up() if needed else None


async def _folder_entries(sender: Sender, project: str) -> tuple[Entry, ...]:
    return folder_entries(await directory.list_folders(sender, project))


def _fill_path(folder_id: int, by_id: Mapping[int, Folder], paths: dict[int, str | None]) -> None:
    """Find the paths of a folder and its ancestors; None for a cycle or a missing ancestor."""
    climbed: list[Folder] = []
    while folder_id not in paths:
        folder = by_id.get(folder_id)
        paths[folder_id] = None
        if folder is None:
            break
        climbed.append(folder)
        folder_id = folder.parent_id
    for folder in reversed(climbed):
        parent = paths[folder.parent_id]
        if parent is not None:
            paths[folder.id] = f"{parent}/{folder.title}" if parent else folder.title


async def _library(sender: Sender, project: str) -> Library:
    cases, folders = await together(
        directory.list_library_cases(sender, project), directory.list_folders(sender, project)
    )
    return Library(cases, {folder.id: folder.parent_id for folder in folders})


async def _users(
    sender: Sender, project: str, emails: tuple[str, ...], listing: Listing
) -> tuple[tuple[Entry, ...], bool]:
    """Find ids of e-mail addresses where they cost nothing first, and stop when all are found.

    The second value tells whether the list of all users was read, with their ids.
    """
    wanted = {email.casefold() for email in emails}
    found: dict[tuple[int, str], Entry] = {}

    def note(entries: Iterable[Entry | None]) -> bool:
        for entry in entries:
            if entry is not None:
                found.setdefault((entry.id, entry.name.casefold()), entry)
        return wanted <= {email for _, email in found}

    if note(_assignees(listing)) or note([await directory.get_me(sender, scope=project)]):
        return tuple(found.values()), False
    listed = await directory.list_users(sender, scope=project)
    note(listed)
    return tuple(found.values()), bool(listed)


def _assignees(listing: Listing) -> Iterable[Entry]:
    for run in listing.runs:
        if run.assignee_id is not None and run.assignee_email:
            yield Entry(id=run.assignee_id, name=run.assignee_email)


async def _tcases(
    sender: Sender, project: str, references: tuple[int | str, ...], listing: Listing
) -> dict[int | str, str | None]:
    code = ""
    if any(_needs_code(reference) for reference in references):
        code = await _project_code(sender, project, listing)
    numbers = {reference: _number(reference, code) for reference in references}
    ids: dict[int | str, str] = {
        ref: ref for ref in references if isinstance(ref, str) and is_test_case_id(ref)
    }
    legacy = [ref for ref in references if numbers[ref] is None and ref not in ids]
    by_number, by_legacy = await together(
        _by_number(sender, project, code, sorted({n for n in numbers.values() if n and n > 0})),
        _by_legacy_id(sender, project, legacy),
    )
    return {
        ref: by_number.get(number) if number is not None else ids.get(ref) or by_legacy.get(ref)
        for ref, number in numbers.items()
    }


def _needs_code(reference: int | str) -> bool:
    return isinstance(reference, int) or bool(
        NUMBER.fullmatch(reference) or MARKER.fullmatch(reference)
    )


def _number(reference: int | str, code: str) -> int | None:
    """Return the number that a reference stands for; None where it is no number or marker.

    Whether the server tells `bd-12` from `BD-12` is stated nowhere [J].
    """
    if isinstance(reference, int):
        return reference
    if NUMBER.fullmatch(reference):
        return int(reference)
    marker = MARKER.fullmatch(reference)
    if marker and marker[1].casefold() == code.casefold():
        return int(marker[2])
    return None


async def _project_code(sender: Sender, project: str, listing: Listing) -> str:
    if listing.project_code:
        return listing.project_code
    if CODE.fullmatch(project):
        return project
    return (await directory.get_project(sender, project)).code


async def _by_number(sender: Sender, project: str, code: str, numbers: list[int]) -> dict[int, str]:
    chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    found: dict[int, str] = {}
    for part in await together(*(_chunk(sender, project, code, chunk) for chunk in chunks)):
        found.update(part)
    return found


async def _chunk(sender: Sender, project: str, code: str, numbers: list[int]) -> dict[int, str]:
    markers = tuple(f"{code}-{number:03d}" for number in numbers)
    cases = await directory.find_test_cases(sender, project, markers)
    if cases is None:
        each = (directory.get_test_case(sender, project, str(number)) for number in numbers)
        cases = tuple(case for case in await together(*each) if case is not None)
    return {case.seq: case.id for case in cases}


async def _by_legacy_id(
    sender: Sender, project: str, references: list[int | str]
) -> dict[int | str, str | None]:
    cases = await together(*(_legacy(sender, project, str(ref)) for ref in references))
    return dict(zip(references, cases, strict=True))


async def _legacy(sender: Sender, project: str, reference: str) -> str | None:
    if reference in ("", ".", ".."):
        return None
    case = await directory.get_test_case(sender, project, reference)
    return None if case is None else case.id
