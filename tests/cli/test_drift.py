"""`qarun drift`: what people changed, apart from what Git wants to change."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli.support import ONE, TWO, call, make_run, rows, write
from jsonschema import Draft202012Validator

from runs_as_code.model.plan import Block

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def applied(tmp_path: Path, database: Path) -> Path:
    """A manifest that was applied: runs `smoke` and `review`."""
    path = write(tmp_path / "m.yaml", TWO)
    assert call("apply", "--auto-approve", "-f", path).code == 0
    return path


def by_hand(database: Path, statement: str, *values: object) -> None:
    """Do what a person does in the web page."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement, values)


def close(database: Path, title: str) -> None:
    by_hand(database, "UPDATE run SET closed_at = created_at WHERE title = ?", title)


def rename(database: Path, title: str, to: str) -> None:
    by_hand(database, "UPDATE run SET title = ? WHERE title = ?", to, title)


def test_no_drift_after_an_apply(applied: Path):
    ended = call("drift", "-f", applied)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "Server embedded, project BD, owner web-team",
        "No drift. 2 runs checked.",
    ]


def test_what_people_did_ends_with_two(applied: Path, database: Path):
    close(database, "Menu review")
    rename(database, "Smoke of the week", "Smoke")
    ended = call("drift", "-f", applied)
    assert ended.code == 2
    assert "Drift: 1 title-changed, 1 closed-by-hand; 2 runs checked" in ended.out
    assert "title-changed: `Smoke of the week` -> `Smoke`" in ended.out
    assert "closed-by-hand: run " in ended.out
    assert call("drift", "-f", applied, "--target", "review").out.count("~ ") == 1


def test_what_git_wants_is_no_drift(applied: Path):
    write(applied, ONE.replace("folders: [1]", "folders: [6]"))
    ended = call("drift", "-f", applied)
    assert ended.code == 0
    assert "No drift. 1 run checked." in ended.out
    assert "Besides, `qarun plan` has: 1 to replace" in ended.out


def test_drift_writes_nothing(applied: Path, database: Path):
    close(database, "Menu review")
    write(applied, TWO.replace("folders: [1]", "folders: [6]"))
    before = rows(database)
    assert call("drift", "-f", applied).code == 2
    assert rows(database) == before


def test_kinds_can_be_ignored(applied: Path, database: Path):
    close(database, "Menu review")
    assert call("drift", "-f", applied, "--ignore", "closed-by-hand").code == 0
    assert call("drift", "-f", applied, "--ignore", "copied").code == 2
    assert call("drift", "-f", applied, "--ignore", "nonsense").code == 64


def test_a_title_taken_by_hand_is_drift(tmp_path: Path, database: Path):
    make_run(database, "Menu review")
    ended = call("drift", "-f", write(tmp_path / "m.yaml", TWO))
    assert ended.code == 2
    assert "title-taken: the title `Menu review` belongs to run 1" in ended.out


def test_json_follows_its_schema(applied: Path, database: Path):
    close(database, "Menu review")
    ended = call("drift", "-f", applied, "--format", "json")
    assert ended.code == 2
    schema = json.loads((SCHEMAS / "drift.v1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(ended.json)
    assert ended.json["summary"]["kinds"]["closed-by-hand"] == 1
    assert ended.json["projects"][0]["drift"][0]["key"] == "review"


def test_outputs(applied: Path, database: Path, tmp_path: Path):
    close(database, "Menu review")
    flags = [f"{name}={name}" for name in ("json", "markdown", "junit")]
    flags = [part for flag in flags for part in ("--output", flag)]
    environ = {
        "GITHUB_OUTPUT": str(tmp_path / "out"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_WORKSPACE": str(tmp_path),
    }
    ended = call("drift", "-f", applied, *flags, "--output", "github", **environ)
    assert ended.code == 2
    assert json.loads(Path("json").read_text("utf-8"))["kind"] == "qarun.drift"
    assert 'tests="2" failures="1"' in Path("junit").read_text("utf-8")
    marker = Path("markdown").read_text("utf-8").splitlines()[0]
    assert marker == "<!-- qarun:drift -->"
    values = (tmp_path / "out").read_text("utf-8").splitlines()
    assert {"drift=true", "drift_count=1", "closed_by_hand_count=1", f"marker={marker}"} <= set(
        values
    )
    assert "### Drift: 1 closed-by-hand" in (tmp_path / "summary").read_text("utf-8")
    assert "::warning file=m.yaml,line=" in ended.err


def test_quiet_without_drift(applied: Path):
    ended = call("drift", "-f", applied, "--quiet-if-unchanged", "--output", "markdown=d.md")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert Path("d.md").read_text("utf-8") == "<!-- qarun:drift -->\n"


def test_files_with_errors_have_no_drift(tmp_path: Path):
    ended = call("drift", "-f", write(tmp_path / "m.yaml", ONE + "    titel: x\n"))
    assert (ended.code, ended.out) == (3, "")
    assert "unknown key `titel`" in ended.err


def test_a_listing_that_is_incomplete_tells_nothing(applied: Path, monkeypatch):
    monkeypatch.setattr(
        "runs_as_code.planning.planner.policy.incomplete_listing",
        lambda _listing: [Block("incomplete-listing", "the server counts 3", "run it again")],
    )
    ended = call("drift", "-f", applied)
    assert (ended.code, ended.out) == (5, "")
    assert "the server counts 3" in ended.err


FIXED = """\
runs:
  fixed:
    title: Fixed
    type: static
    queryPlans: [{folders: [Checkout, Menu], tags: [smoke, regression]}]
  structure:
    title: Structure
    type: static_struct
    queryPlans: [{folders: [Cart], priorities: [high, medium]}]
"""


def test_cases_are_compared_only_when_asked_for(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", FIXED)
    assert call("apply", "--auto-approve", "-f", path).code == 0
    # What the client finds is what the server found: filters, subfolders, union of plans.
    ended = call("drift", "--cases", "-f", path)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "No drift. 2 runs checked.")

    by_hand(database, "UPDATE tcase SET folder_id = 6 WHERE seq = 57")
    assert call("drift", "-f", path).code == 0
    ended = call("drift", "--cases", "-f", path)
    assert ended.code == 2
    assert "Drift: 1 cases-changed; 2 runs checked" in ended.out
    assert "cases-changed: if it were made today, test case BD-057 would join" in ended.out
    assert "`qarun apply --replace fixed` makes it anew" in ended.out
    assert call("drift", "--cases", "--ignore", "cases-changed", "-f", path).code == 0
    data = call("drift", "--cases", "--format", "json", "-f", path).json
    assert data["summary"]["kinds"]["cases-changed"] == 1
    # It never is a reason to replace the run.
    assert call("plan", "--detailed-exitcode", "-f", path).code == 0
    assert call("apply", "--auto-approve", "--replace", "fixed", "-f", path).code == 0
    assert call("drift", "--cases", "-f", path).code == 0
