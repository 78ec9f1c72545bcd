"""The program with shorter pauses, for tests of processes: `hasty.py FACTOR PATIENCE BUG ARGS`.

Every `asyncio.sleep` of the program takes a FACTORth of its time, and a reply is waited for at
most PATIENCE seconds. Nothing else is changed, and the program itself has no such switch: a pause
that somebody could shorten would be a pause that nobody can rely on. BUG names a bug to plant,
`-` none.
"""

import asyncio
import sys

FACTOR, PATIENCE, BUG = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
_sleep = asyncio.sleep


async def sleep(delay: float, result: object = None) -> object:
    """Sleep for a shorter time."""
    return await _sleep(delay / FACTOR, result)


asyncio.sleep = sleep

# Defaults are bound when a module is imported, so the pauses had to be replaced before this.
from runs_as_code.cli import main  # noqa: E402 -- after the pauses
from runs_as_code.provider import client  # noqa: E402 -- after the pauses
from runs_as_code.provider.timing import Timing  # noqa: E402 -- after the pauses

client.QaSphereClient.__init__.__kwdefaults__["timing"] = Timing(
    read=PATIENCE, total=2 * PATIENCE, sleep=sleep
)

if __name__ == "__main__":
    sys.argv = ["qarun", *sys.argv[4:]]
    if BUG != "-":
        from torture.plants import plant

        plant(BUG)
    main()
