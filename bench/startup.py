"""Start-up time of `qarun` against bare Python in the same environment.

`python bench/startup.py [--rounds N]`
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from measure import HERE, environment, in_turns, milliseconds, ratio, run, table

BARE = "python -c pass"
EXAMPLE = str(HERE.parent / "examples" / "01-quickstart")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    python = sys.executable
    qarun = str(Path(python).with_name("qarun"))
    commands = {
        BARE: [python, "-c", "pass"],
        "qarun --version": [qarun, "--version"],
        "python -m runs_as_code --version": [python, "-m", "runs_as_code", "--version"],
        "qarun --help": [qarun, "--help"],
        "qarun plan --help": [qarun, "plan", "--help"],
        "qarun validate -f 01-quickstart": [qarun, "validate", "-f", EXAMPLE],
    }
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(Path(folder))
        sides = {name: partial(run, command, environ) for name, command in commands.items()}
        in_turns(sides, 1)  # compiles what was never imported before
        times = in_turns(sides, rounds)
    bare = times[BARE]
    rows = [
        [
            name,
            milliseconds(side.wall),
            f"{ratio(side.wall, bare.wall):.2f}",
            milliseconds(side.cpu),
            f"{ratio(side.cpu, bare.cpu):.2f}",
        ]
        for name, side in times.items()
    ]
    print(table(["command", "ms", "x bare", "CPU ms", "x bare"], rows))


if __name__ == "__main__":
    main()
