"""Lines of the log: one line each, whatever a title holds."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.model.reconciling import Level, LogEvent
from runs_as_code.report.logs import LIMIT, json_line, text_line
from runs_as_code.report.style import Style

MOMENT = "2026-11-20T12:00:00.000Z"
PLAIN = Style(is_colored=False, is_unicode=True)
FACTS = {"server": "embedded", "project": "BD", "owner": "web-team", "round": 3, "hint": "look"}


def test_a_line_of_json():
    event = LogEvent(Level.ERROR, "project.failed", "no answer", {**FACTS, "key": "", "ts": "x"})
    assert json_line(event, MOMENT) == (
        f'{{"ts": "{MOMENT}", "level": "error", "event": "project.failed", "message": "no answer",'
        ' "server": "embedded", "project": "BD", "owner": "web-team", "round": 3, "hint": "look"}'
    )


def test_a_line_for_people():
    event = LogEvent(Level.ERROR, "project.failed", "no answer", FACTS)
    assert text_line(event, MOMENT, PLAIN) == (
        f"{MOMENT} error embedded BD web-team: no answer (hint: look)"
    )


@given(st.text(), st.text())
def test_whatever_a_text_holds_it_stays_one_line(message, title):
    event = LogEvent(Level.INFO, "action.finished", message, {"title": title})
    line = json_line(event, MOMENT)
    assert line.isascii()
    assert line.isprintable()
    data = json.loads(line)
    assert data["message"] == message[:LIMIT]
    assert data.get("title", "") == title[:LIMIT]
    shown = text_line(event, MOMENT, PLAIN)
    assert len(shown.splitlines()) == 1
    assert shown.isprintable()


def test_every_event_is_in_the_guide():
    root = Path(__file__).parents[3]
    sources = "\n".join(path.read_text("utf-8") for path in (root / "runs_as_code").rglob("*.py"))
    page = (root / "docs" / "reconcile.md").read_text("utf-8")
    names = set(re.findall(r'Level\.[A-Z]+(?: if .*?)?,\s*"([a-z.]+)"', sources))
    names = {name for name in names if "." in name or name in {"http", "warning"}}
    assert {"loop.started", "project.failed", "manifest.invalid", "http"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_a_runner_sees_no_command():
    event = LogEvent(Level.INFO, "x", "##vso[task.complete]", {"title": "##[error]"})
    assert "##" not in json_line(event, MOMENT)
    assert json.loads(json_line(event, MOMENT))["message"] == "##vso[task.complete]"
    assert "##vso" not in text_line(event, MOMENT, PLAIN)
