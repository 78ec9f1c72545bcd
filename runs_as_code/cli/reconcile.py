"""`qarun reconcile`: plan and apply round after round, each project on its own."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from runs_as_code import __version__
from runs_as_code.cli.console import Console
from runs_as_code.cli.ending import InterruptionError
from runs_as_code.cli.logs import LogWriter, scrubber_of
from runs_as_code.cli.looping import Loop
from runs_as_code.cli.memory import Memory
from runs_as_code.cli.notifications import notifier_of
from runs_as_code.cli.options import Sources, output_options, policy_option, source_options
from runs_as_code.cli.provenance import ProvenanceWanted, provenance_options
from runs_as_code.cli.reading import connection_settings
from runs_as_code.cli.reconcile_options import (
    Rhythm,
    Telling,
    Watching,
    rhythm_options,
    telling_options,
    watching_options,
)
from runs_as_code.cli.writing import write_file
from runs_as_code.engine.connecting import Connections
from runs_as_code.engine.places import is_stream
from runs_as_code.engine.reconcile.loop import Pace, ReconcileLoop
from runs_as_code.engine.reconcile.metrics import Metrics
from runs_as_code.engine.reconcile.notifying import Audiences, Notifier
from runs_as_code.engine.reconcile.revision import find_revision
from runs_as_code.engine.reconcile.rounds import Reconciler
from runs_as_code.engine.reconcile.saying import exit_code_of
from runs_as_code.engine.reconcile.settings import FILES, ReconcileSettings
from runs_as_code.engine.reconcile.status_server import Status, StatusServer
from runs_as_code.errors import ExitCode, QarunError, UsageError
from runs_as_code.manifest import read_manifests
from runs_as_code.model.reconciling import Level, LogEvent, Observation, Standing, Value
from runs_as_code.model.restraint import Policy
from runs_as_code.planning.restraints import tighten
from runs_as_code.planning.standing import FAILURES_TO_TELL

_CUT_OFF = (
    "interrupted again; what was under way may or may not have run; the next round looks first"
)
_LAST_WORDS = 15.0
"""Seconds that the last notifications may take at the end."""

_MANIFESTS = frozenset({".yaml", ".yml"})
_HEALTHY_PAUSES = 3
_LONGEST_ROUND = 900.0
"""Seconds that a round may take, with all repetitions against a server in trouble."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options say."""

    rhythm: Rhythm
    policy: Policy | None
    watching: Watching
    telling: Telling
    wanted: ProvenanceWanted


@dataclass(frozen=True, slots=True)
class _Call:
    """What one call works with."""

    settings: ReconcileSettings
    log: LogWriter
    metrics: Metrics
    notifier: Notifier | None
    memory: Memory
    status: Status
    watching: Watching


@click.command("reconcile")
@source_options
@rhythm_options
@policy_option
@watching_options
@telling_options
@provenance_options
@output_options
@click.pass_obj
def command(console: Console, /, sources: Sources, **asked: Any) -> ExitCode:
    """Plan and apply, once or for ever, without anybody to ask.

    Each round reads the files anew and brings every project a step further; what a safety rule
    withholds waits for a decision, and the rest goes on. A project that fails does not stop the
    others and rests longer each time. Several instances at once do no harm.

    The log goes to stderr. The first SIGINT or SIGTERM lets finish what is under way, the second
    ends at once; the exit code is 130 or 143. docs/reconcile.md is the guide.
    """
    given = _Asked(**asked)
    given.watching.check(sources.read)
    _check_readable_again(sources.paths)
    call = _prepare(console, sources, given)
    if given.policy is not None:
        tighten(read_manifests(sources.paths), given.policy)
    reconciler = Reconciler(call.settings, call.memory.recall())
    with _serving(call), Loop() as loop:
        try:
            if given.rhythm.pace is None:
                return _run_once(call, loop, reconciler)
            return _run_loop(call, loop, reconciler, given.rhythm.pace)
        except InterruptionError as error:
            call.log(LogEvent(Level.ERROR, "loop.interrupted", error.message))
            return error.exit_code


def _check_readable_again(paths: Iterable[str]) -> None:
    """Raise UsageError for a pipe: a round reads its files again before it writes anything."""
    for path in paths:
        if is_stream(path):
            raise UsageError(
                f"`{path}` can be read only once, and every round reads its files again",
                hint="write it to a file, or use `qarun apply`, which reads once",
            )


def _prepare(console: Console, sources: Sources, asked: _Asked) -> _Call:
    rhythm, watching, telling = asked.rhythm, asked.watching, asked.telling
    environ, first = console.environ, Path(sources.paths[0])
    # Not beside the first manifest of a round: were that one broken, it would be another database.
    beside = str(first if first.suffix in _MANIFESTS and not first.is_dir() else first / "any")
    scrub = scrubber_of(environ, [telling.url])
    log = LogWriter(console, watching.is_json, watching.is_verbose, scrub)
    metrics = Metrics(__version__)
    memory = Memory(telling.memory, log)
    memory.check([*sources.read, *filter(None, (watching.metrics_file, telling.template))])
    notifier = notifier_of(telling, log, is_insecure_allowed=sources.is_insecure_http_allowed)
    connecting = replace(
        connection_settings(sources, console),
        warn=log.warn,
        hear=_hearer(metrics, log if sources.is_http_logged else None),
    )
    pause = rhythm.pace.interval * (1 + rhythm.pace.jitter) if rhythm.pace else 0.0
    settings = ReconcileSettings(
        load=lambda: read_manifests(sources.paths),
        connect=lambda _manifests: Connections(connecting, beside),
        log=log,
        now=time.time,
        audience=Audiences([metrics, *([notifier] if notifier else [])]),
        revision=lambda: find_revision(first, environ),
        policy=asked.policy,
        provenance=asked.wanted.known_in(environ),
        longest_rest=rhythm.pace.longest_rest if rhythm.pace else 0,
        failures_to_tell=FAILURES_TO_TELL if rhythm.pace or telling.memory else 1,
    )
    status = Status(patience=_HEALTHY_PAUSES * pause + _LONGEST_ROUND)
    return _Call(settings, log, metrics, notifier, memory, status, watching)


def _hearer(metrics: Metrics, log: LogWriter | None) -> Callable[[object], None]:
    def hear(exchange: object) -> None:
        metrics.heard(exchange)  # type: ignore[arg-type]  # the client's own
        if log is not None:
            log.trace(exchange)

    return hear


@contextmanager
def _serving(call: _Call) -> Iterator[None]:
    call.status.beat()
    address = call.watching.metrics_address
    with StatusServer(*address, call.status) if address else nullcontext() as server:
        if server is not None and address is not None:
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            message = f"metrics and health on http://{shown}:{server.port}"
            call.log(LogEvent(Level.INFO, "status.listening", message, {"port": server.port}))
        yield


def _run_once(call: _Call, loop: Loop, reconciler: Reconciler) -> ExitCode:
    stopped: list[ExitCode] = []

    def stop(code: ExitCode) -> None:
        stopped.append(code)
        reconciler.stop(code)

    async def work() -> list[Observation]:
        seen = await reconciler.run_round()
        await _finish(call)
        return seen

    seen: list[Observation] = loop.run_gracefully(work(), stop, _CUT_OFF)
    _after_round(call, reconciler)
    return stopped[0] if stopped else exit_code_of(seen)


def _run_loop(call: _Call, loop: Loop, reconciler: Reconciler, pace: Pace) -> ExitCode:
    stopped: list[ExitCode] = []
    rounds = ReconcileLoop(reconciler, pace, call.log, lambda: _after_round(call, reconciler))

    def stop(code: ExitCode) -> None:
        stopped.append(code)
        call.log(LogEvent(Level.INFO, "loop.stopping", "what is under way finishes"))
        rounds.stop(code)

    facts: dict[str, Value] = {"interval": pace.interval, "version": __version__}
    call.log(LogEvent(Level.INFO, "loop.started", f"a round every {pace.interval:g} s", facts))

    async def work() -> None:
        await rounds.run()
        await _finish(call)

    loop.run_gracefully(work(), stop, _CUT_OFF)
    call.log(LogEvent(Level.INFO, "loop.stopped", "nothing is under way any more"))
    return stopped[0] if stopped else ExitCode.DONE


async def _finish(call: _Call) -> None:
    if call.notifier is not None:
        await call.notifier.finish(_LAST_WORDS)


def _after_round(call: _Call, reconciler: Reconciler) -> None:
    """Leave the metrics where they are read; trouble with that never stops the loop."""
    call.status.beat()
    standings = reconciler.standings
    call.memory.keep(standings)
    # Without any standing the first round ended before it had read a file.
    is_read = bool(standings) and not standings.get(FILES, Standing()).failures
    call.status.is_ready = call.status.is_ready or is_read
    if call.watching.metrics_address is None and call.watching.metrics_file is None:
        return
    call.status.metrics = call.metrics.render()
    if call.watching.metrics_file is not None:
        try:
            write_file(call.watching.metrics_file, call.status.metrics)
        except QarunError as error:
            call.log(LogEvent(Level.ERROR, "metrics.failed", error.message, {"hint": error.hint}))
