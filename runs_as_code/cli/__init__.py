"""The command line: one module a command, and what they share.

The only place that prints, reads the environment, asks and exits. It decides nothing about runs.
Importing it must stay cheap, so a command's module is imported when that command runs.
"""

import contextlib
import gc
import sys

from runs_as_code import __version__

RARE_COLLECTIONS = (50_000, 20, 50)
VERSION_LINE = f"qarun {__version__}\n"


def main() -> None:
    """Run `qarun` with the arguments of the process, and end the process."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        # Answered before click is imported, which alone takes longer than starting Python.
        with contextlib.suppress(OSError):
            sys.stdout.write(VERSION_LINE)
            sys.stdout.flush()
            return
        # The program says what is wrong with stdout.
    # A short-lived process makes many objects that stay, and few that are garbage.
    gc.set_threshold(*RARE_COLLECTIONS)
    from runs_as_code.cli.program import program  # noqa: PLC0415 -- see above

    program.main(prog_name="qarun")
