"""Uploaded files: one, a batch, and their way back [CLI]."""

from typing import Any
from urllib.parse import quote

from sqlalchemy import insert, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runs_as_code.server import guesses
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.database import Store
from runs_as_code.server.store.ids import new_id
from runs_as_code.server.store.tables import file
from runs_as_code.server.web.answers import error_response
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import missing, refuse
from runs_as_code.server.web.uploads import Upload


def upload_file(call: Call) -> Reply:
    """Store the file in the field `file`; `stableUrl` was seen live [3P]."""
    wanted = [upload for upload in call.uploads if upload.field == "file"]
    if len(wanted) != 1:
        raise refuse("http: no such file")
    shown = _store(call, wanted[0])
    return Reply(shown | {"stableUrl": shown["url"]}, 201)


def upload_files(call: Call) -> Reply:
    """Store up to 100 files in the repeated field `files`."""
    wanted = [upload for upload in call.uploads if upload.field == "files"]
    if not wanted:
        raise refuse("http: no such file")
    return Reply({"files": [_store(call, upload) for upload in wanted]}, guesses.BATCH_FILES_STATUS)


def _store(call: Call, upload: Upload) -> dict[str, Any]:
    file_id = new_id()
    call.connection.execute(
        insert(file).values(
            id=file_id,
            name=upload.name,
            mime_type=upload.mime_type,
            size=len(upload.content),
            content=upload.content,
            created_at=now(),
        )
    )
    return {"id": file_id, "url": f"{call.base_url}{guesses.DOWNLOAD_PATH}/{file_id}"}


def download_route(store: Store) -> Route:
    """Build the route that gives an uploaded file back, always as something to save."""

    def load(file_id: str) -> Response:
        with store.reading() as connection:
            row = connection.execute(select(file).where(file.c.id == file_id)).first()
        if row is None:
            return error_response(missing("File"))
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        }
        return Response(row.content, headers=headers, media_type=_media_type(row.mime_type))

    async def download(request: Request) -> Response:
        return await run_in_threadpool(load, request.path_params["id"])

    return Route(f"{guesses.DOWNLOAD_PATH}/{{id}}", download, methods=["GET"])


def _media_type(text: str) -> str:
    # A header can't carry everything that a client may have written into its part's type.
    is_sendable = text.isascii() and text.isprintable() and text == text.strip()
    return text if text and is_sendable else "application/octet-stream"


ENDPOINTS = (
    Endpoint("POST", "/file", upload_file, "test-runner", takes_files=True),
    Endpoint("POST", "/file/batch", upload_files, "test-runner", takes_files=True),
)
