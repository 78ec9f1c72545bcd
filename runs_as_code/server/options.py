"""What one embedded server does differently from another: its options, as one frozen value."""

from dataclasses import dataclass
from typing import Literal

from runs_as_code.server.web.faults import Fault

TitleScope = Literal["project", "milestone", "none"]
TextMangling = Literal["none", "trim", "escape"]
Board = Literal["off", "local", "open"]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Hold the options of one server.

    `title_scope`: where run titles must be unique; `mangle_text`: what happens to run titles and
    descriptions when they are stored; `rate`: requests a second per key, 0 is off; `latency`:
    seconds before each answer; `require_key`: whether a request without a valid key is refused
    (else it acts as the owner); `seed`: what a missing database is created with, `demo` or
    `empty`; `has_user_ids`: whether `GET /users` shows ids; `has_audit_logs`: whether the
    tenant has the feature that the audit log belongs to, else 402; `faults`: what goes wrong
    on purpose, `fault_seed` repeats the same chances; `board`: who may read the board, nobody,
    this machine or whoever reaches the port.
    """

    title_scope: TitleScope = "project"
    mangle_text: TextMangling = "none"
    ignore_assignee: bool = False
    rate: int = 0
    latency: float = 0.0
    require_key: bool = False
    seed: str = "demo"
    has_user_ids: bool = True
    has_audit_logs: bool = True
    faults: tuple[Fault, ...] = ()
    fault_seed: int = 0
    board: Board = "off"
