"""Say in the log of each run that was made or closed where the apply came from.

A line is sent after its change succeeded, and nothing is remembered of it: when the process dies in
between, or a signal or a freeze window comes, the line is missing for good. It never makes an apply
fail, whatever happens to it.
"""

import asyncio
from collections import Counter

from runs_as_code.engine.bugs import bug_words
from runs_as_code.engine.context import Outcome
from runs_as_code.engine.sending import Gate
from runs_as_code.errors import NotRunError, QarunError, UnreachableError
from runs_as_code.model.events import Listener, Noted
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.provider import Attempt, Provider
from runs_as_code.model.report import ActionResult, Status
from runs_as_code.report.provenance import log_comment

PATIENCE = 3
"""Lines of one kind that may be lost on the way before no more are sent."""

PARALLEL_LINES = 4
"""Lines in flight at once, beside the actions."""


class RunLog:
    """Writes the lines of one apply; without provenance it writes none.

    What is refused once is not asked again in that project, for runs made and for runs closed
    apart: a server may take lines into open runs only. The first trouble is noted, the rest is not.
    """

    def __init__(self, provenance: Provenance | None, listener: Listener) -> None:
        self._provenance = provenance
        self._listener = listener
        self._lost: Counter[tuple[str, str, type]] = Counter()
        self._is_noted = False
        self._slots = asyncio.Semaphore(PARALLEL_LINES)

    def wants(self, result: ActionResult) -> bool:
        """Whether a line is to be written: the change was done by this apply, not before it."""
        has_facts = self._provenance is not None and bool(self._provenance.facts)
        is_done = result.status is Status.DONE and result.run_id is not None
        return has_facts and is_done and self._lost[_kind(result)] < PATIENCE

    async def tell(self, provider: Provider, gate: Gate, result: ActionResult) -> None:
        """Write the line for one result, if it is still wanted and the gate lets it pass."""
        async with self._slots:
            if not self.wants(result):
                return
            try:
                problem = await self._tell(provider, gate, result)
            except UnreachableError as error:
                self._lost[_kind(result)] += 1
                problem = error.message
            except Exception as error:  # noqa: BLE001 -- a line is not worth anybody's action
                self._lost[_kind(result)] += PATIENCE
                problem = error.message if isinstance(error, QarunError) else bug_words(error)
            if problem and not self._is_noted:
                self._is_noted = True
                lost = f"where this apply comes from is not in the log of run {result.run_id}"
                self._listener(Noted(f"{lost}: {problem}"))

    async def _tell(self, provider: Provider, gate: Gate, result: ActionResult) -> str:
        """Write a line; return why it was withheld, empty when it was written."""
        if self._provenance is None or result.run_id is None:
            return ""
        run_id, comment = result.run_id, log_comment(result.action, result.owner, self._provenance)

        async def send(attempt: Attempt) -> Outcome:
            try:
                await provider.add_run_log(run_id, comment, attempt)
            except NotRunError as error:
                return Outcome.postponed(error)
            return Outcome(is_done=True)

        outcome = await gate.patiently(send)
        if outcome.pause is not None:
            raise UnreachableError(outcome.message)
        return outcome.message


def _kind(result: ActionResult) -> tuple[str, str, type]:
    return result.server, result.project, type(result.action)
