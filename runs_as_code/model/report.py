"""What an apply did: one result per action, what verification found, and the exit code."""

from dataclasses import dataclass
from enum import StrEnum

from runs_as_code.errors import ExitCode
from runs_as_code.model.actions import Action


class Status(StrEnum):
    """How an action ended.

    `already-done`: its effect was there before. `stale`: a precondition no longer held. `skipped`:
    it depends on an action that did not succeed, or the apply was interrupted. `unknown`: it may or
    may not have run, `message` says what to look at. `unverified`: it was done, but what is live is
    not what was sent.
    """

    DONE = "done"
    ALREADY_DONE = "already-done"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"
    UNKNOWN = "unknown"
    UNVERIFIED = "unverified"


SUCCEEDED = frozenset({Status.DONE, Status.ALREADY_DONE})
FELL_SHORT = frozenset({Status.FAILED, Status.STALE, Status.UNKNOWN})
"""What makes an apply partial; a skipped action only follows from what happened to another."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The end of one action: `run_id` and `url` are of the run made or closed, where known."""

    server: str
    project: str
    owner: str
    action: Action
    status: Status
    message: str = ""
    run_id: int | None = None
    url: str = ""
    exit_code: ExitCode = ExitCode.DONE


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that verification after the apply found: an action still wanted, a run not seen."""

    server: str
    project: str
    owner: str
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an apply ended without a report: refused, stale, invalid, not reached, cut off."""

    message: str
    hint: str
    exit_code: ExitCode
    is_withheld: bool = False


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """Everything an apply has to say; `interrupted_by` is a signal's exit code.

    `changed_by_others` is what changed meanwhile without being ours to judge; `calls` counts the
    requests that were sent.
    """

    results: tuple[ActionResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    changed_by_others: tuple[Finding, ...] = ()
    is_withheld: bool = False
    is_read_back: bool = False
    interrupted_by: ExitCode | None = None
    calls: int = 0

    @property
    def is_verified(self) -> bool:
        """Whether reading back showed everything as it was planned."""
        is_done = all(result.status in SUCCEEDED for result in self.results)
        return self.is_read_back and is_done and not self.findings

    @property
    def exit_code(self) -> ExitCode:
        """The worst that happened, in the order a pipeline cares for."""
        if self.interrupted_by is not None:
            return self.interrupted_by
        if any(result.status in FELL_SHORT for result in self.results):
            return self._shortfall()
        if self.findings or any(r.status is Status.UNVERIFIED for r in self.results):
            return ExitCode.UNVERIFIED
        return ExitCode.REFUSED if self.is_withheld else ExitCode.DONE

    def _shortfall(self) -> ExitCode:
        """Applied in part, or, where nothing was done at all, the one reason all share."""
        if any(result.status in {*SUCCEEDED, Status.UNVERIFIED} for result in self.results):
            return ExitCode.PARTIAL
        codes = {r.exit_code for r in self.results if r.status in FELL_SHORT}
        return codes.pop() if len(codes) == 1 else ExitCode.PARTIAL
