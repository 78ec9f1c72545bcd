"""What an apply says while it works; text, JSON and tests listen to the same stream."""

from collections.abc import Callable
from dataclasses import dataclass

from runs_as_code.model.actions import Action
from runs_as_code.model.report import ActionResult


@dataclass(frozen=True, slots=True)
class ApplyStarted:
    """The apply of a plan begins; `total` is the number of its actions."""

    total: int


@dataclass(frozen=True, slots=True)
class ActionStarted:
    """An action is about to be sent; an address is told apart by server, project and owner."""

    server: str
    project: str
    owner: str
    action: Action


@dataclass(frozen=True, slots=True)
class ActionFinished:
    """An action ended, well or not."""

    result: ActionResult


@dataclass(frozen=True, slots=True)
class VerificationStarted:
    """All actions ended; what is live is read back."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A signal arrived: nothing new is started, what is in flight finishes."""

    remaining: int


@dataclass(frozen=True, slots=True)
class Noted:
    """Something beside the plan went wrong, and the apply goes on all the same."""

    message: str


Event = ApplyStarted | ActionStarted | ActionFinished | VerificationStarted | Interrupted | Noted
Listener = Callable[[Event], None]
