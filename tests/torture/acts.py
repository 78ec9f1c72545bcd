"""Something that happens at a certain call: a fault, or a person who does something just then."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from torture.faults import Answer, Fault
from torture.wire import Call

Deed = Callable[[], Awaitable[object]]


@dataclass
class At:
    """Acts at the calls that match, from the `number`th on, `times` times (0: always).

    `path` is a pattern of method and path, e.g. `POST .*/run/clone`. A deed is done before the
    call is carried out, or right after it.
    """

    path: str
    fault: Fault | None = None
    deed: Deed | None = None
    number: int = 1
    times: int = 1
    is_after: bool = False
    body: str = ""
    who: str = ""
    seen: int = 0
    done: int = 0

    async def before(self, call: Call) -> Fault | None:
        """Do it before the call is carried out, and say what becomes of it."""
        if self.is_after or not self._is_time(call):
            return None
        if self.deed is not None:
            await self.deed()
        return self.fault

    async def after(self, call: Call, _answer: Answer) -> None:
        """Do it after the call was carried out."""
        if self.is_after and self.deed is not None and self._is_time(call):
            await self.deed()

    def _is_time(self, call: Call) -> bool:
        named = f"{call.method} {call.path}?{call.query}"
        is_other = bool(self.who) and call.who != self.who
        if is_other or not re.match(self.path, named) or self.body.encode() not in call.body:
            return False
        self.seen += 1
        if self.seen < self.number or (self.times and self.done >= self.times):
            return False
        self.done += 1
        return True


@dataclass
class Watch:
    """Notes the writes that come after a moment of the loop's clock."""

    moment: float
    late: list[Call] = field(default_factory=list)

    async def before(self, call: Call) -> None:
        """Note it."""
        if call.is_write and call.at > self.moment:
            self.late.append(call)

    async def after(self, call: Call, answer: Answer) -> None:
        """Do nothing more."""


MAKES = r"POST .*/run(/clone)?\?"
CREATES = r"POST .*/run\?"
CLONES = r"POST .*/run/clone\?"
CLOSES = r"POST .*/close\?"
LISTS = r"GET .*/run\?"
OPEN_LISTS = r"GET .*/run\?closed=false"
WHOLE_LISTS = r"GET .*/run\?$"
MEMBERS = r"GET .*/run/\d+/tcase\?"
