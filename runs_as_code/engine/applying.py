"""Apply a plan: check the closes, carry out every project, read back, report."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from runs_as_code.engine.bugs import bug_words
from runs_as_code.engine.context import Clock, StopSignal, Workplace
from runs_as_code.engine.executor import ProjectExecutor, check_closes
from runs_as_code.engine.planning import Session
from runs_as_code.engine.runlog import RunLog
from runs_as_code.engine.verification import Proof, verify_project
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.events import ApplyStarted, Event, Listener, Noted, VerificationStarted
from runs_as_code.model.plan import Approvals, Plan, ProjectPlan
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.provider import Provider
from runs_as_code.model.report import ActionResult, ApplyReport, Status

Result = TypeVar("Result")


def _ignore(_event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class ApplySettings:
    """How to apply: who listens, who may stop it, and whether to read back afterwards.

    With `provenance` each run that is made or closed gets a line in its log.
    """

    listener: Listener = _ignore
    stop: StopSignal = field(default_factory=StopSignal)
    clock: Clock = field(default_factory=Clock)
    is_verified: bool = True
    approvals: Approvals = field(default_factory=Approvals)
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One project's share of an apply.

    `plans` are its owners' plans. `session` is None when the plan was read from a file; then `done`
    is what an earlier apply of it did, and `made` which runs it made that are still to be proved,
    by owner and key.
    """

    provider: Provider
    plans: tuple[ProjectPlan, ...]
    session: Session | None = None
    done: tuple[ActionResult, ...] = ()
    made: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def made_of(self, owner: str) -> dict[str, int]:
        """Return the runs of an owner that were made before, by key."""
        before = {key: run_id for (name, key), run_id in self.made.items() if name == owner}
        for result in self.done:
            if result.owner == owner and isinstance(result.action, MakeRun) and result.run_id:
                before[result.action.key] = result.run_id
        return before


def jobs_of(plan: Plan, sessions: Sequence[Session]) -> list[Job]:
    """Pair the plans with the sessions they were made in."""
    return [
        Job(
            provider=session.provider,
            plans=tuple(
                p
                for p in plan.projects
                if (p.server, p.project) == (session.given.server, session.given.project)
            ),
            session=session,
        )
        for session in sessions
    ]


async def apply_jobs(plan: Plan, jobs: Sequence[Job], settings: ApplySettings) -> ApplyReport:
    """Carry out what the plan does not withhold.

    Raises StaleError, and the errors of a provider, before the first write. From then on there is
    a report, whatever happens: an error that nobody foresaw ends no more than its own action.
    """
    listener = _sparing(settings.listener)
    log = RunLog(settings.provenance, listener)
    places = [Workplace(job.provider, settings.clock, settings.stop) for job in jobs]
    calls_before = _calls(jobs)
    pairs = list(zip(jobs, places, strict=True))
    await _check(pairs, settings.stop)
    executors = [
        [
            ProjectExecutor(place, plan, listener, log, job.made_of(plan.owner))
            for plan in job.plans
            if plan.actions
        ]
        for job, place in pairs
    ]
    for of_job in executors:
        for executor in of_job:
            executor.introduce(of_job)
    listener(ApplyStarted(sum(len(p.actions) for job in jobs for p in job.plans)))
    done = await _all(_carry_out(of_job) for of_job in executors)
    is_withheld = plan.is_withheld or settings.stop.is_frozen
    report = ApplyReport(is_withheld=is_withheld, interrupted_by=settings.stop.requested)
    results = [(*job.done, *found) for job, found in zip(jobs, done, strict=True)]
    if settings.is_verified and _is_worth_a_look(results, settings.stop):
        listener(VerificationStarted())
        proofs = await _all(
            verify_project(place, found, job.session, settings.approvals)
            for (job, place), found in zip(pairs, results, strict=True)
            if found
        )
        report = _with_proofs(report, proofs)
    else:
        report = replace(report, results=tuple(r for found in results for r in found))
    # A signal may have come while it was read back.
    return replace(
        report, interrupted_by=settings.stop.requested, calls=_calls(jobs) - calls_before
    )


def _sparing(listener: Listener) -> Listener:
    """Return a listener that never raises: who only shows an apply must not end it half-way."""
    is_told = False

    def hear(event: Event) -> None:
        nonlocal is_told
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 -- see above
            if not is_told:
                is_told = True
                with suppress(Exception):
                    listener(Noted(f"something could not be shown: {bug_words(error)}"))

    return hear


async def _check(pairs: Iterable[tuple[Job, Workplace]], stop: StopSignal) -> None:
    """Check every close; after a signal there is nothing to check, for nothing is sent."""
    with suppress(TimeoutError):
        async with stop.limited(0.0):
            for job, place in pairs:
                for project in job.plans:
                    await check_closes(place, project, job.made_of(project.owner))


async def _all(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do all at once and wait for all, whatever becomes of one: nothing goes on unseen."""
    ended = await asyncio.gather(*work, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return cast("list[Result]", ended)


async def _carry_out(executors: Iterable[ProjectExecutor]) -> list[ActionResult]:
    """Carry out the owners' plans of one project side by side."""
    return [r for results in await _all(e.run() for e in executors) for r in results]


def _is_worth_a_look(results: Iterable[Sequence[ActionResult]], stop: StopSignal) -> bool:
    """Whether anything was done, or at least tried, that reading back could show."""
    statuses = {result.status for found in results for result in found}
    is_idle = stop.requested is not None and statuses <= {Status.SKIPPED}
    return bool(statuses) and not is_idle


def _with_proofs(report: ApplyReport, proofs: Sequence[Proof]) -> ApplyReport:
    return replace(
        report,
        results=tuple(r for proof in proofs for r in proof.results),
        findings=tuple(f for proof in proofs for f in proof.findings),
        changed_by_others=tuple(f for proof in proofs for f in proof.changed_by_others),
        is_read_back=all(proof.is_read for proof in proofs),
    )


def _calls(jobs: Sequence[Job]) -> int:
    return sum(job.provider.calls for job in jobs)
