"""Every error a user can meet, each class with its exit code.

QarunError (1)
├── UsageError (64)            wrong use of the command line
├── AccessError (4)            not authenticated or not allowed
├── RefusedError (5)           refused by a safety rule, or an approval is missing
├── StaleError (6)             the plan is stale; nothing was written
├── UnreachableError (9)       server unreachable, or out of time
│   ├── UnknownOutcomeError    a write may or may not have run
│   └── NotRunError            a write provably did not run, and may be sent after a pause
└── ServiceError (1)           the server answered, but not with what was asked for
    ├── BadResponseError       not JSON, or not the shape expected
    ├── NotFoundError          404
    ├── RejectedError          another 4xx
    └── ConflictError          the title is taken; carries the id of the run that holds it
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to a pipeline; the table of the documentation, frozen."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INVALID = 3
    ACCESS = 4
    REFUSED = 5
    STALE = 6
    PARTIAL = 7
    UNVERIFIED = 8
    UNREACHABLE = 9
    USAGE = 64
    SIGINT = 130
    SIGTERM = 143


class QarunError(Exception):
    """An error with a message for people and, where there is one, a way out.

    `message` says what is wrong, `hint` what to do; neither ever holds a secret.
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(QarunError):
    """Wrong use of the command line."""

    exit_code = ExitCode.USAGE


class AccessError(QarunError):
    """Not authenticated, or not allowed."""

    exit_code = ExitCode.ACCESS


class RefusedError(QarunError):
    """A safety rule refuses, or an approval is missing."""

    exit_code = ExitCode.REFUSED


class StaleError(QarunError):
    """What was planned no longer fits what is live; nothing was written."""

    exit_code = ExitCode.STALE


class UnreachableError(QarunError):
    """The server can't be reached, keeps failing, or takes too long."""

    exit_code = ExitCode.UNREACHABLE


class UnknownOutcomeError(UnreachableError):
    """A write was sent and no trustworthy reply came back: it may or may not have run."""


class NotRunError(UnreachableError):
    """A write provably did not run; after `pause` seconds it may be tried again."""

    def __init__(self, message: str, *, pause: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.pause = pause


class ServiceError(QarunError):
    """The server answered, but not with what was asked for."""


class BadResponseError(ServiceError):
    """The reply is not JSON, or not of the expected shape."""


class NotFoundError(ServiceError):
    """The server knows no such project, run or test case."""


class RejectedError(ServiceError):
    """The server refuses this request; sending it again would not help."""


class ConflictError(ServiceError):
    """A run with this title exists; `run_id` is the run the message names."""

    def __init__(self, message: str, *, run_id: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run_id = run_id
