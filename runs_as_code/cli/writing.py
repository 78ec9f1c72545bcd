"""Write a file whole or not at all, or add to one that others write to."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from runs_as_code.engine.places import is_of_the_system, is_stream
from runs_as_code.errors import QarunError, UsageError

_MODE = 0o666  # cut down by the umask, as for any file
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # else opening a pipe waits for its reader

_MANIFESTS = (".yaml", ".yml")
_OPEN_FILES = ("/proc/self/fd", "/dev/fd")
_MOST_LINKS = 8


def check_target(path: Path) -> None:
    """Raise UsageError for a path that no file can be written to, before anything else is done."""
    # Unlike those of `Path`, these never raise.
    if os.path.isdir(path):  # noqa: PTH112 -- see above
        raise UsageError(f"`{path}` is a folder", hint="name a file, like `plan.json`")
    if not os.path.isdir(path.parent):  # noqa: PTH112 -- see above
        raise UsageError(f"there is no folder `{path.parent}`", hint="make it first")


def check_apart(targets: Iterable[Path], read: Iterable[str | Path]) -> None:
    """Raise UsageError for a file to be written that is read, or would be with its folder."""
    sources = {os.path.realpath(path) for path in read}
    for target in targets:
        path = os.path.realpath(target)
        is_beside = os.path.dirname(path) in sources and path.endswith(_MANIFESTS)  # noqa: PTH120 -- never raises
        if (path in sources and not is_terminal(path)) or is_beside:
            raise UsageError(
                f"`{target}` is where this call reads from, and would be lost",
                hint="name another file",
            )


def is_terminal(path: str) -> bool:
    """Whether a path is a device like a terminal, which can be read and written side by side."""
    try:
        return Path(path).is_char_device()
    except OSError:
        return False


def write_file(path: Path, text: str) -> None:
    """Write a text in UTF-8; a file or link is replaced in one step, a device or pipe written to.

    What lies among the devices or open files is never replaced, whatever it leads to.

    Raises QarunError when it can't be written.
    """
    try:
        if _takes_a_stream(path):
            _write_through(path, text.encode())
        else:
            _replace(path, text.encode())
    except OSError as error:
        nobody = "nobody reads from this pipe" if error.errno == errno.ENXIO else ""
        reason = nobody or error.strerror or str(error)
        raise QarunError(f"`{path}` can't be written: {reason}") from None


def append_file(path: Path, text: str) -> None:
    """Add a text to a file that others write to as well; raise QarunError when it can't be."""
    try:
        with path.open("ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise QarunError(f"`{path}` can't be written: {error.strerror or error}") from None


def _takes_a_stream(path: Path) -> bool:
    """Whether the path is written to and never replaced: a pipe, a device, what the system has."""
    if is_of_the_system(path):
        return True  # even where it leads to a file: `/dev/stdout` is everybody's
    return is_stream(path) and not path.is_symlink()


def _write_through(path: Path, content: bytes) -> None:
    own = _own_descriptor(str(path)) if is_of_the_system(path) else None
    if own is not None:
        # Opened anew, a file would be written over from its start, also by what comes to stdout.
        with os.fdopen(os.dup(own), "wb") as stream:
            stream.write(content)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | _AT_ONCE)
    with os.fdopen(descriptor, "wb") as stream:
        if _AT_ONCE:
            os.set_blocking(descriptor, True)
        stream.write(content)


def _own_descriptor(path: str) -> int | None:
    """Return the number of the open file of this process that a path of the system stands for."""
    open_files = {os.path.realpath(folder) for folder in _OPEN_FILES}
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        if not os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114 -- a text
            return None
        if os.path.realpath(folder) in open_files:
            return int(name) if name.isdecimal() else None
        if not os.path.islink(path):  # noqa: PTH114 -- a text
            return None
        path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118 -- a text
    return None


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".new", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(_MODE & ~_umask())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _umask() -> int:
    # There is no way to read it but to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
