"""What people do while an apply works, at random: each deed may close, copy or spoil a run."""

import random
from collections.abc import Awaitable, Callable, Collection

from torture.estate import OWNER
from torture.ground import Ground, PeopleError

AIMED = 0.7
TITLES = ("Quite new", "Menu, second title", "Steady once more", "Something else")


class Deeds:
    """One person, whose next deed is chosen by a seed.

    Most deeds meet an open run of the keys of `aims`, or the run that was made last.
    """

    def __init__(self, ground: Ground, chance: random.Random, aims: Collection[str] = ()) -> None:
        self._ground = ground
        self._chance = chance
        self._aims = aims
        self.done: list[str] = []

    async def next(self) -> None:
        """Do something; the server may refuse it."""
        await self._do(self._chance.choice(sorted(self._deeds)), self._some_run())

    async def next_to_victim(self) -> None:
        """Do to a run of the aims what must keep it open, or closes it."""
        names = ("record", "wipe", "damage", "copy marker", "close")
        await self._do(self._chance.choice(names), self._victim())

    async def record_in_victim(self) -> None:
        """Record a result in a run of the aims."""
        await self._do("record", self._victim())

    async def spoil_marker_of_victim(self) -> None:
        """Wipe, damage or exchange the marker of a run of the aims."""
        await self._do(self._chance.choice(("wipe", "damage", "copy marker")), self._victim())

    async def next_to_successor(self) -> None:
        """Spoil a run that is to take another one's place, if there is any yet."""
        runs = self._ground.open_runs(OWNER)
        pairs = [runs[key] for key in sorted(runs) if len(runs[key]) > 1]
        if pairs:
            name = self._chance.choice(("close", "close", "wipe", "move"))
            await self._do(name, self._chance.choice(pairs)[-1])
        else:
            await self.next()

    async def _do(self, name: str, run_id: int) -> None:
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
            "damage": lambda run_id: self._write(
                run_id, self._text(run_id).replace(" r", " r?", 1)
            ),
            "write more": lambda run_id: self._write(run_id, f"{self._text(run_id)} And more."),
            "copy marker": lambda run_id: self._write(run_id, self._text(self._some_run())),
            "move": lambda run_id: self._edit(run_id, milestone_id=self._chance.choice((5, 6))),
            "reassign": lambda run_id: self._edit(run_id, assignment_id=4),
            "rename": lambda run_id: self._rename(run_id, f"Renamed {self._chance.random()}"),
        }

    def _victim(self) -> int:
        runs = self._ground.open_runs(OWNER)
        victims = [runs[key][0] for key in sorted(self._aims) if key in runs]
        return self._chance.choice(victims) if victims else self._some_run()

    def _some_run(self) -> int:
        runs = self._ground.truth()
        aimed = [i for i, run in runs.items() if run.seen.key in self._aims and run.seen.is_open]
        if aimed and self._chance.random() < AIMED:
            return self._chance.choice([*aimed, *aimed, max(runs)])
        ours = [i for i, run in runs.items() if run.seen.owner == OWNER and run.seen.is_open]
        return self._chance.choice(ours * 3 + sorted(runs))

    def _text(self, run_id: int) -> str:
        return self._ground.truth()[run_id].description

    async def _write(self, run_id: int, description: str) -> None:
        self._ground.people.edit(run_id, description=description)

    async def _edit(self, run_id: int, **values: int) -> None:
        self._ground.people.edit(run_id, **values)

    async def _rename(self, run_id: int, title: str) -> None:
        self._ground.people.edit(run_id, title=title)
