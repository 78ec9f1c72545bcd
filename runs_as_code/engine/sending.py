"""When a write may go out, and how long one that did not run waits before it is sent again."""

from collections.abc import Awaitable, Callable

from runs_as_code.engine.context import LONGEST_PAUSE, POSTPONED_TRIES, Outcome, Workplace
from runs_as_code.model.provider import Attempt
from runs_as_code.model.restraint import FreezeWindow

Send = Callable[[Attempt], Awaitable[Outcome]]


class Gate:
    """What writes of one plan pass: shut after a stop signal, and in the plan's freeze windows."""

    def __init__(self, place: Workplace, windows: tuple[FreezeWindow, ...]) -> None:
        self._place = place
        self._windows = windows

    def objection(self) -> str:
        """Say why nothing may be sent now; empty when it may."""
        return self._place.stop.objection(self._windows)

    async def patiently(self, send: Send) -> Outcome:
        """Try while it provably did not run; shut, the gate ends the pauses and the tries.

        A signal ends the pause that is under way; the beginning of a window is heeded after it.
        """
        outcome = await send(self._attempt(1))
        for number in range(2, POSTPONED_TRIES + 1):
            if outcome.pause is None or self.objection():
                break
            await self._place.pause(min(outcome.pause, LONGEST_PAUSE))
            if self.objection():
                break
            outcome = await send(self._attempt(number))
        if outcome.pause is not None and (objection := self.objection()):
            return Outcome(is_done=False, is_withheld=True, message=objection)
        return outcome

    def _attempt(self, number: int) -> Attempt:
        return Attempt(number, lambda: not self.objection())
