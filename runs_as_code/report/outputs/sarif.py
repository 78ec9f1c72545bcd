"""SARIF 2.1.0, which code scanners read: a result for each diagnostic."""

import re
from collections.abc import Iterable
from typing import Any

from runs_as_code.model.source import Diagnostic, Location, Severity
from runs_as_code.report.outputs.escaping import uri
from runs_as_code.report.outputs.findings import fingerprints, message_words
from runs_as_code.report.safe import safe

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_MESSAGE_LIMIT = 1_000
_LINK = re.compile(r"\[(?=[^\]]*\]\()")
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def sarif_log(diagnostics: Iterable[Diagnostic], *, tool_version: str) -> dict[str, Any]:
    """Return a log of one run.

    What belongs to no place in a file is a notification of the tool: scanners refuse results
    without a place.
    """
    given = list(diagnostics)
    placed = [(each, each.location) for each in given if each.location is not None]
    rules = sorted({each.rule for each, _ in placed})
    index = {rule: number for number, rule in enumerate(rules)}
    names = fingerprints(each for each, _ in placed)
    run = {
        "tool": {
            "driver": {"name": "qarun", "version": tool_version, "rules": list(map(_rule, rules))}
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(each.severity is not Severity.ERROR for each in given),
                "toolConfigurationNotifications": [
                    {"level": _LEVELS[each.severity], "message": _message(each)}
                    for each in given
                    if each.location is None
                ],
            }
        ],
        "results": [
            {
                "ruleId": each.rule,
                "ruleIndex": index[each.rule],
                "level": _LEVELS[each.severity],
                "message": _message(each),
                "locations": [_location(place)],
                "partialFingerprints": {"qarun/v1": name},
            }
            for (each, place), name in zip(placed, names, strict=True)
        ],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": safe(rule.replace("-", " "))}}


def _message(diagnostic: Diagnostic) -> dict[str, str]:
    # `[text](target)` in a message is a link, which foreign text must not become.
    return {"text": _LINK.sub(r"\\[", safe(message_words(diagnostic), _MESSAGE_LIMIT))}


def _location(place: Location) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(place.file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }
