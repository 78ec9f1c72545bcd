"""The client sends every recorded request as recorded, and understands every recorded response."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from contract.support import BASE, Message, Pair, example, load_pairs

from runs_as_code.errors import (
    AccessError,
    ConflictError,
    NotFoundError,
    QarunError,
    RejectedError,
)
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider import directory
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.wire_names import parse_folder_page

Call = Callable[[QaSphereClient, Message, list[str]], Awaitable[Any]]
PAIRS = load_pairs()


def integers(query: Any) -> list[int]:
    return query if isinstance(query, list) else [query]


def list_runs(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    query = message.query
    closed = {"true": True, "false": False}.get(query.get("closed"))
    milestone_ids = integers(query.get("milestoneIds", []))
    return client.project(parts[0]).list_runs(
        closed=closed, milestone_ids=milestone_ids, limit=query.get("limit")
    )


def fields(body: dict[str, Any]) -> RunFields:
    return RunFields(
        title=body["title"],
        description=body.get("description") or "",
        milestone_id=body.get("milestoneId"),
        assignee_id=body.get("assignmentId"),
    )


def plan(found: dict[str, Any]) -> ResolvedPlan:
    return ResolvedPlan(
        tcase_ids=tuple(found.get("tcaseIds") or ()),
        folder_ids=tuple(found.get("folderIds") or ()),
        tag_ids=tuple(found.get("tagIds") or ()),
        priorities=tuple(found.get("priorities") or ()),
    )


def create_run(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    body = message.body or {"title": "", "type": "live", "queryPlans": []}
    plans = tuple(plan(found) for found in body["queryPlans"])
    return client.project(parts[0]).create_run(fields(body), body["type"], plans)


def clone_run(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    source = message.body.get("runId", 0)
    return client.project(parts[0]).clone_run(source, fields(message.body))


def close_run(client: QaSphereClient, _message: Message, parts: list[str]) -> Awaitable[Any]:
    return client.project(parts[0]).close_run(int(parts[1]))


def add_run_log(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    return client.project(parts[0]).add_run_log(int(parts[1]), message.body["comment"])


def list_run_cases(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    with_folder = message.query.get("include") == "folder"
    return client.project(parts[0]).list_run_cases(int(parts[1]), with_folder=with_folder)


def get_run_case(client: QaSphereClient, _message: Message, parts: list[str]) -> Awaitable[Any]:
    return directory.get_run_case(client, parts[0], int(parts[1]), parts[2])


def find_cases(client: QaSphereClient, message: Message, parts: list[str]) -> Awaitable[Any]:
    return directory.find_test_cases(client, parts[0], tuple(message.body["seqIds"]))


CALLS: dict[str, Call] = {
    "GET /project": lambda client, _message, _parts: client.list_projects(),
    "GET /project/{project}": lambda client, _m, parts: directory.get_project(client, parts[0]),
    "GET /project/{project}/run": list_runs,
    "POST /project/{project}/run": create_run,
    "POST /project/{project}/run/clone": clone_run,
    "POST /project/{project}/run/{run}/close": close_run,
    "POST /project/{project}/run/{run}/log": add_run_log,
    "GET /project/{project}/run/{run}/tcase": list_run_cases,
    "GET /project/{project}/run/{run}/tcase/{tcase}": get_run_case,
    "GET /project/{project}/milestone": lambda client, _m, parts: directory.list_milestones(
        client, parts[0]
    ),
    "GET /project/{project}/tag": lambda client, _m, parts: directory.list_tags(client, parts[0]),
    "GET /project/{project}/tcase/{tcase}": lambda client, _m, parts: directory.get_test_case(
        client, *parts
    ),
    "POST /project/{project}/tcase/seq": find_cases,
    "GET /users": lambda client, _message, _parts: directory.list_users(client),
    "GET /users/me": lambda client, _message, _parts: directory.get_me(client),
}

# What filling a database takes; the client only reads what names need, and writes only runs.
NOT_CALLED = {
    "any",
    "GET /project/{project}/tcase",
    "GET /project/{project}/tcase/count",
    "PATCH /project/{project}/tcase/{tcase}",
    "POST /project",
    "POST /project/{project}/milestone",
    "POST /project/{project}/run/{run}/result/batch",
    "POST /project/{project}/run/{run}/tcase/{tcase}/result",
    "POST /project/{project}/tcase",
    "POST /project/{project}/tcase/bulk",
    "POST /project/{project}/tcase/folder/bulk",
}
PAGED = "GET /project/{project}/tcase/folders"

# Requests that the client has no way to send; their responses it must understand all the same.
NOT_SENT = {
    "run-clone: no run",
    "run-close: by GET, as the seed's curl reads",
    "run-create: a body that is no JSON",
    # The client asks for all milestones at once, and for the largest page.
    "milestone-list: active ones",
    "milestone-list: archived ones",
    "tcase-seq: a marker",
}

# Statuses that only mean "not found by this way".
TOLERATED = {("GET /users", 403), ("GET /project/{project}/tcase/{tcase}", 404)}
ERRORS: dict[int, type[QarunError]] = {
    400: RejectedError,
    401: AccessError,
    403: AccessError,
    404: NotFoundError,
    405: RejectedError,
}

CALLED = [pair for pair in PAIRS if pair.endpoint in CALLS]
SENT = [pair for pair in CALLED if pair.id not in NOT_SENT]
UNDERSTOOD = [pair for pair in CALLED if pair.status < 400]
REFUSED = [
    pair for pair in CALLED if pair.status >= 400 and (pair.endpoint, pair.status) not in TOLERATED
]


class Replay:
    """A server that answers the first request with the recorded response."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) > 1:
            return httpx.Response(403, json={"message": "one request only"})
        return httpx.Response(self.pair.status, json=example(self.pair.body))

    def result(self) -> Any:
        pattern = re.sub(r"\{\w+\}", "([^/]+)", self.pair.endpoint.split(" ")[1])
        found = re.fullmatch(pattern, self.pair.request.path)
        assert found is not None
        call = CALLS[self.pair.endpoint]
        client = QaSphereClient("embedded", "t", transport=httpx.MockTransport(self), rate=0)

        async def main() -> Any:
            async with client:
                return await call(client, self.pair.request, list(found.groups()))

        return asyncio.run(main())


def ids(pairs: list[Pair]) -> dict[str, Any]:
    return {"argvalues": pairs, "ids": [pair.id for pair in pairs]}


def without_empty(body: Any) -> Any:
    """Drop members that say nothing: null, and the description, which is sent even if empty."""
    if isinstance(body, dict):
        kept = {key: without_empty(value) for key, value in body.items() if value is not None}
        return {key: value for key, value in kept.items() if (key, value) != ("description", "")}
    return [without_empty(item) for item in body] if isinstance(body, list) else body


@pytest.mark.parametrize("pair", **ids(SENT))
def test_the_client_sends_what_is_recorded(pair: Pair):
    replay = Replay(pair)
    try:
        replay.result()
    except QarunError:
        assert pair.status >= 400
    sent, recorded = replay.requests[0], pair.request

    assert (sent.method, sent.url.raw_path.decode().split("?")[0]) == (
        recorded.method,
        BASE + recorded.path,
    )
    assert sent.url.params == httpx.QueryParams(recorded.query)
    assert without_empty(json.loads(sent.content or b"null")) == without_empty(recorded.body)


@pytest.mark.parametrize("pair", **ids(REFUSED))
def test_the_client_understands_each_refusal(pair: Pair):
    message = pair.body["message"]
    conflict = re.search(r"conflicting run id: (\d+)$", message)
    kind = ConflictError if conflict else ERRORS[pair.status]
    with pytest.raises(kind) as caught:
        Replay(pair).result()

    assert type(caught.value) is kind
    if isinstance(caught.value, ConflictError):
        assert caught.value.run_id == int(conflict[1])
    if "NOPE" not in pair.request.path:
        assert message in caught.value.message


def runs(body: Any) -> list[tuple[Any, ...]]:
    return [
        (
            run["id"],
            run["type"],
            run["title"],
            run["description"],
            run["milestoneId"],
            (run["milestone"] or {}).get("title"),
            run["assignmentId"],
            (run["assignment"] or {}).get("email"),
            run["statusCounts"],
            run["timeSpent"],
            run["closedAt"],
            run["closedByUserId"],
        )
        for run in body["runs"]
    ]


def listed(listing: Any) -> list[tuple[Any, ...]]:
    return [
        (
            run.id,
            run.type,
            run.title,
            run.description,
            run.milestone_id,
            run.milestone_title,
            run.assignee_id,
            run.assignee_email,
            {name: getattr(run.counts, name) for name in type(run.counts).__slots__},
            run.time_spent,
            run.closed_at,
            run.closed_by,
        )
        for run in listing.runs
    ]


# What the client makes of a response, and the same read off the recorded body by hand.
READ: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "GET /project": (
        lambda found: [(p.id, p.code, p.title, p.is_archived) for p in found],
        lambda body: [(p["id"], p["code"], p["title"], False) for p in body["projects"]],
    ),
    "GET /project/{project}": (
        lambda found: (found.id, found.code, found.title),
        lambda body: (body["id"], body["code"], body["title"]),
    ),
    "GET /project/{project}/run": (
        lambda found: (listed(found), found.open_counter, found.closed_counter),
        lambda body: (runs(body), body["open"], body["closed"]),
    ),
    "POST /project/{project}/run": (lambda found: found, lambda body: body["id"]),
    "POST /project/{project}/run/clone": (lambda found: found, lambda body: body["id"]),
    "POST /project/{project}/run/{run}/close": (lambda found: found, lambda _body: None),
    "POST /project/{project}/run/{run}/log": (lambda found: found, lambda _body: None),
    "GET /project/{project}/run/{run}/tcase": (
        lambda found: [(c.id, c.seq, c.title, c.status, c.folder_id, c.folder) for c in found],
        lambda body: [
            (
                c["id"],
                c["seq"],
                c["title"],
                c["status"],
                c["folderId"],
                c.get("folder", {}).get("title"),
            )
            for c in body["tcases"]
        ],
    ),
    "GET /project/{project}/run/{run}/tcase/{tcase}": (
        lambda found: (found.id, found.seq, found.title, [r.status for r in found.results]),
        lambda body: (
            body["id"],
            body["seq"],
            body["title"],
            [r["status"] for r in body["results"]],
        ),
    ),
    "GET /project/{project}/milestone": (
        lambda found: [(m.id, m.name, m.is_archived) for m in found],
        lambda body: [
            (m["id"], m["title"], m["archivedAt"] is not None) for m in body["milestones"]
        ],
    ),
    "GET /project/{project}/tag": (
        lambda found: [(tag.id, tag.name) for tag in found],
        lambda body: [(tag["id"], tag["title"]) for tag in body["tags"]],
    ),
    "GET /project/{project}/tcase/{tcase}": (
        lambda found: (found.id, found.seq),
        lambda body: (body["id"], body["seq"]),
    ),
    "POST /project/{project}/tcase/seq": (
        lambda found: [(case.id, case.seq) for case in found],
        lambda body: [(case["id"], case["seq"]) for case in body["data"]],
    ),
    "GET /users": (
        lambda found: [(user.id, user.name) for user in found],
        lambda body: [(user["id"], user["email"]) for user in body["users"]],
    ),
    "GET /users/me": (
        lambda found: (found.id, found.name),
        lambda body: (body["user"]["id"], body["user"]["email"]),
    ),
}


@pytest.mark.parametrize("pair", **ids(UNDERSTOOD))
def test_the_client_understands_each_success(pair: Pair):
    of_client, by_hand = READ[pair.endpoint]
    assert of_client(Replay(pair).result()) == by_hand(example(pair.body))


@pytest.mark.parametrize(
    "pair", **ids([p for p in PAIRS if p.endpoint == PAGED and p.status < 400])
)
def test_the_client_understands_each_page_of_folders(pair: Pair):
    page = parse_folder_page("folders", json.dumps(example(pair.body)).encode())

    assert page.total == pair.body["total"]
    assert [(folder.id, folder.title, folder.parent_id) for folder in page.entries] == [
        (folder["id"], folder["title"], folder["parentId"]) for folder in pair.body["data"]
    ]


@pytest.mark.parametrize("pair", **ids([p for p in CALLED if (p.endpoint, p.status) in TOLERATED]))
def test_what_can_not_be_looked_up_is_not_found(pair: Pair):
    assert not Replay(pair).result()


def test_every_recorded_endpoint_is_called_or_known_not_to_be():
    recorded = {pair.endpoint for pair in PAIRS}
    assert recorded - set(CALLS) - NOT_CALLED == {PAGED}
    assert set(CALLS) | NOT_CALLED == recorded - {PAGED}
    assert {pair.id for pair in PAIRS} >= NOT_SENT
