"""What people do while an apply works, at random: each deed may close, copy or spoil a run."""

import random
from collections.abc import Awaitable, Callable

from torture.estate import OWNER
from torture.ground import Ground, PeopleError

TITLES = ("Quite new", "Menu, second title", "Steady once more", "Something else")


class Deeds:
    """One person, whose next deed is chosen by a seed."""

    def __init__(self, ground: Ground, chance: random.Random) -> None:
        self._ground = ground
        self._chance = chance
        self.done: list[str] = []

    async def next(self) -> None:
        """Do something; the server may refuse it."""
        name = self._chance.choice(sorted(self._deeds))
        run_id = self._some_run()
        self.done.append(f"{name} {run_id}")
        try:
            await self._deeds[name](run_id)
        except PeopleError:
            self.done[-1] += " (refused)"

    @property
    def _deeds(self) -> dict[str, Callable[[int], Awaitable[object]]]:
        people = self._ground.people
        return {
            "close": people.close,
            "record": lambda run_id: people.record(run_id, self._chance.choice((1, 2, 100))),
            "clone": lambda run_id: people.clone(run_id, f"Copy {self._chance.random()}"),
            "create": lambda _: people.create(self._chance.choice(TITLES)),
            "wipe": lambda run_id: self._write(run_id, "Written anew"),
            "damage": lambda run_id: self._write(run_id, self._text(run_id).replace(" s", " ")),
            "write more": lambda run_id: self._write(run_id, f"{self._text(run_id)} And more."),
            "copy marker": lambda run_id: self._write(run_id, self._text(self._some_run())),
            "rename": lambda run_id: self._rename(run_id, f"Renamed {self._chance.random()}"),
        }

    def _some_run(self) -> int:
        runs = self._ground.truth()
        ours = [i for i, run in runs.items() if run.seen.owner == OWNER and run.seen.is_open]
        return self._chance.choice(ours * 3 + sorted(runs))

    def _text(self, run_id: int) -> str:
        return self._ground.truth()[run_id].description

    async def _write(self, run_id: int, description: str) -> None:
        self._ground.people.edit(run_id, description=description)

    async def _rename(self, run_id: int, title: str) -> None:
        self._ground.people.edit(run_id, title=title)
