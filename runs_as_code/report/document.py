"""The JSON documents: a plan that can be shown and applied later, a report, a list, diagnostics.

Policy of versions: a minor version only adds, readers ignore keys they don't know; another major
version is refused.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from runs_as_code.errors import StaleError, UsageError
from runs_as_code.model.actions import CloseRun, MakeRun
from runs_as_code.model.listing import ListedAs, ListedRun
from runs_as_code.model.plan import Plan
from runs_as_code.model.report import ActionResult, ApplyReport, Failure, Status
from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.report.codec import DecodeError, camel, decode, describe, encode
from runs_as_code.report.jsontext import parse_json
from runs_as_code.report.summary import seconds_needed, summarize

FORMAT_VERSION = "1.1"
PLAN_KIND = "qarun.plan"
REPORT_KIND = "qarun.report"
LIST_KIND = "qarun.list"
DIAGNOSTICS_KIND = "qarun.diagnostics"
CHECKSUM = "checksum"

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_HINT = "make it with `qarun plan --out plan.json`"


def plan_to_json(plan: Plan, *, digest: str, tool_version: str) -> dict[str, Any]:
    """Return a plan as a document; everything needed to show and to apply it is in there."""
    document = {
        **encode(plan),
        **_head(PLAN_KIND, tool_version),
        "digest": digest,
        "summary": _plan_summary(plan),
        "cost": {**encode(plan.cost), "seconds": seconds_needed(plan)},
    }
    return document | {CHECKSUM: checksum_of(document)}


def checksum_of(document: Mapping[str, Any]) -> str:
    """Return `sha256:` and the hash of all data of a document but its checksum."""
    data = {key: value for key, value in document.items() if key != CHECKSUM}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def plan_from_json(data: Any) -> tuple[Plan, str]:
    """Return the plan of a document and the digest it claims to have.

    Unknown keys are ignored. The caller computes the digest anew and compares. Raises UsageError
    for what is no plan, and StaleError for a plan of another major version, or of an older minor
    one that lacks a key.
    """
    _check_head(data, PLAN_KIND)
    try:
        plan: Plan = decode(Plan, data)
    except DecodeError as error:
        if error.is_missing and _minor(data["formatVersion"]) < _minor(FORMAT_VERSION):
            raise StaleError(
                f"the plan has format version `{data['formatVersion']}`, which lacks what an apply"
                f" checks today (`${error.path}`)",
                hint="plan again with this qarun",
            ) from None
        raise UsageError(
            f"the plan is broken at `${error.path}`: expected {error.expected},"
            f" found {error.found}{_newer(data)}",
            hint=_HINT,
        ) from None
    digest = data.get("digest")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise UsageError("the plan is broken at `$.digest`: expected `sha256:` and 64 hex digits")
    return plan, digest


def read_plan(content: bytes) -> tuple[Plan, str]:
    """Return the plan that a file holds, and its digest.

    Raises what `plan_from_json` raises, and UsageError for a file that was edited: what is shown of
    it must be what was reviewed, down to the names of things.
    """
    data = parse_json(content, hint=_HINT)
    plan, digest = plan_from_json(data)
    if data.get(CHECKSUM) != checksum_of(data):
        raise UsageError(
            f"it was edited after it was saved: its content does not fit its `{CHECKSUM}`",
            hint="change the manifest instead, and plan again",
        )
    return plan, digest


def report_to_json(report: ApplyReport, *, tool_version: str) -> dict[str, Any]:
    """Return what an apply did as a document."""
    statuses = Counter(result.status for result in report.results)
    return {
        **_head(REPORT_KIND, tool_version),
        "exitCode": report.exit_code.value,
        "summary": {camel(status.name.lower()): statuses[status] for status in Status},
        "results": [_result_data(result) for result in report.results],
        "findings": encode(report.findings),
        "changedByOthers": encode(report.changed_by_others),
        "isWithheld": report.is_withheld,
        "isReadBack": report.is_read_back,
        "isVerified": report.is_verified,
        "interruptedBy": encode(report.interrupted_by),
        "calls": report.calls,
        "error": None,
    }


def failure_to_json(failure: Failure, *, tool_version: str) -> dict[str, Any]:
    """Return why an apply ended without a report, in the form of one."""
    report = ApplyReport(is_withheld=failure.is_withheld)
    return report_to_json(report, tool_version=tool_version) | {
        "exitCode": failure.exit_code.value,
        "error": {"message": failure.message, "hint": failure.hint},
    }


def list_to_json(rows: Iterable[ListedRun], *, tool_version: str) -> dict[str, Any]:
    """Return the listed runs as a document."""
    runs = list(rows)
    owned = Counter(run.ownership for run in runs)
    return {
        **_head(LIST_KIND, tool_version),
        "summary": {ownership.value: owned[ownership] for ownership in ListedAs},
        "runs": [encode(run) | {"state": "open" if run.is_open else "closed"} for run in runs],
    }


def diagnostics_to_json(diagnostics: Iterable[Diagnostic], *, tool_version: str) -> dict[str, Any]:
    """Return what is wrong with files as a document."""
    given = list(diagnostics)
    severities = Counter(diagnostic.severity for diagnostic in given)
    return {
        **_head(DIAGNOSTICS_KIND, tool_version),
        "summary": {
            "errors": severities[Severity.ERROR],
            "warnings": severities[Severity.WARNING],
            "isValid": not severities[Severity.ERROR],
        },
        "diagnostics": encode(tuple(given)),
    }


def _head(kind: str, tool_version: str) -> dict[str, Any]:
    return {
        "formatVersion": FORMAT_VERSION,
        "kind": kind,
        "tool": {"name": "qarun", "version": tool_version},
    }


def _plan_summary(plan: Plan) -> dict[str, Any]:
    summary = summarize(change for project in plan.projects for change in project.changes)
    counts = {camel(field.name): getattr(summary, field.name) for field in fields(summary)}
    makes = sum(isinstance(action, MakeRun) for action in plan.actions)
    closes = sum(isinstance(action, CloseRun) for action in plan.actions)
    return counts | {
        "changes": plan.is_pending,
        "withheld": plan.is_withheld,
        "refusals": sum(len(project.refusals) for project in plan.projects),
        "runsToMake": makes,
        "runsToClose": closes,
    }


def _result_data(result: ActionResult) -> dict[str, Any]:
    data: dict[str, Any] = encode(result)
    return data | {"key": result.action.key, "kind": data["action"]["kind"]}


def _check_head(data: Any, kind: str) -> None:
    if not isinstance(data, dict):
        raise UsageError(f"this is no plan: expected an object, found {describe(data)}", hint=_HINT)
    if data.get("kind") != kind:
        raise UsageError(f"this is no plan: expected `kind` to be `{kind}`", hint=_HINT)
    version = data.get("formatVersion")
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if found is None:
        raise UsageError(
            f"the plan is broken at `$.formatVersion`: expected a version like `{FORMAT_VERSION}`",
            hint=_HINT,
        )
    if int(found[1]) != int(FORMAT_VERSION.partition(".")[0]):
        raise StaleError(
            f"the plan has format version `{found[0]}`, and this qarun reads `{FORMAT_VERSION}`",
            hint="plan again with this qarun",
        )


def _newer(data: dict[str, Any]) -> str:
    """Say that a newer minor version may be why something can't be read."""
    if _minor(data["formatVersion"]) <= _minor(FORMAT_VERSION):
        return ""
    return f"; it was made by a newer qarun (format version `{data['formatVersion']}`)"


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
