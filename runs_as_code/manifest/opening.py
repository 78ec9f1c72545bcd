"""Reads what a path names without ever hanging: files, and pipes that somebody writes to."""

import errno
import os
import select
import stat
from typing import BinaryIO

GRACE_STEP = 0.1  # seconds
GRACE_STEPS = 100  # how long a pipe may be without a writer
SILENCE = 600.0  # seconds that its writer may say nothing
_CHUNK = 1024 * 1024
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # else opening a pipe waits for its writer


def read_bytes(path: str, limit: int, *, may_wait: bool = True) -> bytes:
    """Return what the path names, at most `limit` bytes of it; a pipe only where it `may_wait`.

    Raise OSError where it can't be read, ValueError where the path can't exist.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            return file.read(limit)
        if may_wait:
            return _read_pipe(file, limit)
    raise OSError(errno.EINVAL, "it is a pipe, not a file")


def _open_at_once(path: str, flags: int) -> int:
    # Looked at first: opening some devices does something.
    mode = os.stat(path).st_mode  # noqa: PTH116 -- the same for every path that `open` takes
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is neither a file nor a pipe")
    return os.open(path, flags | _AT_ONCE)


def _read_pipe(file: BinaryIO, limit: int) -> bytes:
    descriptor = file.fileno()
    content = _first_part(descriptor)
    while len(content) < limit:
        _wait(descriptor)
        part = os.read(descriptor, min(_CHUNK, limit - len(content)))
        if not part:
            break
        content += part
    return bytes(content[:limit])


def _first_part(descriptor: int) -> bytearray:
    """Return what is there, empty as soon as a writer is or was; give none some time to come."""
    had_writer = False
    for _ in range(GRACE_STEPS):
        try:
            part = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return bytearray()
        if part or had_writer:
            return bytearray(part)
        ready, _, _ = select.select([descriptor], [], [], GRACE_STEP)
        had_writer = bool(ready)
    raise TimeoutError(errno.ETIMEDOUT, "it is a pipe, and nobody writes to it")


def _wait(descriptor: int) -> None:
    ready, _, _ = select.select([descriptor], [], [], SILENCE)
    if not ready:
        raise TimeoutError(errno.ETIMEDOUT, f"it is a pipe, and silent for {SILENCE:g} s")
