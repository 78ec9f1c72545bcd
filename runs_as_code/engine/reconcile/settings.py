"""What a reconcile loop works with: files, servers, the time, and who hears how it stands."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from runs_as_code.engine.context import Clock
from runs_as_code.model.desired import Manifest, ManifestSet
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.provider import Provider
from runs_as_code.model.reconciling import Log, Observation, Scope, Standing, Transition
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.standing import FAILURES_TO_TELL

FILES = Scope("", "", "")
"""The scope of what is wrong with files before it can be told whose they are."""


class Servers(Protocol):
    """The open connections of a round."""

    @property
    def throttled_seconds(self) -> float:
        """How long the servers made us wait because of too many requests."""
        ...

    def server_of(self, manifest: Manifest) -> str:
        """Return the server of a manifest; may raise AccessError."""
        ...

    def open(self, server: str, project: str) -> Provider:
        """Return the live side of a project."""
        ...


class Audience(Protocol):
    """Who hears how it stands: metrics and notifications."""

    def observed(self, seen: Observation, standing: Standing) -> None:
        """Take in what a round showed of a scope."""
        ...

    def told(self, transition: Transition) -> None:
        """Take in what people should know."""
        ...

    def gone(self, scope: Scope) -> None:
        """Forget a scope that no file declares any more."""
        ...

    def throttled(self, seconds: float) -> None:
        """Take in how long the servers of a round made us wait."""
        ...


@dataclass(frozen=True, slots=True)
class ReconcileSettings:
    """Where files, servers and the time come from, and where words go.

    `load` reads the manifests and never raises for what they hold, `connect` opens the servers of a
    round, `now` gives seconds since 1970, `revision` the Git revision or nothing. `longest_rest` is
    the most rounds that a failing project is left alone.
    """

    load: Callable[[], ManifestSet]
    connect: Callable[[ManifestSet], AbstractAsyncContextManager[Servers]]
    log: Log
    now: Callable[[], float]
    audience: Audience
    revision: Callable[[], str] = lambda: ""
    policy: Policy | None = None
    provenance: Provenance | None = None
    clock: Clock = field(default_factory=Clock)
    longest_rest: int = 0
    failures_to_tell: int = FAILURES_TO_TELL
