"""Texts and JSON, byte for byte; `UPDATE_GOLDEN=1` writes the files anew."""

import os
from pathlib import Path

import pytest
from golden import samples

from runs_as_code.report.applied import render_report
from runs_as_code.report.document import (
    diagnostics_to_json,
    list_to_json,
    plan_to_json,
    report_to_json,
)
from runs_as_code.report.findings import render_diagnostics
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.listing import render_list
from runs_as_code.report.style import PLAIN, Style
from runs_as_code.report.text import render_plan

FOLDER = Path(__file__).parent
VERSION = "0.0.0"
COLOURED = Style(is_colored=True)
ASCII = Style(is_unicode=False)


def plan_text(plan, style=PLAIN, **more):
    return render_plan(plan, digest=samples.DIGEST, style=style, **more)


def plan_json(plan):
    return dump_json(plan_to_json(plan, digest=samples.DIGEST, tool_version=VERSION))


GOLDEN = {
    "plan-full.txt": lambda: plan_text(samples.FULL),
    "plan-full-all.txt": lambda: plan_text(samples.FULL, show_unmanaged=True, verbose=True),
    "plan-full-ascii.txt": lambda: plan_text(samples.FULL, ASCII),
    "plan-full-colour.txt": lambda: plan_text(samples.FULL, COLOURED),
    "plan-full.json": lambda: plan_json(samples.FULL),
    "plan-empty.txt": lambda: plan_text(samples.EMPTY),
    "plan-empty.json": lambda: plan_json(samples.EMPTY),
    "plan-nothing.txt": lambda: plan_text(samples.NOTHING),
    "plan-quiet.txt": lambda: plan_text(samples.QUIET),
    "plan-refused.txt": lambda: plan_text(samples.REFUSED),
    "plan-refused.json": lambda: plan_json(samples.REFUSED),
    "plan-several.txt": lambda: plan_text(samples.SEVERAL),
    "plan-hostile.txt": lambda: plan_text(samples.HOSTILE_PLAN, show_unmanaged=True, verbose=True),
    "plan-hostile.json": lambda: plan_json(samples.HOSTILE_PLAN),
    "report-applied.txt": lambda: render_report(samples.APPLIED, PLAIN),
    "report-applied.json": lambda: dump_json(report_to_json(samples.APPLIED, tool_version=VERSION)),
    "report-fell-short.txt": lambda: render_report(samples.FELL_SHORT, PLAIN),
    "report-fell-short-colour.txt": lambda: render_report(samples.FELL_SHORT, COLOURED),
    "report-fell-short.json": lambda: dump_json(
        report_to_json(samples.FELL_SHORT, tool_version=VERSION)
    ),
    "report-interrupted.txt": lambda: render_report(samples.INTERRUPTED, PLAIN),
    "report-nothing.txt": lambda: render_report(samples.NOTHING_APPLIED, PLAIN),
    "list.txt": lambda: render_list(samples.ROWS, PLAIN),
    "list.json": lambda: dump_json(list_to_json(samples.ROWS, tool_version=VERSION)),
    "list-nothing.txt": lambda: render_list((), PLAIN),
    "diagnostics.txt": lambda: render_diagnostics(samples.DIAGNOSTICS, PLAIN),
    "diagnostics-none.txt": lambda: render_diagnostics((), PLAIN),
    "diagnostics.json": lambda: dump_json(
        diagnostics_to_json(samples.DIAGNOSTICS, tool_version=VERSION)
    ),
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
    assert {p.name for p in FOLDER.iterdir() if p.suffix in {".txt", ".json"}} == set(GOLDEN)
