"""GitLab: the Terraform widget of a merge request, and a Code Quality report."""

from collections.abc import Iterable
from typing import Any

from runs_as_code.model.plan import Plan
from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.report.outputs.findings import fingerprints, message_words
from runs_as_code.report.safe import safe
from runs_as_code.report.summary import summarize

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_MESSAGE_LIMIT = 1_000
_NOWHERE = "."


def terraform_counts(plan: Plan) -> dict[str, int]:
    """Return what the widget shows: what is not withheld, a clone as a create.

    Of a plan that withholds anything, an apply does only with `--skip-blocked` what is counted.
    """
    allowed = [project for project in plan.projects if not project.refusals]
    summary = summarize(change for project in allowed for change in project.changes)
    return {
        "create": summary.create + summary.clone,
        "update": summary.replace,
        "delete": summary.close,
    }


def code_quality(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return the entries of a Code Quality report."""
    given = list(diagnostics)
    return [
        {
            "check_name": safe(each.rule),
            "description": safe(message_words(each), _MESSAGE_LIMIT),
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[each.severity],
            "location": {
                "path": each.location.file.removeprefix("./") if each.location else _NOWHERE,
                "lines": {"begin": each.location.line if each.location else 1},
            },
        }
        for each, fingerprint in zip(given, fingerprints(given), strict=True)
    ]
