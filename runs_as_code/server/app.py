"""The ASGI app: routes, with rate limit, latency and faults around them; JSON for every error."""

import asyncio
import math
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runs_as_code.server import guesses
from runs_as_code.server.endpoints import (
    audit,
    cases,
    catalog,
    files,
    plans,
    results,
    runs,
    settings,
)
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.seeding import ensure_database
from runs_as_code.server.store.database import Store
from runs_as_code.server.web import limits
from runs_as_code.server.web.answers import json_response
from runs_as_code.server.web.calls import make_routes
from runs_as_code.server.web.faults import Faults, run_with_faults
from runs_as_code.server.web.keys import read_key

_AREAS = (catalog, cases, runs, results, plans, settings, files, audit)
ENDPOINTS = tuple(endpoint for area in _AREAS for endpoint in area.ENDPOINTS)
_DEFAULT_OPTIONS = ServerOptions()
_MISSING = 404
_WRONG_METHOD = 405
_BEHIND_THE_LINE = ("/api/", f"{guesses.DOWNLOAD_PATH}/")


class QaSphereApp(Starlette):
    """The app of one database; `state.store` and `state.faults` are for those who embed it."""

    def __init__(self, store: Store, options: ServerOptions) -> None:
        super().__init__(
            routes=[*make_routes(ENDPOINTS, store, options), files.download_route(store)],
            exception_handlers={HTTPException: _http_error, Exception: _http_error},
        )
        self.router.redirect_slashes = False
        self.state.store = store
        self.state.faults = Faults(options.faults, options.fault_seed)
        self._latency = options.latency if math.isfinite(options.latency) else 0.0
        self._limit = limits.RateLimit(options.rate)
        self._board = None if options.board == "off" else _Board(store, options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection: faults outermost, as they happen on the way to the service.

        Latency, faults and the rate limit are the API's; whatever else is served has none.
        """
        if scope["type"] == "http" and self._board and self._board.answers(scope["path"]):
            await self._board.app(scope, receive, send)
            return
        if scope["type"] != "http" or not scope["path"].startswith(_BEHIND_THE_LINE):
            await super().__call__(scope, receive, send)
            return
        try:
            if self._latency > 0:
                await asyncio.sleep(self._latency)
            await run_with_faults(self._admit, self.state.faults, scope, receive, send)
        except asyncio.CancelledError:
            # The server is being stopped; its own last words would be plain text.
            farewell = json_response({"message": "the server is shutting down"}, 503)
            with suppress(RuntimeError, AssertionError):  # an answer had begun
                await farewell(scope, receive, send)
            raise

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = read_key(Headers(scope=scope).get("authorization")) or ""
        if self._limit.admits(key):
            await super().__call__(scope, receive, send)
        else:
            refusal = json_response({"message": limits.MESSAGE}, 429)
            await refusal(scope, receive, send)


class _Board:
    """The board beside the API: no key, no rate limit, no latency, no faults."""

    def __init__(self, store: Store, options: ServerOptions) -> None:
        from runs_as_code.server.board import routes  # noqa: PLC0415 - most apps have no board

        self.answers = routes.is_boards
        self.app = routes.make_board(store, is_open=options.board == "open")


def create_app(database: Path | str, *, options: ServerOptions = _DEFAULT_OPTIONS) -> QaSphereApp:
    """Build the app on a database file, which is created when it does not exist.

    Raises `DatabaseError` where the file or the seed can't be used.
    """
    path = Path(database)
    ensure_database(path, options.seed)
    return QaSphereApp(Store(path), options)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return json_response({"message": "internal server error"}, 500)
    is_missing = error.status_code == _WRONG_METHOD and request.method in guesses.UNKNOWN_METHODS
    status = _MISSING if is_missing else error.status_code
    message = {_MISSING: "Not found", _WRONG_METHOD: "Method not allowed"}.get(status, error.detail)
    response = json_response({"message": message}, status)
    if is_missing:
        return response
    if allowed := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
    return response
