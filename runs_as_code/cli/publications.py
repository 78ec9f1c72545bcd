"""What plans, drift, reports and diagnostics look like in the formats of `--output`."""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from runs_as_code import __version__
from runs_as_code.cli.options import Sources
from runs_as_code.cli.outputs import MARKDOWN, Outputs, Publication, Render, Step
from runs_as_code.cli.showing import plan_json
from runs_as_code.model.drift import DriftKind, DriftReport
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.model.report import ApplyReport, Status
from runs_as_code.model.restraint import Policy
from runs_as_code.model.source import Diagnostic, Location, Severity
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.document import diagnostics_to_json, report_to_json
from runs_as_code.report.drifting import drift_headline, drift_to_json
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.outputs.drift import (
    drift_annotations,
    drift_junit,
    drift_markdown,
)
from runs_as_code.report.outputs.findings import plan_findings
from runs_as_code.report.outputs.github import (
    SUMMARY_BYTES,
    Annotation,
    Level,
    finding_annotations,
    plan_annotations,
)
from runs_as_code.report.outputs.gitlab import code_quality, terraform_counts
from runs_as_code.report.outputs.junit import diagnostics_junit, report_junit
from runs_as_code.report.outputs.markdown import plan_markdown
from runs_as_code.report.outputs.markdown_ends import (
    diagnostics_markdown,
    report_markdown,
)
from runs_as_code.report.outputs.marker import hidden_marker
from runs_as_code.report.outputs.sarif import sarif_log
from runs_as_code.report.summary import summarize
from runs_as_code.report.text import headline
from runs_as_code.report.words import short_action_words

_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def plan_publication(
    plan: Plan,
    outputs: Outputs,
    environ: Mapping[str, str],
    *,
    command: str,
    saved: Path | None = None,
) -> Publication:
    """Return a plan for publishing; `command` applies it, `saved` is where it was saved."""
    digest = plan_digest(plan)
    marker = hidden_marker("plan", outputs.comment_id)

    def markdown(max_bytes: int) -> str:
        given = {"digest": digest, "command": command, "comment_id": outputs.comment_id}
        return plan_markdown(plan, **given, max_bytes=max_bytes)

    annotations = [
        replace(each, location=_in_repository(each.location, environ))
        for each in plan_annotations(plan)
    ]
    texts = {
        "json": lambda: plan_json(plan),
        MARKDOWN: lambda: markdown(outputs.max_bytes),
        "html": lambda: _html(plan, digest, command),
        "gitlab-terraform": lambda: dump_json(terraform_counts(plan)),
        **_finding_texts(_rebased(plan_findings(plan), environ)),
    }
    values = {**_plan_values(plan, digest, saved), "marker": marker}
    step = Step(values, annotations, lambda: markdown(SUMMARY_BYTES))
    return Publication(texts, step, marker, not plan.is_pending)


def findings_publication(
    diagnostics: tuple[Diagnostic, ...],
    outputs: Outputs,
    environ: Mapping[str, str],
    files: Iterable[str] = (),
) -> Publication:
    """Return what is wrong with files for publishing; `files` are those that were read."""
    rebased = _rebased(diagnostics, environ)
    marker = hidden_marker("validate", outputs.comment_id)

    def markdown(max_bytes: int) -> str:
        return diagnostics_markdown(diagnostics, comment_id=outputs.comment_id, max_bytes=max_bytes)

    errors = sum(each.severity is Severity.ERROR for each in diagnostics)
    step = Step(
        {"valid": not errors, "error_count": errors, "warning_count": len(diagnostics) - errors},
        finding_annotations(rebased),
        lambda: markdown(SUMMARY_BYTES),
    )
    texts = {
        "json": lambda: dump_json(diagnostics_to_json(diagnostics, tool_version=__version__)),
        MARKDOWN: lambda: markdown(outputs.max_bytes),
        "junit": lambda: diagnostics_junit(diagnostics, files),
        **_finding_texts(rebased),
    }
    return Publication(texts, step, marker, not diagnostics)


def invalid_publication(
    diagnostics: tuple[Diagnostic, ...], outputs: Outputs, environ: Mapping[str, str]
) -> Publication:
    """Return what a plan has to publish that could not be made: its scanners' files and a step.

    It has no Markdown: that would pass for the plan's, and the comment would lose it.
    """
    given = findings_publication(diagnostics, outputs, environ)
    texts = _finding_texts(_rebased(diagnostics, environ))
    return Publication(texts, replace(given.step, values={"valid": False}))


def report_publication(report: ApplyReport, outputs: Outputs) -> Publication:
    """Return what an apply did for publishing."""

    def markdown(max_bytes: int) -> str:
        return report_markdown(report, comment_id=outputs.comment_id, max_bytes=max_bytes)

    statuses = {
        f"{status.name.lower()}_count": sum(each.status is status for each in report.results)
        for status in Status
    }
    step = Step(
        {"exit_code": report.exit_code.value, "verified": report.is_verified, **statuses},
        _report_annotations(report),
        lambda: markdown(SUMMARY_BYTES),
    )
    texts: dict[str, Render] = {
        "json": lambda: dump_json(report_to_json(report, tool_version=__version__)),
        MARKDOWN: lambda: markdown(outputs.max_bytes),
        "junit": lambda: report_junit(report),
    }
    return Publication(texts, step)


def drift_publication(
    report: DriftReport, outputs: Outputs, environ: Mapping[str, str]
) -> Publication:
    """Return drift for publishing."""
    marker = hidden_marker("drift", outputs.comment_id)

    def markdown(max_bytes: int) -> str:
        return drift_markdown(report, comment_id=outputs.comment_id, max_bytes=max_bytes)

    kinds = {kind: sum(each.kind is kind for each in report.found) for kind in DriftKind}
    values = {f"{kind.name.lower()}_count": number for kind, number in kinds.items()}
    step = Step(
        {
            "drift": bool(report.found),
            "drift_count": len(report.found),
            **values,
            "summary": drift_headline(report),
            "marker": marker,
        },
        [
            replace(each, location=_in_repository(each.location, environ))
            for each in drift_annotations(report)
        ],
        lambda: markdown(SUMMARY_BYTES),
    )
    texts: dict[str, Render] = {
        "json": lambda: dump_json(drift_to_json(report, tool_version=__version__)),
        MARKDOWN: lambda: markdown(outputs.max_bytes),
        "junit": lambda: drift_junit(report),
    }
    return Publication(texts, step, marker, not report.found)


def apply_command(
    sources: Sources,
    approvals: Approvals,
    *,
    policy: Policy | None = None,
    digest: str = "",
    saved: Path | None = None,
) -> str:
    """Return the command that applies exactly this plan: the saved one, or one with its digest."""
    if saved is not None:
        return shlex.join(["qarun", "apply", str(saved)])
    given = [
        ("-f", list(sources.files)),
        ("--server", [sources.server] if sources.server else []),
        ("--database", [str(sources.database)] if sources.database else []),
        ("--approve", sorted(approvals.keys)),
        ("--approve-closes", [] if approvals.closes is None else [str(approvals.closes)]),
        ("--replace", sorted(approvals.replace)),
        ("--target", list(approvals.targets)),
        ("--policy", [] if policy is None else [policy.value]),
        ("--ignore-freeze", [approvals.ignore_freeze] if approvals.ignore_freeze else []),
        ("--expect-digest", [digest]),
    ]
    words = [word for flag, values in given for value in values for word in (flag, value)]
    flags = ["--allow-empty"] * approvals.allow_empty
    flags += ["--insecure-http"] * sources.is_insecure_http_allowed
    return shlex.join(["qarun", "apply", *words, *flags])


def _html(plan: Plan, digest: str, command: str) -> str:
    from runs_as_code.report.outputs.html import plan_html  # noqa: PLC0415  lazy: Jinja2

    return plan_html(plan, digest=digest, command=command, tool_version=__version__)


def _finding_texts(diagnostics: tuple[Diagnostic, ...]) -> dict[str, Render]:
    return {
        "sarif": lambda: dump_json(sarif_log(diagnostics, tool_version=__version__)),
        "gitlab-codequality": lambda: dump_json(code_quality(diagnostics)),
    }


def _plan_values(plan: Plan, digest: str, saved: Path | None) -> dict[str, str | int | bool]:
    """Return the outputs of a step; the counts of runs leave out what is withheld."""
    summary = summarize(change for project in plan.projects for change in project.changes)
    counts = {f"{name}_count": number for name, number in asdict(summary).items()}
    closes = sum(len(project.closes) for project in plan.projects)
    makes = sum(len(project.makes) for project in plan.projects)
    return counts | {
        "changes": plan.is_pending,
        "withheld": plan.is_withheld,
        "make_count": makes,
        "close_count": closes,
        "digest": digest,
        "summary": headline(plan),
        "plan_path": "" if saved is None else str(saved),
    }


def _report_annotations(report: ApplyReport) -> list[Annotation]:
    failed = {Status.FAILED, Status.UNKNOWN, Status.UNVERIFIED, Status.STALE}
    found = [
        Annotation(
            Level.ERROR,
            f"{each.action.key}: {each.status.value}",
            f"{short_action_words(each.action)}: {each.message}",
        )
        for each in report.results
        if each.status in failed
    ]
    return found + [
        Annotation(Level.ERROR, f"{each.key}: reading back", each.message)
        for each in report.findings
    ]


def _rebased(
    diagnostics: tuple[Diagnostic, ...], environ: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    return tuple(
        replace(each, location=_in_repository(each.location, environ)) for each in diagnostics
    )


def _in_repository(place: Location | None, environ: Mapping[str, str]) -> Location | None:
    """Return a place by its path in the repository, where a pipeline says where that is."""
    root = next((environ[name] for name in _ROOTS if environ.get(name)), None)
    if place is None or root is None:
        return place
    path, top = os.path.realpath(place.file), os.path.realpath(root)
    if os.path.commonpath([path, top]) != top:
        return place
    return replace(place, file=os.path.relpath(path, top))
