"""`--policy` and freeze windows at the command line."""

import json
from pathlib import Path

from cli.support import HEAD, ONE, TWO, call, rows, titles, write

ALWAYS = (
    'freeze: [{days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00",'
    " reason: release}]\n"
)
OVER = "freeze: [{from: 2001-01-01T00:00, to: 2001-01-02T00:00}]\n"


def test_the_policy_of_the_command_line_holds_back(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml")
    ended = call("plan", "-f", path, "--policy", "observe")
    assert ended.code == 0
    assert "policy" in ended.out
    assert "`observe` of the command line writes nothing" in ended.out
    ended = call("apply", "--auto-approve", "-f", path, "--policy", "observe")
    assert ended.code == 5
    assert rows(database) == []
    assert call("apply", "--auto-approve", "-f", path, "--policy", "create-only").code == 0


def test_the_command_line_never_loosens(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", head=HEAD + "policy: observe\n")
    for command in (("plan",), ("apply", "--auto-approve")):
        ended = call(*command, "-f", path, "--policy", "sync")
        assert ended.code == 5
        assert f"`--policy sync` would loosen `policy: observe` of {path}:" in ended.err
    assert rows(database) == []


def test_nothing_is_written_in_a_freeze_window(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", head=HEAD + ALWAYS)
    planned = call("plan", "-f", path)
    assert planned.code == 0
    assert "freeze-window" in planned.out
    assert "a freeze window lasts until 20" in planned.out
    assert "release" in planned.out
    assert "Smoke of the week" in planned.out
    ended = call("apply", "--auto-approve", "-f", path)
    assert ended.code == 5
    assert "withheld by safety rules (`freeze-window`); nothing was written" in ended.err
    assert rows(database) == []
    write(path, head=HEAD + OVER)
    assert call("apply", "--auto-approve", "-f", path).code == 0
    assert titles(database) == ["Smoke of the week"]


def test_a_freeze_window_is_ignored_for_a_reason(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", head=HEAD + ALWAYS)
    ended = call("apply", "--auto-approve", "-f", path, "--ignore-freeze", "the fix of today")
    assert ended.code == 0
    assert "is ignored: the fix of today" in ended.out
    assert titles(database) == ["Smoke of the week"]


def test_a_saved_plan_keeps_its_windows(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", head=HEAD + ALWAYS)
    reason = ("--ignore-freeze", "an emergency")
    saved = tmp_path / "plan.json"
    assert call("plan", "-f", path, "--out", saved, *reason).code == 0
    ended = call("apply", saved)
    assert ended.code == 5
    assert "a freeze window lasts until" in ended.err
    assert rows(database) == []
    forged = json.loads(saved.read_text("utf-8"))
    forged["projects"][0]["freeze"] = []
    (tmp_path / "forged.json").write_text(json.dumps(forged), "utf-8")
    assert call("apply", tmp_path / "forged.json").code == 64
    assert call("apply", saved, "--policy", "observe").code == 64
    assert call("apply", saved, *reason).code == 0
    assert titles(database) == ["Smoke of the week"]


def test_a_window_that_begins_stops_its_owner_only(tmp_path: Path, database: Path, monkeypatch):
    one = write(tmp_path / "a.yaml", head=HEAD + ALWAYS)
    review = TWO.replace(ONE, "runs:\n")
    two = write(tmp_path / "b.yaml", review, HEAD.replace("web-team", "mobile"))
    monkeypatch.setattr("runs_as_code.engine.planning.frozen_owners", lambda *_: {})
    ended = call("reconcile", "-f", one, "-f", two, "--once", "--log-format", "json")
    assert ended.code == 5
    assert titles(database) == ["Menu review"]
    events = [json.loads(line) for line in ended.err.splitlines()]
    found = {e["owner"]: e for e in events if e["event"] == "project.reconciled"}
    assert (found["mobile"]["condition"], found["mobile"]["converged"]) == ("in-sync", True)
    assert (found["web-team"]["condition"], found["web-team"]["converged"]) == ("waiting", False)
    assert found["web-team"]["blocked_freeze-window"] == 1


def test_an_apply_at_work_stops_when_a_window_begins(tmp_path: Path, database: Path, monkeypatch):
    path = write(tmp_path / "m.yaml", head=HEAD + ALWAYS)
    # As if the window had begun after the plan was made.
    monkeypatch.setattr("runs_as_code.engine.planning.frozen_owners", lambda *_: {})
    ended = call("apply", "--auto-approve", "-f", path)
    assert ended.code == 5
    assert "a freeze window began and lasts until" in ended.all
    assert rows(database) == []
