"""Multipart uploads, bounded in size and number [CLI]."""

import logging
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from runs_as_code.server import guesses
from runs_as_code.server.web.problems import ApiError, refuse

FILE_LIMIT = 50 * 1024 * 1024
MAX_FILES = 100
# What is wrong with a form is in the answer; its parser must not write to stderr as well.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())
_TOO_LARGE = "http: request body too large"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    field: str
    name: str
    mime_type: str
    content: bytes


async def read_uploads(request: Request) -> tuple[Upload, ...]:
    """Read all files of a body; 400 when it is no multipart form, 413 when it is too large."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise refuse("request Content-Type isn't multipart/form-data")
    check_announced(request, guesses.UPLOAD_LIMIT)
    bounded = Request(request.scope, _Bounded(request, guesses.UPLOAD_LIMIT).receive)
    try:
        async with bounded.form(max_files=MAX_FILES, max_fields=MAX_FILES) as form:
            files = [
                (field, part)
                for field, part in form.multi_items()
                if isinstance(part, UploadFile) and part.filename  # without a name it is no file
            ]
            return tuple([await _read(field, part) for field, part in files])
    except HTTPException as error:
        raise refuse(f"multipart: {error.detail}") from error


async def _read(field: str, part: UploadFile) -> Upload:
    content = await part.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ApiError(413, _TOO_LARGE)
    mime_type = part.content_type or "application/octet-stream"
    return Upload(field, part.filename or "", mime_type, content)


def check_announced(request: Request, limit: int) -> None:
    """Refuse a body that says itself that it is too large, before it is sent."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise ApiError(413, _TOO_LARGE)


class _Bounded:
    """Pass on the parts of a body until there are too many bytes."""

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._left = limit

    async def receive(self) -> Message:
        message = await self._request.receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise ApiError(413, _TOO_LARGE)
        return message
