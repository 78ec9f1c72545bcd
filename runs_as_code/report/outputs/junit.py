"""JUnit XML, which every pipeline can chart: a test case for each thing that can fail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runs_as_code.model.report import SUCCEEDED, ActionResult, ApplyReport, Status
from runs_as_code.model.source import Diagnostic, Severity
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.outputs.escaping import element, xml_text
from runs_as_code.report.outputs.findings import message_words
from runs_as_code.report.words import short_action_words

_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """A test case: `failure` is the kind of failure, `lines` say more; both empty when it passed.

    `skipped` says why it did not run.
    """

    group: str
    name: str
    failure: str = ""
    lines: tuple[str, ...] = ()
    skipped: str = ""


def junit(suites: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """Return a document of named suites."""
    given = list(suites)
    every = [case for _, cases in given for case in cases]
    content = "\n" + "".join(_suite(name, cases) for name, cases in given)
    body = element("testsuites", {"name": "qarun", **_counts(every)}, content)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def diagnostics_junit(diagnostics: Iterable[Diagnostic], files: Iterable[str]) -> str:
    """Return a test case for each file; errors fail it, warnings are told in it."""
    of_file: dict[str, list[Diagnostic]] = {file: [] for file in files}
    for each in diagnostics:
        of_file.setdefault(each.location.file if each.location else "", []).append(each)
    cases = [_file_case(file, found) for file, found in sorted(of_file.items())]
    return junit([("qarun validate", cases)])


def report_junit(report: ApplyReport) -> str:
    """Return a test case for each action; what is only skipped is a skipped one."""
    suites: dict[str, list[Case]] = {}
    for result in report.results:
        suites.setdefault(f"{result.project} ({result.owner})", []).append(_action_case(result))
    for finding in report.findings:
        case = Case(finding.key, "read back", "difference", (finding.message,))
        suites.setdefault(f"{finding.project} ({finding.owner})", []).append(case)
    return junit(sorted(suites.items()))


def _file_case(file: str, found: list[Diagnostic]) -> Case:
    rules = sorted({each.rule for each in found if each.severity is Severity.ERROR})
    lines = tuple(
        (f"{each.location}: " if each.location else "")
        + f"{each.severity.value}[{each.rule}]: {message_words(each)}"
        for each in found
    )
    return Case("validate", file or "(no file)", " ".join(rules), lines)


def _action_case(result: ActionResult) -> Case:
    words = short_action_words(result.action)
    lines = tuple(line for line in (result.message, result.url) if line)
    if result.status is Status.SKIPPED:
        return Case(result.action.key, words, skipped=result.message or "skipped")
    failure = "" if result.status in SUCCEEDED else result.status.value
    return Case(result.action.key, words, failure, lines)


def _suite(name: str, cases: Sequence[Case]) -> str:
    content = "\n" + "".join(map(_case, cases))
    return element("testsuite", {"name": name, **_counts(cases)}, content) + "\n"


def _case(case: Case) -> str:
    # A dot in the group's name would make a hierarchy of it.
    names: dict[str, str | int] = {
        "classname": case.group.replace(".", "_")[:NAME_LIMIT],
        "name": case.name,
        "time": 0,
    }
    return element("testcase", names, _ending(case)) + "\n"


def _ending(case: Case) -> str:
    lines = "\n".join(xml_text(line, _LIMIT) for line in case.lines)
    if case.failure:
        message = case.lines[0] if case.lines else ""
        return element("failure", {"type": case.failure, "message": message}, lines)
    if case.skipped:
        return element("skipped", {"message": case.skipped})
    return element("system-out", {}, lines) if lines else ""


def _counts(cases: Sequence[Case]) -> dict[str, int]:
    return {
        "tests": len(cases),
        "failures": sum(bool(case.failure) for case in cases),
        "errors": 0,
        "skipped": sum(bool(case.skipped) and not case.failure for case in cases),
    }
