"""One request and what can come of it: an answer, or a fault on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runs_as_code.model.provider import FIRST, Attempt
from runs_as_code.provider.address import Address
from runs_as_code.provider.shape import Body

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Request:
    """A request beneath the API's path; `path` is quoted, `scope` is the project it is for.

    `is_write` decides what is repeated, not the method: a POST may only read. A write is sent once
    for each `attempt`, for who asks for it must be able to stop it between two.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    is_write: bool = False
    attempt: Attempt = FIRST
    scope: str = ""

    @property
    def label(self) -> str:
        """The endpoint as messages name it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered; headers only as far as they matter."""

    status: int
    body: Body
    reason: str = ""
    retry_after: str | None = None
    location: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- the class of statuses itself

    @property
    def is_throttled(self) -> bool:
        """Whether the server refused because of too many requests."""
        return self.status == TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class Fault:
    """No answer: `text` says why; `was_sent` is False only where the server can't have seen it.

    `is_final` means that trying again would not help.
    """

    text: str
    was_sent: bool
    is_final: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a log may know of one try: no header and no body, for those hold secrets.

    `outcome` is the status, or why there is none; `size` counts the bytes of the decoded body.
    """

    method: str
    url: str
    outcome: str
    seconds: float
    size: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.url}: {self.outcome}, {self.size} B, {self.seconds:.3f} s"


ExchangeListener = Callable[[Exchange], None]


class Sender(Protocol):
    """Sends requests to one server, paced and repeated as far as that is safe."""

    @property
    def address(self) -> Address:
        """The server."""
        ...

    @property
    def rate(self) -> int:
        """How many requests a second are sent at most, 0 for no limit."""
        ...

    async def send(self, request: Request, *, allowed: tuple[int, ...] = ()) -> Answer:
        """Return a 2xx answer, or one whose status is in `allowed`; raise for all others."""
        ...

    def sent(self, scope: str) -> int:
        """Return how many requests were sent for a project so far."""
        ...
