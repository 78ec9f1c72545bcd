"""A scripted server, a clock that only tests move, and replies as the API documents them."""

import asyncio
import heapq
import itertools
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.timing import Timing

URL = "https://acme.eu1.qasphere.com"
TOKEN = "tst0000001.1CKCEcanary_JYyckc3zY.canarycanary"
API = "/api/public/v0"


def run(job: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(job)


class Script:
    """Answers each request with the next step: a response, an exception, or a function."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            step.request = request
            raise step
        return step(request) if callable(step) else step

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @property
    def sent(self) -> list[str]:
        return [f"{r.method} {r.url.raw_path.decode().removeprefix(API)}" for r in self.requests]

    def client(self, url: str = URL, token: str | None = TOKEN, **options: Any) -> QaSphereClient:
        timing = Timing(
            sleep=self.sleep,
            clock=lambda: sum(self.pauses),
            now=lambda: 0.0,
            random=lambda: 0.0,
            later=lambda _delay, action: action(),
        )
        options.setdefault("timing", timing)
        return QaSphereClient(url, token, transport=httpx.MockTransport(self), **options)

    def project(self, code: str = "BD", **options: Any) -> Any:
        return self.client(**options).project(code)


class Routes:
    """Answers by method and path, and remembers what was asked."""

    def __init__(self, routes: dict[str, Any]) -> None:
        self.routes = routes
        self.script = Script(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix(API).split("?")[0]
        found = self.routes.get(f"{request.method} {path}", ok({"message": "Not found"}, 404))
        return found(request) if callable(found) else found

    @property
    def sent(self) -> list[str]:
        return self.script.sent


class VirtualTime:
    """Time that stands still until every task waits, and then jumps to the next event."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def later(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay, next(self._order), action))

    async def sleep(self, delay: float) -> None:
        done = asyncio.get_running_loop().create_future()
        self.later(delay, lambda: done.done() or done.set_result(None))
        await done

    async def run(self, job: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.create_task(job)
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            if task.done():
                return task.result()
            self.now, _, action = heapq.heappop(self._events)
            action()


def ok(data: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status,
        content=json.dumps(data).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def html(status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=b"\n<!DOCTYPE html>\n<title>Sign in</title>")


def live_run(run_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A run as the seed's reply describes it."""
    run = {
        "id": run_id,
        "type": "live",
        "projectId": "1CEPaUhgH_Tvt2LZygwVRQa",
        "project": {"id": "1CEPaUhgH_Tvt2LZygwVRQa", "code": "BD", "title": "Bistro Delivery"},
        "milestoneId": 5,
        "milestone": {"id": 5, "title": "Sprint 24", "archivedAt": None},
        "assignmentId": 7,
        "assignment": {
            "id": 7,
            "email": "ann@example.com",
            "name": "Ann",
            "avatar": "",
            "role": "user",
        },
        "title": f"Run {run_id}",
        "description": "What it is for",
        "statusCounts": {
            "all": 6,
            "blocked": 1,
            "failed": 1,
            "open": 1,
            "passed": 2,
            "skipped": 1,
        },
        "timeSpent": 61000,
        "createdAt": "2024-01-01T00:00:00.000Z",
        "closedAt": None,
        "closedByUserId": None,
    }
    return {**run, **changes}
