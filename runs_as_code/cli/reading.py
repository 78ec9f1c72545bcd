"""What commands read before they work: manifests, saved plans, where servers and keys are."""

import difflib
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runs_as_code.cli.console import Console
from runs_as_code.cli.options import Sources
from runs_as_code.engine.connecting import ConnectionSettings, usual_database
from runs_as_code.engine.freezing import find_frozen
from runs_as_code.errors import ExitCode, QarunError, RefusedError, UsageError
from runs_as_code.manifest import read_manifests
from runs_as_code.manifest.opening import read_bytes
from runs_as_code.model.desired import ManifestSet
from runs_as_code.model.plan import Approvals, Plan, matches_target
from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.planning.context import spellings
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.planning.restraints import freeze_block
from runs_as_code.report.document import read_plan
from runs_as_code.report.findings import render_diagnostics
from runs_as_code.report.jsontext import MAX_BYTES


class InvalidManifestsError(QarunError):
    """The manifests can't be used as they are; `diagnostics` say why."""

    exit_code = ExitCode.INVALID

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


def read_valid(sources: Sources, console: Console) -> ManifestSet:
    """Read the manifests; say what is wrong and raise InvalidManifestsError unless all are valid.

    Warnings are only counted: who plans every hour has read them.
    """
    manifests = read_manifests(sources.paths)
    errors = [d for d in manifests.diagnostics if d.severity is Severity.ERROR]
    if errors:
        console.say(render_diagnostics(manifests.diagnostics, console.message_style))
        message = "the manifests are invalid; nothing was planned"
        raise InvalidManifestsError(message, manifests.diagnostics)
    if manifests.diagnostics:
        number = len(manifests.diagnostics)
        noun = "warning" if number == 1 else "warnings"
        console.say(f"note: {number} {noun} about the manifests; `qarun validate` shows them")
    return manifests


def connection_settings(sources: Sources, console: Console) -> ConnectionSettings:
    """Return where servers and keys come from."""
    return ConnectionSettings(
        environ=console.environ,
        cwd=Path.cwd(),
        server=sources.server,
        database=sources.database,
        rate=sources.rate,
        is_insecure_http_allowed=sources.is_insecure_http_allowed,
        warn=console.warn,
        hear=console.trace if sources.is_http_logged else None,
    )


def first_file(manifests: ManifestSet) -> str | None:
    """Return the manifest beside which the embedded server's file lies."""
    return manifests.manifests[0].file if manifests.manifests else None


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_plan_file(path: Path) -> tuple[Plan, str]:
    """Return a saved plan and its digest; raise UsageError for what is no plan as it was saved."""
    try:
        content = read_bytes(str(path), MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the plan `{path}` can't be read: {getattr(error, 'strerror', None) or error}",
            hint="make it with `qarun plan --out plan.json`",
        ) from None
    try:
        plan, digest = read_plan(content)
    except QarunError as error:
        problem = error
    else:
        if plan_digest(plan) == digest:
            return plan, digest
        problem = UsageError("its actions are not those of its digest", hint="plan again")
    raise type(problem)(f"`{path}`: {problem.message}", hint=problem.hint)


def check_frozen(plan: Plan, approvals: Approvals) -> None:
    """Raise RefusedError when a freeze window of a saved plan lasts now."""
    if approvals.ignore_freeze:
        return
    for project in plan.projects:
        frozen = find_frozen(project.freeze, datetime.now(UTC))
        if frozen is not None and project.actions:
            block = freeze_block(frozen)
            raise RefusedError(
                f"{block.message}; nothing was written",
                hint=f"apply it later, or `{block.flag}`",
            )


def check_targets(approvals: Approvals, manifests: ManifestSet) -> None:
    """Raise UsageError for a `--target` that no declared key matches."""
    declared = {run.key for manifest in manifests.manifests for run in manifest.runs}
    for pattern in approvals.targets:
        if not any(matches_target(key, pattern) for key in declared):
            raise _unknown("--target", pattern, "matches no declared key", declared)


def check_approvals(approvals: Approvals, plan: Plan) -> None:
    """Raise UsageError for an approved key that is not in the plan, or stands for several."""
    planned: dict[str, list[str]] = {}
    for project in plan.projects:
        for change in project.changes:
            names = spellings(project.project, project.owner, change.key)
            for name in names:
                planned.setdefault(name, []).append(names[-1])
    for flag, keys in (("--approve", approvals.keys), ("--replace", approvals.replace)):
        for key in sorted(keys):
            found = planned.get(key, ())
            if not found:
                raise _unknown(flag, key, "is not in the plan", planned)
            if len(found) > 1:
                ways = " or ".join(f"`{flag} {name}`" for name in sorted(found))
                raise UsageError(f"`{flag} {key}`: several runs have this key", hint=f"say {ways}")


def _unknown(flag: str, given: str, problem: str, known: Iterable[str]) -> UsageError:
    names = sorted(known)
    near = difflib.get_close_matches(given, names, 3, 0.5) or names[:3]
    listed = ", ".join(f"`{name}`" for name in near)
    hint = f"the nearest: {listed}" if near else "there are no keys at all"
    return UsageError(f"`{flag} {given}`: `{given}` {problem}", hint=hint)


def with_database_of(plan: Plan, sources: Sources) -> Sources:
    """Return the sources with the embedded server's file that a saved plan was made on.

    Raises UsageError where it is not there: a new database would not be the one planned on.
    """
    if not plan.is_embedded:
        return sources
    folder = plan.database.folder if plan.database else None
    database = sources.database
    if database is None and folder is not None:
        database = usual_database(Path(folder))
    if database is None:
        raise UsageError(
            "the plan was made on a database of the embedded server that `--database` named",
            hint="give the same `--database` as for the plan",
        )
    if os.path.isfile(database):  # noqa: PTH113 -- that of `Path` raises for long names
        return replace(sources, database=database)
    raise UsageError(
        f"the plan was made on the embedded server, and its file `{database}` is not here",
        hint="give the same `--database` as for the plan, or run it in the same folder",
    )
