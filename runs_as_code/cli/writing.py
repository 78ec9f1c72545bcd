"""Write a file whole or not at all, or add to one that others write to."""

import contextlib
import os
import tempfile
from pathlib import Path

from runs_as_code.errors import QarunError, UsageError

_MODE = 0o666  # cut down by the umask, as for any file


def check_target(path: Path) -> None:
    """Raise UsageError for a path that no file can be written to, before anything else is done."""
    if path.is_dir():
        raise UsageError(f"`{path}` is a folder", hint="name a file, like `plan.json`")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder `{path.parent}`", hint="make it first")


def write_file(path: Path, text: str) -> None:
    """Write a text in UTF-8; a file is replaced in one step, a device or pipe written to.

    Raises QarunError when it can't be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")
        else:
            _replace(path, text.encode())
    except OSError as error:
        raise QarunError(f"`{path}` can't be written: {error.strerror or error}") from None


def append_file(path: Path, text: str) -> None:
    """Add a text to a file that others write to as well; raise QarunError when it can't be."""
    try:
        with path.open("ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise QarunError(f"`{path}` can't be written: {error.strerror or error}") from None


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
