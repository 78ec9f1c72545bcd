"""Faults on purpose, so that users can test what their pipelines do when the service misbehaves.

| kind | what happens |
|---|---|
| `lost-before` | the connection ends before anything was done |
| `lost-after` | the request is carried out and committed, its reply never arrives |
| `reset` | the request is carried out, the reply breaks off in the middle |
| `status` | answered with `status` (default 503) without being carried out |
| `status-after` | carried out and committed, then answered with `status` |
| `slow` | waits `seconds` before it is carried out |
| `stale-list` | a GET is answered with what it was answered before; writes are spared |

In process, where there is no connection, an ended one is a `ConnectionResetError`.
"""

import asyncio
import fnmatch
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runs_as_code.server import guesses
from runs_as_code.server.web.answers import json_response
from runs_as_code.server.web.limits import MESSAGE

FaultKind = Literal[
    "lost-before", "lost-after", "reset", "status", "status-after", "slow", "stale-list"
]
KINDS: tuple[str, ...] = get_args(FaultKind)
_OK = 200
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, for which endpoints, when.

    `endpoint` is a method and a path below the API's base, with `*` for anything, e.g.
    `POST /project/*/run`. The first `skip` matching requests are spared, then `times` are hit (0:
    all), each with `probability`. `seconds` is for `slow`, `retry_after` (seconds) for `status`.
    """

    kind: FaultKind
    endpoint: str = "*"
    skip: int = 0
    times: int = 0
    probability: float = 1.0
    status: int = 503
    seconds: float = 1.0
    retry_after: int | None = None


@dataclass(slots=True)
class _Count:
    seen: int = 0
    hit: int = 0


class Faults:
    """Decide which requests are hit; the same seed and requests give the same hits."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._faults: list[tuple[Fault, _Count]] = []
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing
        self._lock = threading.Lock()
        self._answers: dict[str, list[Message]] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault while the server runs."""
        with self._lock:
            self._faults.append((fault, _Count()))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def pick(self, endpoint: str) -> Fault | None:
        """Return the first fault that hits a request, e.g. `POST /project/BD/run`."""
        with self._lock:
            for fault, count in self._faults:
                if _matches(fault, endpoint) and self._hits(fault, count):
                    return fault
        return None

    def _hits(self, fault: Fault, count: _Count) -> bool:
        count.seen += 1
        if count.seen <= fault.skip or (fault.times and count.hit >= fault.times):
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        count.hit += 1
        return True

    @property
    def is_watching_lists(self) -> bool:
        """Whether answers have to be remembered for a stale list."""
        return any(fault.kind == "stale-list" for fault, _ in self._faults)

    def remember(self, asked: str, answer: list[Message]) -> None:
        """Keep the newest true answer to a GET."""
        self._answers[asked] = answer

    def recall(self, asked: str) -> list[Message] | None:
        """Return the answer that a GET had before."""
        return self._answers.get(asked)


def _matches(fault: Fault, endpoint: str) -> bool:
    # A write that was answered with an old list would be lost; so it isn't even counted.
    is_for_it = fault.kind != "stale-list" or endpoint.startswith("GET ")
    return is_for_it and fnmatch.fnmatchcase(endpoint, fault.endpoint)


async def run_with_faults(
    app: ASGIApp, faults: Faults, scope: Scope, receive: Receive, send: Send
) -> None:
    """Handle one request, with the fault that hits it."""
    path = scope["path"].removeprefix(guesses.BASE_PATH)
    fault = faults.pick(f"{scope['method']} {path}")
    if fault is None:
        await _run_and_remember(app, faults, scope, receive, send)
    elif fault.kind == "lost-before":
        await _end_connection(send)
    elif fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        await app(scope, receive, send)
    elif fault.kind == "status":
        await _refusal(fault, scope, receive, send)
    elif fault.kind == "stale-list":
        await _repeat(app, faults, scope, receive, send)
    else:
        await _spoil(app, fault, scope, receive, send)


async def _spoil(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Carry a request out, then keep its answer from arriving."""
    answer = await _collect(app, scope, receive)
    if fault.kind == "status-after":
        await _refusal(fault, scope, receive, send)
        return
    if fault.kind == "reset":
        start, body = answer[0], b"".join(part.get("body", b"") for part in answer[1:])
        await send(start)
        half = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await send(half)
    await _end_connection(send)


async def _refusal(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    message = MESSAGE if fault.status == _TOO_MANY else f"injected fault {fault.status}"
    response = json_response({"message": message}, fault.status)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    await response(scope, receive, send)


async def _end_connection(send: Send) -> None:
    # uvicorn's `send` belongs to the exchange that owns the connection; in process there is none.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the connection was ended by an injected fault")
    await asyncio.sleep(0)
    transport.abort()
    await asyncio.sleep(0)


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    await app(scope, receive, keep)
    return answer


def _asked(scope: Scope) -> str:
    """Name what was asked and with which key: nobody is shown what another key was."""
    key = Headers(scope=scope).get("authorization", "")
    return f"{key} {scope['path']}?{scope['query_string'].decode('latin-1')}"


async def _run_and_remember(
    app: ASGIApp, faults: Faults, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["method"] != "GET" or not faults.is_watching_lists:
        await app(scope, receive, send)
        return
    answer = await _collect(app, scope, receive)
    if answer and answer[0].get("status") == _OK:
        faults.remember(_asked(scope), answer)
    for message in answer:
        await send(message)


async def _repeat(app: ASGIApp, faults: Faults, scope: Scope, receive: Receive, send: Send) -> None:
    answer = faults.recall(_asked(scope))
    if answer is None:
        await _run_and_remember(app, faults, scope, receive, send)
        return
    for message in answer:
        await send(message)
