"""What pipelines read: GitHub's commands, GitLab's reports, SARIF and JUnit."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from golden import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from unit.report.outputs.hostile import MARKUP, MARKUP_PLAN
from unit.report.strategies import APPLY_REPORTS, PLANS

from runs_as_code.model.plan import Plan
from runs_as_code.model.source import Diagnostic, Location, Severity
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.outputs.findings import fingerprints, plan_findings
from runs_as_code.report.outputs.github import (
    Annotation,
    Level,
    annotation_lines,
    finding_annotations,
    output_lines,
    plan_annotations,
)
from runs_as_code.report.outputs.gitlab import code_quality, terraform_counts
from runs_as_code.report.outputs.junit import Case, diagnostics_junit, junit, report_junit
from runs_as_code.report.outputs.sarif import sarif_log

# The part of SARIF 2.1.0 that scanners insist on, and nothing beside it.
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string", "minLength": 1}},
        },
        "run": {
            "type": "object",
            "required": ["tool", "results", "invocations", "columnKind"],
            "additionalProperties": False,
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name", "version", "rules"],
                            "properties": {
                                "name": {"const": "qarun"},
                                "version": {"type": "string"},
                                "rules": {
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": {
                                        "type": "object",
                                        "required": ["id", "shortDescription"],
                                        "properties": {
                                            "id": {"type": "string"},
                                            "shortDescription": {"$ref": "#/$defs/message"},
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
                "invocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["executionSuccessful"],
                        "properties": {
                            "executionSuccessful": {"type": "boolean"},
                            "toolConfigurationNotifications": {
                                "type": "array",
                                "items": {
                                    "required": ["message"],
                                    "properties": {
                                        "level": {"$ref": "#/$defs/level"},
                                        "message": {"$ref": "#/$defs/message"},
                                    },
                                },
                            },
                        },
                    },
                },
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "partialFingerprints": {
                    "type": "object",
                    "additionalProperties": {"type": "string", "minLength": 1},
                },
                "locations": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["physicalLocation"],
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation", "region"],
                                "properties": {
                                    "artifactLocation": {
                                        "required": ["uri"],
                                        "properties": {
                                            "uri": {"type": "string", "pattern": "^[!-~]+$"}
                                        },
                                    },
                                    "region": {
                                        "required": ["startLine", "startColumn"],
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "startColumn": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}
HOSTILE = Diagnostic(MARKUP, MARKUP, Location(MARKUP, 3, 7), MARKUP, MARKUP)


def problems(count, severity=Severity.ERROR):
    place = Location("qa/web.yaml", 1, 1)
    return [Diagnostic(f"rule-{n}", "m", place, severity=severity) for n in range(count)]


# --- GitHub


def test_an_annotation_names_file_line_column_and_rule():
    [line] = annotation_lines(finding_annotations(samples.DIAGNOSTICS[:1]))
    assert line == (
        "::error file=qa/web.yaml,line=8,col=5,title=unknown-key::unknown key `titel`; expected"
        " one of `title`, `description`, `type`; hint: did you mean `title`?"
    )


def test_hostile_text_starts_no_command_and_ends_no_property():
    for line in annotation_lines(finding_annotations([HOSTILE])):
        head, _, message = line.removeprefix("::error ").partition("::")
        assert [part.split("=")[0] for part in head.split(",")] == ["file", "line", "col", "title"]
        assert line.isprintable()
        assert "%0A" not in message.replace("%250A", "")
        assert ":" not in head


@pytest.mark.parametrize(("number", "lines"), [(0, 0), (10, 10), (11, 10), (500, 10)])
def test_annotations_are_bounded_for_each_kind(number, lines):
    both = finding_annotations(problems(number) + problems(number, Severity.WARNING))
    found = annotation_lines(both)
    assert sum(line.startswith("::error ") for line in found) == lines
    assert sum(line.startswith("::warning ") for line in found) == lines
    if number > 10:
        assert f"::{number - 9} more errors of qarun; the step's summary has them" in found[9]


def test_a_plan_is_annotated_where_something_waits_or_is_closed():
    found = annotation_lines(plan_annotations(samples.FULL))
    assert "::warning file=qa/web.yaml,line=25,col=3,title=has-results::run 13 would" in found[1]
    close = "line=30,col=3,title=would close run 9::`Sprint 23 regression`: 12 passed, 3 failed"
    assert any(close in line for line in found)
    # What is withheld is not closed.
    assert not any("close run 13" in line for line in found)
    titles = ("title=closes run", "title=would close run")
    hostile = annotation_lines(plan_annotations(MARKUP_PLAN))
    assert not any(title in line for line in hostile for title in titles)
    done = annotation_lines(plan_annotations(samples.DOABLE))
    assert [[title in line for title in titles] for line in done] == [[True, False]] * 4
    [refusal] = annotation_lines(plan_annotations(samples.REFUSED))
    assert refusal.startswith("::error title=too-many-closes::12 runs would be closed")


def test_an_annotation_without_a_place_has_only_a_title():
    assert annotation_lines([Annotation(Level.NOTICE, "a,b", "c%d")]) == [
        "::notice title=a%2Cb::c%25d"
    ]


def read_outputs(text):
    """Read the file as the runner does."""
    values, lines = {}, iter(text.split("\n")[:-1])
    for line in lines:
        if found := re.fullmatch(r"([a-z0-9_]+)<<(\S+)", line):
            body = []
            while (inner := next(lines)) != found[2]:
                body.append(inner)
            values[found[1]] = "\n".join(body)
        else:
            name, _, value = line.partition("=")
            values[name] = value
    return values


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.text()))
def test_outputs_are_read_back_as_they_were(values):
    assert read_outputs(output_lines(values)) == values


def test_outputs_are_words_and_numbers():
    assert output_lines({"changes": True, "close_count": 3}) == "changes=true\nclose_count=3\n"
    with pytest.raises(ValueError, match="no name of an output"):
        output_lines({"a=b\nc": "x"})


# --- GitLab


def test_the_widget_counts_what_is_not_withheld():
    assert terraform_counts(samples.DOABLE) == {"create": 3, "update": 1, "delete": 2}
    assert terraform_counts(samples.FULL) == {"create": 3, "update": 1, "delete": 2}
    assert terraform_counts(samples.REFUSED) == {"create": 0, "update": 0, "delete": 0}
    assert terraform_counts(samples.SEVERAL) == {"create": 1, "update": 0, "delete": 0}


def test_code_quality_has_what_gitlab_wants():
    entries = code_quality(samples.DIAGNOSTICS)
    assert [entry["severity"] for entry in entries] == ["major", "major", "minor", "major"]
    assert entries[0]["location"] == {"path": "qa/web.yaml", "lines": {"begin": 8}}
    assert entries[3]["location"] == {"path": ".", "lines": {"begin": 1}}
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


def test_a_fingerprint_survives_lines_above_it_and_tells_twins_apart():
    one = samples.DIAGNOSTICS[0]
    moved = replace(one, location=samples.at(80, 9))
    assert list(fingerprints([one])) == list(fingerprints([moved]))
    assert len(set(fingerprints([one, moved, moved]))) == 3
    elsewhere = replace(one, location=samples.at(8, 5, "qa/pay.yaml"))
    assert list(fingerprints([one])) != list(fingerprints([elsewhere]))


# --- SARIF


@pytest.mark.parametrize(
    "diagnostics", [samples.DIAGNOSTICS, (), (HOSTILE,), plan_findings(samples.FULL)]
)
def test_sarif_has_the_structure_that_scanners_want(diagnostics):
    log = json.loads(dump_json(sarif_log(diagnostics, tool_version="0.0.0")))
    Draft202012Validator(SARIF).validate(log)
    [run] = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    told = len(run["results"]) + len(run["invocations"][0]["toolConfigurationNotifications"])
    assert told == len(diagnostics)


def test_the_check_of_the_structure_can_fail():
    log = sarif_log(samples.DIAGNOSTICS, tool_version="0.0.0")
    del log["runs"][0]["results"][0]["message"]["text"]
    assert list(Draft202012Validator(SARIF).iter_errors(log))


def test_no_message_holds_a_link():
    [result] = sarif_log([HOSTILE], tool_version="0")["runs"][0]["results"]
    assert r"\[x](http://evil)" in result["message"]["text"]


@given(PLANS)
@settings(max_examples=15)
def test_any_plan_has_findings_that_all_formats_take(plan):
    found = plan_findings(plan)
    dump_json(sarif_log(found, tool_version="0"))
    dump_json(code_quality(found))
    assert all(line.isprintable() for line in annotation_lines(plan_annotations(plan)))


def test_findings_of_a_plan_name_both_ways_out():
    found = next(each for each in plan_findings(samples.FULL) if each.rule == "has-results")
    assert found.hint == "in the file replace: r2, or for one apply --approve search"
    assert (found.severity, found.location) == (Severity.WARNING, samples.at(25))
    assert plan_findings(samples.REFUSED)[0].severity is Severity.ERROR
    assert plan_findings(Plan(samples.CREATED_AT)) == ()


# --- JUnit


def xml(text):
    return ET.fromstring(text)  # noqa: S314 -- what we wrote


def test_each_file_is_a_test_case():
    root = xml(diagnostics_junit(samples.DIAGNOSTICS, ["qa/web.yaml", "qa/good.yaml"]))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {"(no file)", "qa/good.yaml", "qa/pay.yaml", "qa/web.yaml"}
    assert cases["qa/web.yaml"].find("failure").get("type") == "duplicate-key unknown-key"
    assert cases["qa/good.yaml"].find("failure") is None
    assert "warning[no-assignee]" in cases["qa/pay.yaml"].find("system-out").text
    assert (root.get("tests"), root.get("failures")) == ("4", "2")


def test_each_action_is_a_test_case():
    root = xml(report_junit(samples.FELL_SHORT))
    kinds = [
        case.find("failure").get("type")
        for case in root.iter("testcase")
        if len(case) and case.find("failure") is not None
    ]
    assert sorted(kinds) == ["difference", "difference", "failed", "stale", "unknown", "unverified"]
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("10", "6", "2")


def test_hostile_text_is_only_text():
    case = Case(MARKUP, MARKUP, MARKUP, (MARKUP, MARKUP))
    root = xml(junit([(MARKUP, [case, Case("g", "n", skipped=MARKUP)])]))
    assert [each.tag for each in root.iter()] == [
        "testsuites", "testsuite", "testcase", "failure", "testcase", "skipped"
    ]  # fmt: skip
    assert "<script>alert(1)" in root.find(".//failure").text


@given(APPLY_REPORTS)
@settings(max_examples=15)
def test_any_report_is_well_formed(report):
    root = xml(report_junit(report))
    assert len(list(root.iter("testcase"))) == len(report.results) + len(report.findings)
