"""The ASGI app: routes, rate limit and latency around them, JSON for every error."""

import asyncio
import math
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runs_as_code.server.endpoints import cases, catalog, results, runs
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.seeding import ensure_database
from runs_as_code.server.store.database import Store
from runs_as_code.server.web import limits
from runs_as_code.server.web.calls import json_response, make_routes
from runs_as_code.server.web.keys import read_key

ENDPOINTS = (*catalog.ENDPOINTS, *cases.ENDPOINTS, *runs.ENDPOINTS, *results.ENDPOINTS)
_DEFAULT_OPTIONS = ServerOptions()


def create_app(database: Path | str, *, options: ServerOptions = _DEFAULT_OPTIONS) -> Starlette:
    """Build the app on a database file, which is created when it does not exist."""
    path = Path(database)
    ensure_database(path, options.seed)
    store = Store(path)
    app = Starlette(
        routes=make_routes(ENDPOINTS, store, options),
        middleware=[Middleware(_Gate, options=options)],
        exception_handlers={HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    app.state.store = store
    return app


def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return json_response({"message": "internal server error"}, 500)
    words = {404: "Not found", 405: "Method not allowed"}
    message = words.get(error.status_code, str(error.detail))
    response = json_response({"message": message}, error.status_code)
    if allowed := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
    return response


class _Gate:
    """Delay every request by the latency, and refuse those above the rate limit."""

    def __init__(self, app: ASGIApp, options: ServerOptions) -> None:
        self._app = app
        self._latency = options.latency
        self._limit = limits.RateLimit(options.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._latency > 0 and math.isfinite(self._latency):
            await asyncio.sleep(self._latency)
        key = read_key(Headers(scope=scope).get("authorization")) or ""
        if self._limit.admits(key):
            await self._app(scope, receive, send)
        else:
            refusal = json_response({"message": limits.MESSAGE}, 429)
            await refusal(scope, receive, send)
