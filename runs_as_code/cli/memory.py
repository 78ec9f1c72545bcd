"""`--memory FILE`: how it stood after the last round, so that news is told once over restarts.

Nothing that decides about runs is in it. A file that is lost or broken costs a repeated word.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runs_as_code.cli.writing import check_apart, check_target, write_file
from runs_as_code.errors import QarunError, UsageError
from runs_as_code.manifest.opening import read_bytes
from runs_as_code.model.reconciling import Condition, Level, Log, LogEvent, Scope, Standing

KIND = "qarun.memory"
MAX_BYTES = 1024 * 1024
_MOST_FAILURES = 1_000_000


class Memory:
    """A file of standings; without a path it remembers nothing."""

    def __init__(self, path: Path | None, log: Log) -> None:
        self._path = path
        self._log = log
        self._last: dict[Scope, Standing] = {}

    def check(self, others: Iterable[str | Path]) -> None:
        """Raise UsageError for a path that can't be written to, or that is another file's."""
        if self._path is None:
            return
        check_target(self._path)
        check_apart([self._path], others)
        if _is_of_others(self._path):
            raise UsageError(
                f"`{self._path}` is there and is no memory of `qarun`",
                hint="name another file, or delete this one",
            )

    def recall(self) -> dict[Scope, Standing]:
        """Return the standings of the file, none where there is none or it is broken."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            content = read_bytes(str(self._path), MAX_BYTES + 1)
            found = _read(content)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"the memory `{self._path}` is of no use and is begun anew"
            facts = {"reason": type(error).__name__}
            self._log(LogEvent(Level.WARNING, "memory.lost", message, facts))
            return {}
        self._last = dict(found)
        return found

    def keep(self, standings: Mapping[Scope, Standing]) -> None:
        """Write the standings if they changed; trouble with that never stops a loop."""
        if self._path is None or standings == self._last:
            return
        try:
            write_file(self._path, _text(standings))
        except QarunError as error:
            self._log(LogEvent(Level.ERROR, "memory.failed", error.message, {"hint": error.hint}))
        else:
            self._last = dict(standings)


def _is_of_others(path: Path) -> bool:
    """Whether a file holds text of something else; a memory that is cut off or empty does not."""
    try:
        content = read_bytes(str(path), MAX_BYTES)
    except (OSError, ValueError):
        return False
    start = content.strip(b"\0 \r\n\t")[:1]
    if start not in {b"{", b"["}:
        return bool(start)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return bool(data) and not (isinstance(data, dict) and data.get("kind") == KIND)


def _text(standings: Mapping[Scope, Standing]) -> str:
    scopes = [
        {
            "server": scope.server,
            "project": scope.project,
            "owner": scope.owner,
            "condition": standing.condition,
            "told": standing.told,
            "failures": standing.failures,
            "lastRound": standing.last_round,
            "lastSuccess": standing.last_success,
        }
        for scope, standing in sorted(standings.items())
    ]
    return json.dumps({"formatVersion": "1.0", "kind": KIND, "scopes": scopes}, indent=2) + "\n"


def _read(content: bytes) -> dict[Scope, Standing]:
    """Return what a file holds; raise ValueError, KeyError or TypeError for anything else."""
    data = json.loads(content)
    if len(content) > MAX_BYTES or data["kind"] != KIND or data["formatVersion"] != "1.0":
        raise ValueError(KIND)
    return {
        Scope(*(_string(each[name]) for name in ("server", "project", "owner"))): Standing(
            condition=_condition(each["condition"]),
            told=_condition(each["told"]),
            failures=int(_number(each["failures"], _MOST_FAILURES)),
            last_round=_number(each["lastRound"], math.inf),
            last_success=_number(each["lastSuccess"], math.inf),
        )
        for each in data["scopes"]
    }


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _condition(value: Any) -> Condition | None:
    return None if value is None else Condition(_string(value))


def _number(value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not 0 <= value <= most or not math.isfinite(value):
        raise ValueError(value)
    return float(value)
