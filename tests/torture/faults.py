"""What can go wrong on the way: each kind of fault, and seeded weather made of them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torture.wire import Call


@dataclass(frozen=True)
class Answer:
    """One reply."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)

    @property
    def is_success(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Kind(Enum):
    """A kind of fault; `before` was never carried out, `after` was."""

    REFUSED = "refused"
    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"
    TIMEOUT_BEFORE = "timeout-before"
    TIMEOUT_AFTER = "timeout-after"
    SLOW_COMMIT = "slow-commit"
    STATUS_BEFORE = "status-before"
    STATUS_AFTER = "status-after"
    BROKEN_OFF = "broken-off"
    HALF_JSON = "half-json"
    HTML = "html"
    NOTHING = "nothing"
    WRONG_SHAPE = "wrong-shape"
    STALE = "stale"
    SHRUNK = "shrunk"


NOT_CARRIED_OUT = {
    Kind.REFUSED,
    Kind.LOST_BEFORE,
    Kind.TIMEOUT_BEFORE,
    Kind.SLOW_COMMIT,
    Kind.STATUS_BEFORE,
    Kind.STALE,
}
FOR_WRITES = frozenset(Kind) - {Kind.STALE, Kind.SHRUNK}
FOR_LISTS = frozenset(Kind) - {Kind.SLOW_COMMIT}
FOR_READS = frozenset(Kind) - {Kind.SLOW_COMMIT, Kind.STALE, Kind.SHRUNK}
TOO_MANY = 429
STATUSES = (TOO_MANY, 500, 502, 503, 504, 408)


@dataclass(frozen=True)
class Fault:
    """One fault; `seconds` is the delay of a late commit or the lag of a stale list."""

    kind: Kind
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0.8

    @property
    def is_carried_out(self) -> bool:
        """Whether the server does what it was asked all the same, and at once."""
        return self.kind not in NOT_CARRIED_OUT

    @property
    def is_broken_off(self) -> bool:
        """Whether the answer ends in its middle."""
        return self.kind is Kind.BROKEN_OFF


def spoil(fault: Fault, answer: Answer | None) -> Answer | None:
    """Return what arrives of an answer; None when nothing does."""
    if fault.kind in {Kind.STATUS_BEFORE, Kind.STATUS_AFTER}:
        headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)
        if fault.retry_after is not None:
            headers += ((b"retry-after", fault.retry_after.encode()),)
        return Answer(fault.status, b'{"message": "injected fault"}', headers)
    if answer is None:
        return None
    if fault.kind is Kind.BROKEN_OFF:
        return answer
    if fault.kind is Kind.SHRUNK:
        return _shrunk(answer)
    bodies = {
        Kind.HALF_JSON: answer.body[: max(1, len(answer.body) // 2)],
        Kind.HTML: b"<!DOCTYPE html><title>Just a moment</title>",
        Kind.NOTHING: b"",
        Kind.WRONG_SHAPE: b'[{"id": "seven"}]',
    }
    body = bodies.get(fault.kind)
    return None if body is None else replace(answer, body=body)


def _shrunk(answer: Answer) -> Answer:
    """Drop the newest run from a list and leave its counters as they are."""
    data = answer.json
    if not isinstance(data, dict) or not data.get("runs"):
        return answer
    newest = max(data["runs"], key=lambda run: run["id"])
    data["runs"].remove(newest)
    return replace(answer, body=json.dumps(data).encode())


def dice(seed: object) -> random.Random:
    """Return a source of chances that a seed repeats."""
    return random.Random(str(seed))  # noqa: S311 -- repeatable on purpose, guards nothing


@dataclass
class Weather:
    """Faults at random: the same seed and the same calls meet the same faults.

    `who` limits it to some callers. A 429 is never carried out: it says just that.
    """

    seed: int
    probability: float = 0.2
    kinds: Sequence[Kind] = tuple(Kind)
    most: int = 40
    statuses: Sequence[int] = STATUSES
    retry_after: Sequence[str | None] = (None, "0", "1", "3", "soon")
    scale: float = 1.0
    who: frozenset[str] | None = None
    is_on_socket: bool = False
    hits: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = dice(self.seed)

    async def before(self, call: "Call") -> Fault | None:
        """Hit a call or spare it."""
        if self.who is not None and call.who not in self.who:
            return None
        if self.hits >= self.most or self._random.random() >= self.probability:
            return None
        self.hits += 1
        return self._fault(call)

    async def after(self, call: "Call", answer: Answer) -> None:
        """Do nothing more."""

    def _fault(self, call: "Call") -> Fault:
        fitting = FOR_WRITES if call.is_write else FOR_LISTS if call.is_list else FOR_READS
        if self.is_on_socket:
            fitting = fitting - {Kind.REFUSED}
        kinds = [kind for kind in self.kinds if kind in fitting] or [Kind.STATUS_BEFORE]
        kind = self._random.choice(kinds)
        carried_out = [status for status in self.statuses if status != TOO_MANY] or [503]
        statuses = self.statuses if kind is Kind.STATUS_BEFORE else carried_out
        return Fault(
            kind=kind,
            status=self._random.choice(statuses),
            retry_after=self._random.choice(self.retry_after),
            seconds=self._random.choice((0.05, 0.5, 0.9, 2.5)) / self.scale,
        )


@dataclass
class Planned:
    """One fault at one call of a caller, counted among its writes or among all its calls."""

    fault: Fault
    number: int
    times: int = 1
    is_of_writes: bool = True
    seen: int = 0

    async def before(self, call: "Call") -> Fault | None:
        """Hit the calls it was made for."""
        if self.is_of_writes and not call.is_write:
            return None
        self.seen += 1
        return self.fault if self.number <= self.seen < self.number + self.times else None

    async def after(self, call: "Call", answer: Answer) -> None:
        """Do nothing more."""
