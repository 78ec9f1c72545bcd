"""Plans and applies an example on the embedded server, changes it, and converges again.

Runs the `qarun` beside the interpreter it is started with, in a temporary folder, and fails as
soon as a command ends with another exit code than the one that belongs there.
"""

import difflib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QARUN = Path(sys.executable).with_name("qarun")
EXAMPLE = Path("examples/01-quickstart")
MANIFEST = EXAMPLE / "runs.yaml"
CHANGED = EXAMPLE / "changed" / "runs.yaml"

IN_STEP = 0
CHANGES_PENDING = 2

PLAN = ("plan", "--detailed-exitcode", "-f", str(EXAMPLE))
APPLY = ("apply", "--auto-approve", "-f", str(EXAMPLE))


class UnexpectedExitError(Exception):
    """A command ended with another exit code than the demo expects."""


def run(folder: Path, arguments: tuple[str, ...], *, expected: int) -> None:
    """Show a `qarun` command, run it and check how it ends."""
    line = " ".join(("qarun", *arguments))
    print(f"\n$ {line}", flush=True)
    result = subprocess.run(  # noqa: S603 our own program, arguments from this file
        [QARUN, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if result.returncode != expected:
        raise UnexpectedExitError(f"`{line}` ended with {result.returncode}, expected {expected}")
    print(f"(exit {result.returncode})", flush=True)


def show_change(folder: Path) -> None:
    """Print how the changed manifest differs from the first one, then put it in its place."""
    print(f"\n$ diff -u {MANIFEST} {CHANGED}")
    before, after = ((folder / name).read_text("utf-8") for name in (MANIFEST, CHANGED))
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(MANIFEST), str(CHANGED), lineterm=""
    )
    print("\n".join(lines))
    print(f"\n$ cp {CHANGED} {MANIFEST}")
    shutil.copyfile(folder / CHANGED, folder / MANIFEST)


def walk_through(folder: Path) -> None:
    """Run the whole story in a folder that holds a copy of the example."""
    heading("1. Desired runs in a file, an empty project: what would happen?")
    run(folder, PLAN, expected=CHANGES_PENDING)
    heading("2. Make it so.")
    run(folder, APPLY, expected=0)
    heading("3. Nothing is left to do.")
    run(folder, PLAN, expected=IN_STEP)
    heading("4. The file changes: an assignee, a removal, a clone, a close.")
    show_change(folder)
    heading("5. What would that do?")
    run(folder, PLAN, expected=CHANGES_PENDING)
    heading("6. Make it so.")
    run(folder, APPLY, expected=0)
    heading("7. Desired and live agree again.")
    run(folder, PLAN, expected=IN_STEP)


def heading(text: str) -> None:
    """Print the title of a step."""
    print(f"\n=== {text}", flush=True)


def main() -> int:
    """Copy the example, walk through it, and return the exit code."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="qarun-demo-") as name:
        folder = Path(name)
        shutil.copytree(
            ROOT / EXAMPLE, folder / EXAMPLE, ignore=shutil.ignore_patterns(".qarun", "plan.json")
        )
        try:
            walk_through(folder)
        except UnexpectedExitError as error:
            print(f"\nscript/demo: {error}", file=sys.stderr)
            return 1
    print(f"\n=== The demo went as it should, in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
