"""The board's own little app: its addresses, who may read it, and pages for what is not there."""

import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runs_as_code.server import guesses
from runs_as_code.server.board.access import is_local
from runs_as_code.server.board.filters import read_filters, read_page
from runs_as_code.server.board.pages import project_page, projects_page
from runs_as_code.server.board.rendering import icon, render
from runs_as_code.server.board.run_page import run_page
from runs_as_code.server.store.database import Store
from runs_as_code.server.web.calls import find_project
from runs_as_code.server.web.problems import ApiError

PATH = "/board"
_NOT_ITS_BUSINESS = ("/api", guesses.DOWNLOAD_PATH)
_log = logging.getLogger("runs_as_code.server")

Show = Callable[[Connection, Request], Response]


def is_boards(path: str) -> bool:
    """Whether the board answers at a path: everywhere but in the API and at uploaded files."""
    return not any(path == name or path.startswith(f"{name}/") for name in _NOT_ITS_BUSINESS)


def make_board(store: Store, *, is_open: bool) -> Starlette:
    """Build the board of a database; where it is not open it answers this machine alone."""

    def route(path: str, show: Show) -> Route:
        return Route(path, _guarded(show, store, is_open=is_open), methods=["GET"])

    app = Starlette(
        routes=[
            route("/", lambda *_: RedirectResponse(PATH, 307)),
            route(PATH, _show_projects),
            route(f"{PATH}/icon.svg", lambda *_: icon()),
            route(f"{PATH}/{{project}}", _show_project),
            route(f"{PATH}/{{project}}/{{run}}", _show_run),
        ],
        exception_handlers={HTTPException: _problem},
    )
    app.router.redirect_slashes = False
    return app


def _guarded(
    show: Show, store: Store, *, is_open: bool
) -> Callable[[Request], Awaitable[Response]]:
    def answer(request: Request) -> Response:
        try:
            with store.reading() as connection:
                return show(connection, request)
        except ApiError as error:
            return _say(error.status, error.message)
        except Exception:  # noqa: BLE001 - whatever goes wrong, the answer is a page, no traceback
            _log.exception("%s failed", request.url.path)
            return _say(500, "Something went wrong here")

    async def guard(request: Request) -> Response:
        if not is_open and not is_local(request):
            return _say(403, "This board is shown on its own machine only")
        return await run_in_threadpool(answer, request)

    return guard


def _show_projects(connection: Connection, request: Request) -> Response:
    return render("projects.html", page=projects_page(connection, read_page(request.query_params)))


def _show_project(connection: Connection, request: Request) -> Response:
    project = find_project(connection, request.path_params["project"])
    page = project_page(connection, project, read_filters(request.query_params))
    return render("project.html", page=page)


def _show_run(connection: Connection, request: Request) -> Response:
    project = find_project(connection, request.path_params["project"])
    page = run_page(
        connection,
        project,
        request.path_params["run"],
        status=request.query_params.get("status", ""),
        page=read_page(request.query_params),
    )
    return render("run.html", page=page)


def _problem(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "There is no such page", 405: "The board is only for reading"}
    response = _say(status, words.get(status, "Something went wrong here"))
    if status == 405:  # noqa: PLR2004 - what the status is for
        response.headers["Allow"] = "GET, HEAD"
    return response


def _say(status: int, message: str) -> Response:
    return render("problem.html", status=status, number=status, message=message)
