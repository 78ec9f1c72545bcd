"""A round of a reconcile loop: files read anew, each project on its own, none stopped by another.

Nothing that decides about runs is kept between rounds. What is kept is how it stands: failures in a
row, how long a failing project rests, which file held which projects when it was last good.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runs_as_code.engine.context import StopSignal
from runs_as_code.engine.planning import (
    Session,
    is_another,
    read_session,
    same_project_error,
    same_projects,
)
from runs_as_code.engine.reconcile.project import (
    Workshop,
    failed,
    reconcile_project,
    scopes_of,
)
from runs_as_code.engine.reconcile.saying import report
from runs_as_code.engine.reconcile.settings import FILES, ReconcileSettings, Servers
from runs_as_code.errors import ExitCode, QarunError, StaleError
from runs_as_code.model.desired import LeftOut, Manifest, ManifestSet
from runs_as_code.model.plan import Approvals
from runs_as_code.model.reconciling import (
    Ended,
    Level,
    Observation,
    Scope,
    Standing,
    Value,
)
from runs_as_code.model.source import Severity
from runs_as_code.planning.restraints import tightened
from runs_as_code.planning.standing import advance

_MOST_DOUBLED = 20
_SHOWN = 10

Unit = tuple[str, str]


@dataclass(slots=True)
class _Rest:
    """How many rounds a failing project still rests, unless its files change."""

    rounds: int
    group: tuple[Manifest, ...]


class Reconciler:
    """Runs rounds, one after the other; `stop` lets the round that is under way finish early.

    `standings` is how it stood when an earlier process ended, as far as anybody knows.
    """

    def __init__(
        self, settings: ReconcileSettings, standings: Mapping[Scope, Standing] | None = None
    ) -> None:
        self._settings = settings
        self._standings: dict[Scope, Standing] = dict(standings or {})
        self._rests: dict[Unit, _Rest] = {}
        self._homes: dict[str, Scope] = {}
        self._signals: list[StopSignal] = []
        self._stopped_by: ExitCode | None = None
        self._reading: asyncio.Future[list[tuple[Session, float] | Exception]] | None = None
        self._rounds = 0

    @property
    def standings(self) -> Mapping[Scope, Standing]:
        """How it stands with each scope."""
        return self._standings

    def stop(self, code: ExitCode) -> None:
        """Start nothing new; what is in flight finishes, but for what only reads."""
        self._stopped_by = code
        if self._reading is not None:
            self._reading.cancel()
        for signal in self._signals:
            signal.requested = code

    async def run_round(self) -> list[Observation]:
        """Read the files and bring every project that is due one step further."""
        self._rounds += 1
        self._signals.clear()
        shop = self._workshop()
        try:
            manifests = self._load()
        except QarunError as error:
            seen = [failed(FILES, self._settings.now(), error)]
            seen += self._fail_all(self._standings, error)
            return self._take_in(seen, shop)
        async with self._settings.connect(manifests) as servers:
            seen = await self._reconcile(manifests, servers, shop)
            self._settings.audience.throttled(servers.throttled_seconds)
        return self._take_in(seen, shop)

    def _load(self) -> ManifestSet:
        manifests = self._settings.load()
        policy = self._settings.policy
        return manifests if policy is None else tightened(manifests, policy)

    def _workshop(self) -> Workshop:
        settings = self._settings
        revision = settings.revision()
        facts: dict[str, Value] = {"round": self._rounds}
        if revision:
            facts["revision"] = revision
        return Workshop(
            log=settings.log,
            now=settings.now,
            stop_signal=self._stop_signal,
            clock=settings.clock,
            provenance=settings.provenance and settings.provenance.with_commit(revision),
            facts=facts,
        )

    def _stop_signal(self) -> StopSignal:
        now = self._settings.now
        signal = StopSignal(self._stopped_by, lambda: datetime.fromtimestamp(now(), UTC))
        self._signals.append(signal)
        return signal

    async def _reconcile(
        self, manifests: ManifestSet, servers: Servers, shop: Workshop
    ) -> list[Observation]:
        groups, seen, lost = self._group(manifests, servers)
        loaded = manifests
        # Their runs must not seem undeclared to other files of the same owner and project.
        manifests = replace(manifests, left_out=(*manifests.left_out, *lost))
        seen += self._check_files(manifests, groups, shop)
        # What no file declares any more does not rest, else it would never be forgotten.
        self._rests = {unit: rest for unit, rest in self._rests.items() if unit in groups}
        due = {unit: group for unit, group in groups.items() if self._is_due(unit, group, shop)}
        moment = datetime.fromtimestamp(self._settings.now(), UTC)
        created_at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        asked = (Approvals(), created_at)
        self._reading = asyncio.gather(
            *(self._read(unit, group, manifests, servers, asked) for unit, group in due.items())
        )
        try:
            reads = await self._reading
        except asyncio.CancelledError:
            if self._stopped_by is None:
                raise
            return seen
        finally:
            self._reading = None
        good = {u: r for u, r in zip(due, reads, strict=True) if not isinstance(r, Exception)}
        errors = {u: r for u, r in zip(due, reads, strict=True) if isinstance(r, Exception)}
        errors |= _same(good, groups)
        errors |= self._outdated(good, loaded)
        applied = await asyncio.gather(
            *(
                self._apply(*read, shop, created_at)
                for unit, read in good.items()
                if unit not in errors
            )
        )
        seen += [each for group_seen in applied for each in group_seen]
        for unit, error in errors.items():
            seen += [failed(s, self._settings.now(), error) for s in _scopes(unit, groups[unit])]
        self._rest(seen, due)
        return seen

    def _group(
        self, manifests: ManifestSet, servers: Servers
    ) -> tuple[dict[Unit, tuple[Manifest, ...]], list[Observation], list[LeftOut]]:
        """Group the manifests by server and project; those without a server fail alone."""
        groups: dict[Unit, tuple[Manifest, ...]] = {}
        seen = {}
        lost = []
        for manifest in manifests.manifests:
            try:
                server = servers.server_of(manifest)
            except QarunError as error:
                scope = Scope(manifest.server or "", manifest.project, manifest.owner)
                seen[scope] = failed(scope, self._settings.now(), error)
                lost.append(LeftOut(manifest.file, manifest.owner, manifest.project))
                continue
            unit = (server, manifest.project)
            groups[unit] = (*groups.get(unit, ()), manifest)
            self._homes[manifest.file] = Scope(*unit, manifest.owner)
        return groups, list(seen.values()), lost

    def _check_files(
        self, manifests: ManifestSet, groups: dict[Unit, tuple[Manifest, ...]], shop: Workshop
    ) -> list[Observation]:
        """Fail the projects of broken files, and take them out of the groups."""
        problems = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
        if not problems:
            return self._files_are_good()
        for problem in problems[:_SHOWN]:
            shop.say(
                Level.ERROR,
                "manifest.invalid",
                f"{problem.location}: {problem.message}",
                file=problem.location.file if problem.location else "",
                line=problem.location.line if problem.location else 0,
                rule=problem.rule,
            )
        first = problems[0]
        error = _InvalidError(f"{first.location}: {first.message}", hint=first.hint)
        broken = {self._homes[b.file] for b in manifests.broken if b.file in self._homes}
        names = {b.project.casefold() for b in manifests.broken if b.project}
        declared = {scope for unit, group in groups.items() for scope in _scopes(unit, group)}
        # What was declared and is not any more may be so because of the error.
        broken |= {scope for scope in self._standings if scope not in declared and scope != FILES}
        units = {(scope.server, scope.project) for scope in broken}
        units |= {unit for unit in groups if unit[1].casefold() in names}
        for unit in units:
            broken |= set(_scopes(unit, groups.pop(unit, ())))
        return [*self._fail_all(broken, error), failed(FILES, self._settings.now(), error)]

    def _files_are_good(self) -> list[Observation]:
        if FILES not in self._standings:
            return []
        return [Observation(FILES, self._settings.now(), Ended.DONE, is_converged=True)]

    def _fail_all(self, scopes: Iterable[Scope], error: QarunError) -> list[Observation]:
        return [failed(s, self._settings.now(), error) for s in sorted(scopes) if s != FILES]

    def _is_due(self, unit: Unit, group: tuple[Manifest, ...], shop: Workshop) -> bool:
        rest = self._rests.get(unit)
        if rest is None or rest.rounds <= 0 or rest.group != group:
            return True
        rest.rounds -= 1
        shop.say(
            Level.DEBUG,
            "project.rested",
            f"it failed before and is left alone, this round and {rest.rounds} more",
            Scope(*unit, ""),
        )
        return False

    async def _read(
        self,
        unit: Unit,
        group: tuple[Manifest, ...],
        manifests: ManifestSet,
        servers: Servers,
        asked: tuple[Approvals, str],
    ) -> tuple[Session, float] | Exception:
        """Read and plan a project, and say how long that took; an error is returned."""
        began = self._settings.clock.now()
        try:
            session = await read_session(servers.open(*unit), group, manifests, asked)
        except Exception as error:  # noqa: BLE001 -- one project must not stop the others
            return error
        return session, self._settings.clock.now() - began

    def _outdated(
        self, good: Mapping[Unit, tuple[Session, float]], loaded: ManifestSet
    ) -> dict[Unit, Exception]:
        """Return the projects with something to do, where files changed while they were read.

        Half of an update can lack a run that moves from one file to another, and pruning would
        close it for ever.
        """
        busy = [
            unit
            for unit, (session, _) in good.items()
            if any(plan.actions for plan in session.plans)
        ]
        if not busy:
            return {}
        try:
            is_same = self._load() == loaded
        except QarunError:
            is_same = False
        error = StaleError("the files changed while they were read; the next round looks again")
        return {} if is_same else dict.fromkeys(busy, error)

    async def _apply(
        self, session: Session, seconds: float, shop: Workshop, created_at: str
    ) -> list[Observation]:
        try:
            return await reconcile_project(session, shop, created_at, seconds)
        except Exception as error:  # noqa: BLE001 -- one project must not stop the others
            return [failed(scope, self._settings.now(), error) for scope in scopes_of(session)]

    def _rest(self, seen: Iterable[Observation], due: Mapping[Unit, tuple[Manifest, ...]]) -> None:
        """Let what failed rest for twice as long each time, up to the longest rest."""
        for unit in due:
            self._rests.pop(unit, None)
        for each in seen:
            unit = (each.scope.server, each.scope.project)
            if each.ended is Ended.FAILED and unit in due:
                before = self._standings.get(each.scope, Standing()).failures
                doubled = 2 ** min(before, _MOST_DOUBLED) - 1
                rounds = min(doubled, self._settings.longest_rest)
                known = self._rests.get(unit)
                # Of several owners the one that failed most often tells how long.
                self._rests[unit] = _Rest(max(rounds, known.rounds if known else 0), due[unit])

    def _take_in(self, seen: list[Observation], shop: Workshop) -> list[Observation]:
        """Move each scope's standing on, and tell who wants to know."""
        audience = self._settings.audience
        for each in seen:
            before = self._standings.get(each.scope, Standing())
            after, transition = advance(
                before, each, failures_to_tell=self._settings.failures_to_tell
            )
            self._standings[each.scope] = after
            report(each, before, after, shop)
            audience.observed(each, after)
            if transition is not None:
                revision = str(shop.facts.get("revision", ""))
                audience.told(replace(transition, revision=revision))
        is_whole = self._stopped_by is None
        if is_whole and not any(s.scope == FILES and s.ended is Ended.FAILED for s in seen):
            self._forget({each.scope for each in seen}, shop)
        return seen

    def _forget(self, seen: set[Scope], shop: Workshop) -> None:
        """Forget what no file declares any more; what rests is declared, though it was not seen."""
        for scope in set(self._standings) - seen:
            is_resting = (scope.server, scope.project) in self._rests
            if scope == FILES or is_resting:
                continue
            del self._standings[scope]
            self._settings.audience.gone(scope)
            shop.say(Level.WARNING, "project.gone", "no file declares it any more", scope)


class _InvalidError(QarunError):
    """A file can't be used."""

    exit_code = ExitCode.INVALID


def _scopes(unit: Unit, group: Iterable[Manifest]) -> list[Scope]:
    return [Scope(*unit, owner) for owner in sorted({manifest.owner for manifest in group})]


def _same(
    good: Mapping[Unit, tuple[Session, float]], groups: Mapping[Unit, tuple[Manifest, ...]]
) -> dict[Unit, Exception]:
    """Return the projects that have, or may have, two names; those not read now count as well."""
    errors: dict[Unit, Exception] = {}
    units = {id(session): unit for unit, (session, _) in good.items()}
    for one, other in same_projects([session for session, _ in good.values()]):
        for session in (one, other):
            error = same_project_error(one.given.project, other.given.project)
            errors[units[id(session)]] = error
    for server, name in groups.keys() - good.keys():
        for unit, (session, _) in good.items():
            if unit[0] == server and not is_another(name, session):
                errors[unit] = same_project_error(name, unit[1])
    return errors
