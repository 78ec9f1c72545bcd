"""Which Git revision the files of a round are of, as far as anybody can tell."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

_HEX = re.compile(r"[0-9a-f]{40,64}")
_PATIENCE = 5.0
_OF_PIPELINES = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BITBUCKET_COMMIT",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
    "GIT_COMMIT",
)


def find_revision(place: Path, environ: Mapping[str, str]) -> str:
    """Return the commit that a file or folder is checked out of, else what a pipeline says.

    Where there is no Git, as in a small image, a folder that bears a commit's name tells: git-sync
    makes such ones.

    Empty where there is neither Git nor a pipeline; never raises.
    """
    folder = place if place.is_dir() else place.parent
    try:
        done = subprocess.run(  # noqa: S603 -- nothing of it comes from outside but the folder
            ["git", "-C", str(folder), "rev-parse", "--verify", "HEAD"],  # noqa: S607 -- on PATH
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            env=dict(environ),
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        found = ""
    else:
        found = done.stdout.strip()
    if _HEX.fullmatch(found):
        return found
    named = reversed(Path(os.path.realpath(folder)).parts)
    told = (environ.get(name, "").strip().lower() for name in _OF_PIPELINES)
    return next((revision for revision in (*named, *told) if _HEX.fullmatch(revision)), "")
