"""Tells the system's own folders from everybody's: devices, and what a process has open."""

import os
from pathlib import Path

DEVICES = frozenset({"/dev", "/dev/fd"})
_PROCESSES = "/proc/"


def is_of_the_system(path: str | Path) -> bool:
    """Whether a path lies among devices or open files: nothing is made or replaced there.

    A shell hands `/dev/stdout`, `/dev/fd/63` and their like over as if they were files.
    """
    try:
        folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120 -- takes any text
    except (OSError, ValueError):
        return False  # no such path can be
    return folder in DEVICES or f"{folder}/".startswith(_PROCESSES)
