"""Drift as text, JSON and Markdown, and for pipelines."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from golden import drift_samples, samples
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from unit.report.outputs.hostile import MARKUP, Page, with_text
from unit.report.test_document import closed

from runs_as_code.model.drift import DriftKind, DriftReport
from runs_as_code.report.drifting import drift_to_json, render_drift
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.names import Names
from runs_as_code.report.outputs.drift import (
    drift_annotations,
    drift_junit,
    drift_markdown,
)
from runs_as_code.report.outputs.github import annotation_lines
from runs_as_code.report.safe import is_unsafe
from runs_as_code.report.style import PLAIN

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "schemas" / "drift.v1.schema.json").read_text("utf-8"))
MARKED_UP = with_text(drift_samples.HOSTILE, MARKUP)
REPORTS = [
    drift_samples.DRIFT,
    drift_samples.SEVERAL,
    drift_samples.NONE,
    drift_samples.HOSTILE,
    MARKED_UP,
    DriftReport(samples.CREATED_AT),
]


@pytest.mark.parametrize("report", REPORTS)
def test_json_is_what_its_schema_says_and_nothing_else(report):
    document = json.loads(dump_json(drift_to_json(report, tool_version="0.0.0")))
    Draft202012Validator(closed(SCHEMA)).validate(document)
    assert sum(document["summary"]["kinds"].values()) == document["summary"]["found"]


@pytest.mark.parametrize(
    "render",
    [
        lambda report: render_drift(report, PLAIN),
        lambda report: drift_to_json(report, tool_version="0.0.0"),
        drift_annotations,
        drift_junit,
        lambda report: drift_markdown(report, max_bytes=60_000),
    ],
)
def test_a_plan_is_walked_through_once_however_much_drifted(render, monkeypatch):
    walks = []
    learn = Names.__init__

    def count(self, project=None):
        walks.append(project)
        learn(self, project)

    monkeypatch.setattr(Names, "__init__", count)
    render(drift_samples.SEVERAL)
    assert len(drift_samples.SEVERAL.found) > len(drift_samples.SEVERAL.projects)
    assert len(walks) <= len(drift_samples.SEVERAL.projects)


def test_the_schema_knows_every_kind():
    kinds = {kind.value for kind in DriftKind}
    assert set(SCHEMA["properties"]["summary"]["properties"]["kinds"]["properties"]) == kinds
    drift = SCHEMA["properties"]["projects"]["items"]["properties"]["drift"]["items"]
    assert set(drift["properties"]["kind"]["examples"]) == kinds


def test_every_kind_says_what_was_done_and_what_to_do():
    lines = render_drift(drift_samples.HOSTILE, PLAIN).splitlines()
    for kind in DriftKind:
        place = next(n for n, line in enumerate(lines) if line.startswith(f"      {kind.value}: "))
        assert lines[place + 1].startswith("        ")
        assert "{" not in lines[place + 1] or "{run: " in lines[place + 1]


def test_a_hint_names_the_run_where_it_is_the_one_to_adopt():
    text = render_drift(drift_samples.DRIFT, PLAIN)
    assert "`adopt: {run: 71}`" in text
    assert "`adopt: {run: 21}`" in text


def test_what_git_wants_is_only_counted():
    text = render_drift(drift_samples.DRIFT, PLAIN)
    assert "Besides, `qarun plan` has: 2 to create, 1 to clone, 1 to replace, 2 to close" in text
    assert "cart-smoke" not in text
    assert "Besides" not in render_drift(drift_samples.NONE, PLAIN)


def test_kinds_can_be_left_out():
    report = drift_samples.DRIFT.without(frozenset({DriftKind.COPIED, DriftKind.IN_DOUBT}))
    assert len(report.found) == len(drift_samples.FOUND) - 2
    assert report.without(frozenset(DriftKind)).found == ()


@pytest.mark.parametrize("report", REPORTS)
def test_text_hides_nothing(report):
    for line in render_drift(report, PLAIN).splitlines():
        assert not any(is_unsafe(char) for char in line)


@pytest.mark.parametrize("report", REPORTS)
def test_markdown_has_only_elements_of_ours(report):
    text = drift_markdown(report)
    found = Page(MarkdownIt("commonmark", {"html": True}).render(text))
    assert set(found.tags) <= {"h3", "p", "ul", "li", "code", "pre", "details", "summary"}
    assert not {"alert", "evil", "@ann"} & set(found.loose.split())
    assert text.splitlines()[0] == "<!-- qarun:drift -->"


def test_markdown_is_bounded():
    one = drift_samples.PROJECT
    many = DriftReport(samples.CREATED_AT, (one,) * 40)
    text = drift_markdown(many, max_bytes=8000)
    assert 7000 < len(text.encode()) <= 8000
    assert " more, see the artifact**" in text


@pytest.mark.parametrize("report", REPORTS)
def test_each_run_is_a_test_case(report):
    root = ET.fromstring(drift_junit(report))  # noqa: S314 -- what we wrote
    cases = list(root.iter("testcase"))
    keys = [{*each.checked, *(d.key for d in each.found)} for each in report.projects]
    assert len(cases) == sum(map(len, keys))
    failed = [case.find("failure") for case in cases if case.find("failure") is not None]
    kinds = {kind for failure in failed for kind in failure.get("type").split()}
    assert kinds == {drift.kind.value for drift in report.found}


def test_each_drift_is_a_warning_at_its_line():
    lines = annotation_lines(drift_annotations(drift_samples.DRIFT))
    assert len(lines) == len(drift_samples.FOUND)
    assert (
        "::warning file=qa/web.yaml,line=40,col=3,title=assignee-changed::login: ann@example.com"
        " (2) -> bob@example.com (3); hint: write it into the file to accept it;"
        " `qarun apply --replace login` makes it anew"
    ) in lines
    assert all(line.isprintable() for line in annotation_lines(drift_annotations(MARKED_UP)))
