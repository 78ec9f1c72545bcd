"""Tells the system's own folders from everybody's: devices, and what a process has open."""

import os
from pathlib import Path

DEVICES = frozenset({"/dev", "/dev/fd"})
_PROCESSES = "/proc/"


def is_stream(path: str | Path) -> bool:
    """Whether a path is a pipe, a device or an open file: it lies beside nothing, and is read once.

    What is not there is none.
    """
    if is_of_the_system(path):
        return True
    is_usual = os.path.isfile(path) or os.path.isdir(path)  # noqa: PTH112, PTH113 -- never raise
    return not is_usual and os.path.exists(path)  # noqa: PTH110 -- never raises


def is_of_the_system(path: str | Path) -> bool:
    """Whether a path lies among devices or open files: nothing is made or replaced there.

    A shell hands `/dev/stdout`, `/dev/fd/63` and their like over as if they were files.
    """
    try:
        folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120 -- takes any text
    except (OSError, ValueError):
        return False  # no such path can be
    return folder in DEVICES or f"{folder}/".startswith(_PROCESSES)
