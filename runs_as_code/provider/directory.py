"""The endpoints that names need and those that only look, one function each."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from runs_as_code.errors import BadResponseError
from runs_as_code.model import membership
from runs_as_code.model.live import Entry, LibraryCase
from runs_as_code.provider import wire_names
from runs_as_code.provider.address import segment
from runs_as_code.provider.exchange import Answer, Request, Sender
from runs_as_code.provider.wire import RunCaseDetail, parse_run_case
from runs_as_code.provider.wire_names import Folder, Page, Project, TestCaseKey

T = TypeVar("T")

PAGE_SIZE = 1000
MAX_ENTRIES = 1_000_000  # of one paged list; a server could go on for ever
NOT_FOUND = 404
# 400 as well: whether one unknown number makes the whole request fail is stated nowhere [J].
NO_SUCH_ENDPOINT = (400, NOT_FOUND, 405)


async def list_projects(sender: Sender, *, scope: str = "") -> tuple[Project, ...]:
    """List the projects that the key may see."""
    request = Request("GET", "/project", scope=scope)
    answer = await sender.send(request)
    return wire_names.parse_projects(request.label, answer.body)


async def get_project(sender: Sender, project: str) -> Project:
    """Read one project by code or id."""
    request = _read(project, "")
    answer = await sender.send(request)
    return wire_names.parse_project(request.label, answer.body)


async def list_milestones(sender: Sender, project: str) -> tuple[Entry, ...]:
    """List all milestones, archived ones included [CLI]."""
    request = _read(project, "/milestone")
    answer = await sender.send(request)
    return wire_names.parse_milestones(request.label, answer.body)


async def list_tags(sender: Sender, project: str) -> tuple[Entry, ...]:
    """List the tags of a project."""
    request = _read(project, "/tag")
    answer = await sender.send(request)
    return wire_names.parse_tags(request.label, answer.body)


async def list_folders(sender: Sender, project: str) -> tuple[Folder, ...]:
    """List all folders of a project, page by page."""
    path = f"/project/{segment(project)}/tcase/folders"

    def request(window: Mapping[str, int]) -> Request:
        query = tuple((key, str(value)) for key, value in window.items())
        return Request("GET", path, query=query, scope=project)

    found = _all_pages(sender, request, wire_names.parse_folder_page, lambda folder: folder.id)
    return tuple([folder async for folder in found])


async def list_library_cases(sender: Sender, project: str) -> tuple[LibraryCase, ...]:
    """List the test cases that may enter runs: no templates [HELP], and no drafts, it seems."""
    path = f"/project/{segment(project)}/tcase"
    fixed = (
        ("types", "standalone"),
        ("types", "filled"),
        *(() if membership.DRAFTS_ENTER_RUNS else (("draft", "false"),)),
        ("include", "tags"),
        ("sortField", "id"),
        ("sortOrder", "asc"),
    )

    def request(window: Mapping[str, int]) -> Request:
        query = (*fixed, *((key, str(value)) for key, value in window.items()))
        return Request("GET", path, query=query, scope=project)

    found = _all_pages(sender, request, wire_names.parse_library_page, lambda case: case.id)
    return tuple([case async for case in found])


async def get_me(sender: Sender, *, scope: str = "") -> Entry | None:
    """Read the user whose key is used; None where the server does not tell."""
    request = Request("GET", "/users/me", scope=scope)
    answer = await sender.send(request, allowed=(403, NOT_FOUND))
    return wire_names.parse_me(request.label, answer.body) if answer.is_success else None


async def list_users(sender: Sender, *, scope: str = "") -> tuple[Entry, ...]:
    """List the users that have an id; none where the key may not list users [DOC users]."""
    request = Request("GET", "/users", scope=scope)
    answer = await sender.send(request, allowed=(403, NOT_FOUND))
    return wire_names.parse_users(request.label, answer.body) if answer.is_success else ()


async def find_test_cases(
    sender: Sender, project: str, markers: tuple[str, ...]
) -> tuple[TestCaseKey, ...] | None:
    """Look up test cases by markers such as `BD-012`; None where the server can't [CLI]."""
    path = f"/project/{segment(project)}/tcase/seq"

    def request(window: Mapping[str, int]) -> Request:
        body = {"seqIds": list(markers), "offset": window["offset"], "limit": window["limit"]}
        return Request("POST", path, body=body, scope=project)

    found = _all_pages(sender, request, wire_names.parse_test_case_page, lambda case: case.id)
    try:
        return tuple([case async for case in found])
    except _NoSuchEndpointError:
        return None


async def get_test_case(sender: Sender, project: str, reference: str) -> TestCaseKey | None:
    """Read one test case by id, number or legacy id; None where there is none."""
    request = _read(project, f"/tcase/{segment(reference)}")
    answer = await sender.send(request, allowed=(NOT_FOUND,))
    return wire_names.parse_test_case(request.label, answer.body) if answer.is_success else None


async def get_run_case(
    sender: Sender, project: str, run_id: int, reference: int | str
) -> RunCaseDetail:
    """Read one test case of a run by id, number or legacy id, with its results [SEED]."""
    request = _read(project, f"/run/{run_id}/tcase/{segment(str(reference))}")
    answer = await sender.send(request)
    return parse_run_case(request.label, answer.body)


def _read(project: str, path: str) -> Request:
    return Request("GET", f"/project/{segment(project)}{path}", scope=project)


class _NoSuchEndpointError(Exception):
    """The server has no such endpoint, or not for this request."""


async def _all_pages(
    sender: Sender,
    request: Callable[[Mapping[str, int]], Request],
    parse: Callable[[str, Any], Page[T]],
    key: Callable[[T], object],
) -> AsyncIterator[T]:
    """Yield the entries of all pages, each once, on servers of both ages.

    Newer servers go by `offset` and ignore `page`, older ones know `page` only [CLI].
    """
    seen: set[object] = set()
    for page_number in range(1, 10_000):
        window = {"offset": len(seen), "limit": PAGE_SIZE, "page": page_number}
        call = request(window)
        page = parse(call.label, (await _send_page(sender, call)).body)
        fresh = [entry for entry in page.entries if key(entry) not in seen]
        for entry in fresh:
            seen.add(key(entry))
            yield entry
        if len(seen) >= page.total:
            return
        if len(seen) > MAX_ENTRIES:
            raise BadResponseError(f"`{call.label}` gives more than {MAX_ENTRIES} entries")
        if not fresh:
            raise BadResponseError(
                f"`{call.label}` gave {len(seen)} of {page.total} entries and then no more",
                hint="something may have changed meanwhile; try again",
            )


async def _send_page(sender: Sender, call: Request) -> Answer:
    if call.method == "GET":
        return await sender.send(call)
    answer = await sender.send(call, allowed=NO_SUCH_ENDPOINT)
    if not answer.is_success:
        raise _NoSuchEndpointError
    return answer
