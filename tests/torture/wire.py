"""The wire between `qarun` and an embedded server: every call passes here and may meet a fault.

The same ASGI middleware serves both ways: in process, on virtual time, and on a real socket.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from torture.faults import Answer, Fault, Kind, dice, spoil
from torture.virtual import real_work

BASE = "/api/public/v0"
LONGER_THAN_ANY_CLIENT = 600.0


@dataclass(frozen=True)
class Call:
    """One request as it arrived; `number` counts the caller's own calls from 1."""

    who: str
    number: int
    method: str
    path: str
    query: str
    body: bytes
    at: float

    @property
    def is_write(self) -> bool:
        """Whether it makes or closes a run; a POST may only look something up."""
        return self.method != "GET" and not self.path.endswith("/tcase/seq")

    @property
    def is_list(self) -> bool:
        """Whether it lists the runs of a project."""
        return self.method == "GET" and self.path.endswith("/run")

    @property
    def json(self) -> Any:
        """The body of a write."""
        return json.loads(self.body) if self.body else None


class Actor(Protocol):
    """Somebody who does something at the very moment of a call."""

    async def before(self, call: Call) -> Fault | None:
        """Act before a call is carried out; a fault decides what becomes of it."""
        ...

    async def after(self, call: Call, answer: Answer) -> None:
        """Act after a call was carried out and before its answer leaves."""
        ...


class Witness(Protocol):
    """Somebody who only looks."""

    def arrived(self, call: Call) -> None:
        """See a call before anything is done about it."""
        ...

    def carried_out(self, call: Call, answer: Answer) -> None:
        """See what the server really answered."""
        ...

    def delivered(self, call: Call, answer: Answer) -> None:
        """See what the caller got."""
        ...


class CutOffError(Exception):
    """The caller is dead: nothing of it may be carried out any more."""


@dataclass
class Wire:
    """The middleware; `actors` may be exchanged between the calls."""

    app: Any
    witness: Witness
    actors: list[Actor] = field(default_factory=list)
    faults: int = 0
    client_patience: float = 60.0
    latency: float = 0.0
    chance: random.Random = field(default_factory=lambda: dice("latency"))
    _counts: dict[str, int] = field(default_factory=dict)
    _dead: set[str] = field(default_factory=set)
    _under_way: set[asyncio.Task[Answer]] = field(default_factory=set)
    _remembered: dict[str, tuple[float, Answer]] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = self._call(scope, await _read(receive))
        try:
            await self._handle(call, send)
        except CutOffError:
            await _end(send, ConnectionResetError("cut off"))

    def kill(self, who: str) -> None:
        """Carry out nothing of a caller any more, not even what has arrived."""
        self._dead.add(who)

    def calls_of(self, who: str) -> int:
        """Return how many calls a caller made."""
        return self._counts.get(who, 0)

    async def quiet(self) -> None:
        """Wait until everything that was taken is carried out, late commits included."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _call(self, scope: Any, body: bytes) -> Call:
        headers = dict(scope["headers"])
        who = headers.get(b"authorization", b"nobody").decode().removeprefix("Bearer ")
        self._counts[who] = self._counts.get(who, 0) + 1
        return Call(
            who=who,
            number=self._counts[who],
            method=scope["method"],
            path=scope["path"].removeprefix(BASE),
            query=scope["query_string"].decode(),
            body=body,
            at=asyncio.get_running_loop().time(),
        )

    async def _handle(self, call: Call, send: Any) -> None:
        self._check_alive(call)
        self.witness.arrived(call)
        fault = None
        for actor in self.actors:
            fault = await actor.before(call) or fault
        self._check_alive(call)
        if fault is None:
            await self._deliver(call, await self._carry_out(call), send)
            return
        self.faults += 1
        await self._suffer(call, fault, send)

    async def _suffer(self, call: Call, fault: Fault, send: Any) -> None:
        """Let a call meet a fault: whether it is carried out, and what of it arrives."""
        if fault.kind is Kind.REFUSED:
            await _end(send, _refusal())
        elif fault.kind is Kind.SLOW_COMMIT:
            self._start(call, fault.seconds)
            await _end(send, ConnectionResetError("the reply is lost"))
        elif fault.kind is Kind.STALE:
            await self._deliver(call, await self._older(call, fault.seconds), send)
        else:
            answer = await self._carry_out(call) if fault.is_carried_out else None
            if fault.kind in {Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER}:
                await asyncio.sleep(self.client_patience)
            spoiled = spoil(fault, answer)
            if spoiled is None:
                await _end(send, _end_error(fault))
            else:
                await self._deliver(call, spoiled, send, is_broken_off=fault.is_broken_off)

    async def _carry_out(self, call: Call) -> Answer:
        answer = await asyncio.shield(self._start(call))
        self._check_alive(call)
        return answer

    def _start(self, call: Call, delay: float = 0.0) -> asyncio.Task[Answer]:
        """Carry a call out in a task of its own: a server goes on when its client dies."""
        task = asyncio.create_task(self._work(call, delay))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _work(self, call: Call, delay: float) -> Answer:
        if delay:
            await asyncio.sleep(delay)
        answer = await call_app(self.app, call.method, call.path, call.body, call.query)
        self.witness.carried_out(call, answer)
        self._remembered[f"{call.path}?{call.query}"] = (_now(), answer)
        for actor in self.actors:
            await actor.after(call, answer)
        return answer

    async def _older(self, call: Call, lag: float) -> Answer:
        """Answer as a replica does that lags behind, but never by more than `lag` seconds."""
        moment, answer = self._remembered.get(f"{call.path}?{call.query}", (-1e9, None))
        if answer is None or _now() - moment > lag:
            return await self._carry_out(call)
        return answer

    async def _deliver(
        self, call: Call, answer: Answer, send: Any, *, is_broken_off: bool = False
    ) -> None:
        if self.latency:
            # No two answers come at one moment: nobody could say what was read before what.
            await asyncio.sleep(self.latency * self.chance.uniform(0.5, 1.5))
        self._check_alive(call)
        body = answer.body[: len(answer.body) // 2] if is_broken_off else answer.body
        headers = [(name, value) for name, value in answer.headers if name != b"content-length"]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if is_broken_off:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await _end(send, ConnectionResetError("broken off"))
            return
        self.witness.delivered(call, answer)
        await send({"type": "http.response.body", "body": body})

    def _check_alive(self, call: Call) -> None:
        if call.who in self._dead:
            raise CutOffError


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def _end(send: Any, error: Exception) -> None:
    """End the connection: on a socket by a reset, in process by what a client would meet."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise error
    transport.abort()


def _refusal() -> Exception:
    error = httpx.ConnectError("refused")
    error.__cause__ = ConnectionRefusedError()
    return error


def _end_error(fault: Fault) -> Exception:
    if fault.kind in {Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER}:
        return httpx.ReadTimeout("no answer")
    return ConnectionResetError("the connection was reset")


async def call_app(app: Any, method: str, path: str, body: bytes = b"", query: str = "") -> Answer:
    """Send one request to an app in this process and return its answer."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def keep(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": BASE + path,
        "raw_path": (BASE + path).encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"embedded"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    with real_work():
        await app(scope, receive, keep)
    start = messages[0]
    whole = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(start["status"], whole, tuple(tuple(pair) for pair in start["headers"]))


@asynccontextmanager
async def acting(wire: Wire, *actors: Actor) -> AsyncIterator[None]:
    """Let actors act for a while."""
    before, wire.actors = wire.actors, [*wire.actors, *actors]
    try:
        yield
    finally:
        wire.actors = before
