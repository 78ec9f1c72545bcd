"""Write a file whole or not at all, or add to one that others write to."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from runs_as_code.errors import QarunError, UsageError

_MODE = 0o666  # cut down by the umask, as for any file
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # else opening a pipe waits for its reader

_MANIFESTS = (".yaml", ".yml")


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
    """Whether the path is a device or pipe; a link to one only where the system itself made it."""
    if not path.exists() or path.is_file():
        return False
    return not path.is_symlink() or Path("/dev") in path.absolute().parents


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | _AT_ONCE)
    with os.fdopen(descriptor, "wb") as stream:
        if _AT_ONCE:
            os.set_blocking(descriptor, True)
        stream.write(content)


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
