"""What is said of an error that nobody foresaw, where it must not end anything else."""

import traceback
from pathlib import PurePath

_PACKAGE = "runs_as_code"


def bug_words(error: Exception) -> str:
    """Name an error of the program itself and where it came up.

    Its own text is left out: nobody knows what it holds, and the key must be in no report.
    """
    return f"internal error: {type(error).__name__}{_place(error)}"


def _place(error: Exception) -> str:
    """Return the innermost line of this package that the error went through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = PurePath(frame.filename).parts
        if _PACKAGE in parts:
            path = "/".join(parts[len(parts) - parts[::-1].index(_PACKAGE) :])
            return f" ({path}:{frame.lineno})"
    return ""
