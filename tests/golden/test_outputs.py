"""The formats of reviews and pipelines, byte for byte; `UPDATE_GOLDEN=1` writes the files anew."""

import os
from pathlib import Path

import pytest
from golden import drift_samples, samples

from runs_as_code.report.drifting import drift_to_json, render_drift
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.outputs.drift import drift_annotations, drift_junit, drift_markdown
from runs_as_code.report.outputs.findings import plan_findings
from runs_as_code.report.outputs.github import (
    annotation_lines,
    finding_annotations,
    plan_annotations,
)
from runs_as_code.report.outputs.gitlab import code_quality, terraform_counts
from runs_as_code.report.outputs.html import plan_html
from runs_as_code.report.outputs.junit import diagnostics_junit, report_junit
from runs_as_code.report.outputs.markdown import plan_markdown
from runs_as_code.report.outputs.markdown_ends import diagnostics_markdown, report_markdown
from runs_as_code.report.outputs.sarif import sarif_log
from runs_as_code.report.style import PLAIN

FOLDER = Path(__file__).parent / "outputs"
COMMAND = f"qarun apply -f qa --expect-digest {samples.DIGEST}"


def markdown(plan, **more):
    return plan_markdown(plan, digest=samples.DIGEST, command=COMMAND, **more)


def html(plan):
    return plan_html(plan, digest=samples.DIGEST, command=COMMAND, tool_version="0.0.0")


def commands(annotations):
    return "".join(f"{line}\n" for line in annotation_lines(annotations))


def sarif(diagnostics):
    return dump_json(sarif_log(diagnostics, tool_version="0.0.0"))


GOLDEN = {
    "plan-full.md": lambda: markdown(samples.FULL),
    "plan-empty.md": lambda: markdown(samples.EMPTY),
    "plan-refused.md": lambda: markdown(samples.REFUSED),
    "plan-several.md": lambda: markdown(samples.SEVERAL),
    "plan-hostile.md": lambda: markdown(samples.HOSTILE_PLAN),
    "plan-full.github.txt": lambda: commands(plan_annotations(samples.FULL)),
    "plan-full.terraform.json": lambda: dump_json(terraform_counts(samples.FULL)),
    "plan-full.sarif": lambda: sarif(plan_findings(samples.FULL)),
    "plan-full.html": lambda: html(samples.FULL),
    "plan-several.html": lambda: html(samples.SEVERAL),
    "report-applied.md": lambda: report_markdown(samples.APPLIED),
    "report-fell-short.md": lambda: report_markdown(samples.FELL_SHORT),
    "report-fell-short.junit.xml": lambda: report_junit(samples.FELL_SHORT),
    "drift.txt": lambda: render_drift(drift_samples.DRIFT, PLAIN),
    "drift-several.txt": lambda: render_drift(drift_samples.SEVERAL, PLAIN),
    "drift-none.txt": lambda: render_drift(drift_samples.NONE, PLAIN),
    "drift-hostile.txt": lambda: render_drift(drift_samples.HOSTILE, PLAIN),
    "drift.json": lambda: dump_json(drift_to_json(drift_samples.DRIFT, tool_version="0.0.0")),
    "drift.md": lambda: drift_markdown(drift_samples.DRIFT),
    "drift.junit.xml": lambda: drift_junit(drift_samples.SEVERAL),
    "drift.github.txt": lambda: commands(drift_annotations(drift_samples.DRIFT)),
    "diagnostics.md": lambda: diagnostics_markdown(samples.DIAGNOSTICS),
    "diagnostics-none.md": lambda: diagnostics_markdown(()),
    "diagnostics.github.txt": lambda: commands(finding_annotations(samples.DIAGNOSTICS)),
    "diagnostics.codequality.json": lambda: dump_json(code_quality(samples.DIAGNOSTICS)),
    "diagnostics.sarif": lambda: sarif(samples.DIAGNOSTICS),
    "diagnostics.junit.xml": lambda: diagnostics_junit(samples.DIAGNOSTICS, ["qa/good.yaml"]),
}
IS_UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_output_is_golden(name):
    made = GOLDEN[name]().encode()
    path = FOLDER / name
    if IS_UPDATE:
        path.write_bytes(made)
    assert made.decode() == path.read_bytes().decode()


def test_every_golden_file_is_compared():
    assert {path.name for path in FOLDER.iterdir()} == set(GOLDEN)
