"""From a Starlette request to a plain function and back.

Each endpoint is a synchronous function of a `Call`; it runs in a worker thread inside one
transaction, and whatever it raises becomes a JSON answer.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from runs_as_code.server import guesses
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.database import Store
from runs_as_code.server.store.tables import audit_event, project
from runs_as_code.server.web.answers import error_response, json_response
from runs_as_code.server.web.bodies import Struct, decode, parse_json
from runs_as_code.server.web.keys import Caller, find_caller, read_key, require_role
from runs_as_code.server.web.problems import ApiError, missing
from runs_as_code.server.web.queries import Query
from runs_as_code.server.web.uploads import Upload, check_announced, read_uploads

AUDIT_PATH = "/audit-logs"
_log = logging.getLogger("runs_as_code.server")
_log.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready for an endpoint; `project` is its row where the path names one."""

    connection: Connection
    caller: Caller
    project: Row[Any] | None
    path: Mapping[str, str]
    query: Query
    raw_body: bytes
    uploads: tuple[Upload, ...]
    base_url: str
    options: ServerOptions

    @property
    def project_id(self) -> str:
        """The id of the project in the path."""
        if self.project is None:
            raise missing("Project")
        return str(self.project.id)

    def body(self, struct: Struct) -> dict[str, Any]:
        """Parse the body and check it against a struct."""
        return decode(parse_json(self.raw_body), struct)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answers: any JSON value, its status, and what the audit log keeps of it."""

    value: Any
    status: int = 200
    note: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, who may call it, and the function that answers."""

    method: str
    path: str
    answer: Callable[[Call], Reply]
    role: str = "viewer"
    takes_files: bool = False
    is_read: bool = False  # a POST that only reads

    @property
    def is_write(self) -> bool:
        """Whether the endpoint runs in a write transaction."""
        return self.method != "GET" and not self.is_read


def make_routes(endpoints: Iterable[Endpoint], store: Store, options: ServerOptions) -> list[Route]:
    """Build one route for each path, so that a wrong method is 405 with all allowed ones."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        Route(guesses.BASE_PATH + path, _serve(methods, store, options), methods=list(methods))
        for path, methods in by_path.items()
    ]


def _serve(
    methods: Mapping[str, Endpoint], store: Store, options: ServerOptions
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        endpoint = methods["GET" if request.method == "HEAD" else request.method]
        try:
            received = await _receive(endpoint, request)
        except ApiError as error:
            return error_response(error)
        except ClientDisconnect:
            return json_response({"message": "client closed request"}, 499)
        return await run_in_threadpool(_answer, endpoint, received, store, options)

    return serve


@dataclass(frozen=True, slots=True)
class _Received:
    """A request whose body has arrived."""

    request: Request
    body: bytes = b""
    uploads: tuple[Upload, ...] = ()


async def _receive(endpoint: Endpoint, request: Request) -> _Received:
    if endpoint.takes_files:
        return _Received(request, uploads=await read_uploads(request))
    return _Received(request, await read_body(request, guesses.BODY_LIMIT))


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes; a larger one is 413."""
    check_announced(request, limit)
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise ApiError(413, "http: request body too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(
    endpoint: Endpoint, received: _Received, store: Store, options: ServerOptions
) -> Response:
    try:
        with store.writing() if endpoint.is_write else store.reading() as connection:
            call = _make_call(endpoint, received, connection, options)
            reply = endpoint.answer(call)
            if endpoint.is_write:
                _note(call, endpoint, received.request, reply)
        return json_response(reply.value, reply.status)
    except ApiError as error:
        return error_response(error)
    except Exception:  # noqa: BLE001 - whatever goes wrong, the answer is JSON, no traceback
        _log.exception("%s %s failed", endpoint.method, endpoint.path)
        return json_response({"message": "internal server error"}, 500)


def _make_call(
    endpoint: Endpoint, received: _Received, connection: Connection, options: ServerOptions
) -> Call:
    request = received.request
    key = read_key(request.headers.get("authorization"))
    caller = find_caller(connection, key, is_required=options.require_key)
    require_role(caller, endpoint.role, is_log=endpoint.path == AUDIT_PATH)
    path: Mapping[str, str] = request.path_params
    return Call(
        connection=connection,
        caller=caller,
        project=find_project(connection, path["project"]) if "project" in path else None,
        path=path,
        query=Query(tuple(request.query_params.multi_items())),
        raw_body=received.body,
        uploads=received.uploads,
        base_url=str(request.base_url).rstrip("/"),
        options=options,
    )


def _note(call: Call, endpoint: Endpoint, request: Request, reply: Reply) -> None:
    """Write the audit event of a successful write."""
    call.connection.execute(
        insert(audit_event).values(
            user_id=call.caller.id,
            action=endpoint.answer.__name__,
            ip=request.client.host if request.client else "",
            user_agent=request.headers.get("user-agent", ""),
            meta={"path": request.url.path, **reply.note},
            created_at=now(),
        )
    )


def find_project(connection: Connection, name: str) -> Row[Any]:
    """Return a project by the code or id in a path; raise 404 where there is none."""
    has_code = project.c.code == name
    if guesses.PROJECT_CODES_IGNORE_CASE:
        has_code = func.lower(project.c.code) == name.lower()
    row = connection.execute(select(project).where(has_code | (project.c.id == name))).first()
    if row is None:
        raise missing("Project")
    return row
