"""`qarun apply`: approvals, refusals, reviewed plans, reports."""

import json
import re
from pathlib import Path

import pytest
from cli.support import HEAD, ONE, TWO, call, rows, titles, write
from jsonschema import Draft202012Validator

from runs_as_code.cli.console import Console
from runs_as_code.errors import QarunError

SCHEMAS = Path(__file__).parents[2] / "schemas"
BLOCKED = TWO.replace("folders: [6]", "folders: [Nowhere]")


@pytest.fixture
def manifest(tmp_path: Path, database: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO)


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the console believe that somebody sits at the terminal."""
    monkeypatch.setattr(Console, "can_ask", True)


def digest_of(manifest: Path) -> str:
    found = re.search(r"^Digest: (sha256:\w+)$", call("plan", "-f", manifest).out, re.MULTILINE)
    assert found
    return found[1]


def test_apply_shows_the_plan_then_the_report(manifest: Path, database: Path):
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 0
    assert ended.out.startswith("Server embedded, project BD, owner web-team\nPlan: 2 to create\n")
    assert "Apply: 2 done" in ended.out
    assert ended.out.endswith("Exit 0: done, or nothing to do\n")
    assert titles(database) == ["Menu review", "Smoke of the week"] or titles(database) == [
        "Smoke of the week",
        "Menu review",
    ]


def test_without_a_terminal_progress_is_plain_lines_on_stderr(manifest: Path):
    lines = call("apply", "--auto-approve", "-f", manifest).err.splitlines()
    assert lines[0] == "Applying 2 actions"
    assert any(re.match(r"BD smoke: done  create revision r1 .*: run \d", line) for line in lines)
    assert lines[-1] == "Reading back what is live"


def test_nothing_to_do_asks_nobody(manifest: Path):
    call("apply", "--auto-approve", "-f", manifest)
    ended = call("apply", "-f", manifest)
    assert ended.code == 0
    assert "No changes. 2 runs agree with the file." in ended.out


# --- approval


def test_without_a_terminal_the_missing_approval_is_named(manifest: Path, database: Path):
    ended = call("apply", "-f", manifest)
    assert ended.code == 5
    assert "an approval is missing, and apply can't ask: nobody is at a terminal" in ended.err
    assert f"hint: `qarun apply -f {manifest} --auto-approve`" in ended.err
    assert f"`--expect-digest {digest_of(manifest)}`" in ended.err
    assert rows(database) == []


def test_a_pipeline_is_never_asked(manifest: Path, database: Path, monkeypatch):
    monkeypatch.setattr("runs_as_code.cli.console._is_terminal", lambda _stream: True)
    ended = call("apply", "-f", manifest, typed="yes\n", CI="true", TERM="dumb")
    assert ended.code == 5
    assert "apply can't ask: `CI` is set" in ended.err
    assert rows(database) == []


def test_yes_applies(manifest: Path, database: Path, somebody: None):
    ended = call("apply", "-f", manifest, typed="yes\n")
    assert ended.code == 0
    assert "Apply these 2 actions to project BD on embedded?\n" in ended.err
    assert 'Only "yes" is accepted: ' in ended.err
    assert len(rows(database)) == 2


@pytest.mark.parametrize("answer", ["", "\n", "y\n", "YES\n", "yes please\n"])
def test_anything_else_does_not(manifest: Path, database: Path, somebody: None, answer: str):
    ended = call("apply", "-f", manifest, typed=answer)
    assert ended.code == 5
    assert "error: not approved; nothing was written" in ended.err
    assert rows(database) == []


def test_the_question_says_what_can_not_be_undone(manifest: Path, database: Path, somebody: None):
    call("apply", "--auto-approve", "-f", manifest)
    write(manifest, TWO + "    state: closed\n")
    ended = call("apply", "-f", manifest, typed="no\n")
    assert "Apply this action to project BD on embedded?\n" in ended.err
    assert "1 run will be closed, and a closed run can't be opened again." in ended.err
    assert len(titles(database)) == 2


def test_an_interrupt_at_the_question_ends_with_130(
    manifest: Path, database: Path, somebody: None, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(_self: Console, _question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Console, "ask", interrupt)
    ended = call("apply", "-f", manifest)
    assert ended.code == 130
    assert "error: interrupted; nothing was written" in ended.err
    assert rows(database) == []


# --- what is withheld


def test_anything_withheld_stops_everything(manifest: Path, database: Path):
    write(manifest, BLOCKED)
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 5
    assert "error: withheld by safety rules (" in ended.err
    assert "`--skip-blocked` to do the rest" in ended.err
    assert rows(database) == []


def test_skip_blocked_does_the_rest_and_still_ends_with_5(manifest: Path, database: Path):
    write(manifest, BLOCKED)
    ended = call("apply", "--auto-approve", "--skip-blocked", "-f", manifest)
    assert ended.code == 5
    assert "Apply: 1 done" in ended.out
    assert titles(database) == ["Smoke of the week"]


def test_when_all_is_withheld_nothing_is_left_to_skip_to(manifest: Path, database: Path):
    write(manifest, BLOCKED)
    ended = call("apply", "--auto-approve", "--skip-blocked", "-f", manifest, "--target", "review")
    assert ended.code == 5
    assert "nothing was written" in ended.err
    assert "--skip-blocked" not in ended.err
    assert rows(database) == []


def test_the_flag_that_lifts_a_refusal_is_named(manifest: Path, database: Path):
    call("apply", "--auto-approve", "-f", manifest)
    write(manifest, "runs: {}\n", HEAD + "prune: close\n")
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 5
    assert "`--allow-empty`" in ended.err
    assert len(titles(database)) == 2
    assert call("apply", "--auto-approve", "--allow-empty", "-f", manifest).code == 0
    assert titles(database) == []


def test_a_refused_project_does_not_hold_up_another_under_skip_blocked(
    manifest: Path, tmp_path: Path, database: Path
):
    call("apply", "--auto-approve", "-f", manifest)
    write(manifest, "runs: {}\n", HEAD + "prune: close\n")
    head = HEAD.replace("web-team", "other-team")
    other = write(tmp_path / "o.yaml", ONE.replace("Smoke of the week", "Another"), head)
    both = ["-f", manifest, "-f", other, "--auto-approve"]
    assert call("apply", *both).code == 5
    assert len(rows(database)) == 2
    assert call("apply", *both, "--skip-blocked").code == 5
    assert "Another" in titles(database)
    assert len(titles(database)) == 3


def test_the_approved_number_of_closes_must_be_exact(manifest: Path, database: Path):
    call("apply", "--auto-approve", "-f", manifest)
    write(manifest, ONE, HEAD + "prune: close\n")
    ended = call("apply", "--auto-approve", "--approve-closes", "2", "-f", manifest)
    assert ended.code == 5
    assert "`--approve-closes 1`" in ended.err
    assert call("apply", "--auto-approve", "--approve-closes", "1", "-f", manifest).code == 0
    assert titles(database) == ["Smoke of the week"]


def test_replace_makes_a_new_revision(manifest: Path, database: Path):
    call("apply", "--auto-approve", "-f", manifest)
    assert call("apply", "--auto-approve", "--replace", "smoke", "-f", manifest).code == 0
    assert "Smoke of the week (r2)" in titles(database)
    assert len(titles(database)) == 2


# --- reviewed plans


def test_the_digest_is_an_approval(manifest: Path, database: Path):
    ended = call("apply", "-f", manifest, "--expect-digest", digest_of(manifest))
    assert ended.code == 0
    assert len(rows(database)) == 2


def test_another_digest_is_stale_and_says_what_would_be_done(manifest: Path, database: Path):
    digest = digest_of(manifest)
    write(manifest, TWO.replace("Menu", "Dish"))
    ended = call("apply", "-f", manifest, "--expect-digest", digest, "--auto-approve")
    assert ended.code == 6
    assert f"expected was `{digest}`" in ended.err
    assert "it would now do `make:review`, `make:smoke`" in ended.err
    assert "qarun show NEW.json --against REVIEWED.json" in ended.err
    assert rows(database) == []


def test_a_digest_whose_work_is_done_is_fine(manifest: Path):
    digest = digest_of(manifest)
    call("apply", "--auto-approve", "-f", manifest)
    assert call("apply", "-f", manifest, "--expect-digest", digest).code == 0


@pytest.fixture
def saved(manifest: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    assert call("plan", "-f", manifest, "--out", path).code == 0
    return path


def test_a_saved_plan_is_applied_without_a_question(saved: Path, database: Path):
    ended = call("apply", saved)
    assert ended.code == 0
    assert "Apply: 2 done" in ended.out
    assert len(rows(database)) == 2


def test_a_consumed_plan_does_nothing_again(saved: Path, database: Path):
    call("apply", saved)
    ended = call("apply", saved)
    assert ended.code == 0
    assert "Apply: 2 already done" in ended.out
    assert len(rows(database)) == 2


def test_a_half_consumed_plan_is_finished(saved: Path, manifest: Path, database: Path):
    call("apply", "--auto-approve", "-f", manifest, "--target", "smoke")
    ended = call("apply", saved)
    assert ended.code == 0
    assert "Apply: 1 done, 1 already done" in ended.out
    assert len(rows(database)) == 2


def test_a_stale_plan_is_explained_and_writes_nothing(
    saved: Path, manifest: Path, tmp_path: Path, database: Path
):
    head = HEAD.replace("web-team", "other-team")
    other = write(tmp_path / "o.yaml", ONE, head)
    call("apply", "--auto-approve", "-f", other)
    ended = call("apply", saved)
    assert ended.code == 6
    assert "the plan is stale: `smoke`: run 1 took the title" in ended.err
    assert len(rows(database)) == 1


def test_a_saved_plan_with_something_withheld_writes_nothing(
    manifest: Path, tmp_path: Path, database: Path
):
    write(manifest, BLOCKED)
    call("plan", "-f", manifest, "--out", tmp_path / "plan.json")
    assert call("apply", tmp_path / "plan.json").code == 5
    assert rows(database) == []
    assert call("apply", tmp_path / "plan.json", "--skip-blocked").code == 5
    assert titles(database) == ["Smoke of the week"]
    assert call("apply", tmp_path / "plan.json", "--skip-blocked").code == 5


def test_a_saved_plan_of_another_digest_is_refused(saved: Path, database: Path):
    assert call("apply", saved, "--expect-digest", "sha256:" + "0" * 64).code == 6
    assert rows(database) == []


@pytest.mark.parametrize(
    "surplus",
    [
        ["-f", "m.yaml"],
        ["--server", "embedded"],
        ["--approve", "smoke"],
        ["--approve-closes", "0"],
        ["--replace", "smoke"],
        ["--allow-empty"],
        ["--target", "smoke"],
    ],
)
def test_what_a_saved_plan_has_decided_can_not_be_given(
    saved: Path, database: Path, surplus: list[str]
):
    ended = call("apply", saved, *surplus)
    assert (ended.code, ended.out) == (64, "")
    assert surplus[0] in ended.err
    assert rows(database) == []


def test_a_saved_plan_never_makes_a_database(saved: Path, database: Path):
    database.unlink()
    ended = call("apply", saved)
    assert ended.code == 64
    assert "its file" in ended.err
    assert not database.exists()


def test_a_saved_plan_takes_the_database_it_is_given(saved: Path, database: Path, tmp_path: Path):
    moved = database.rename(tmp_path / "moved.db")
    assert call("apply", saved, "--database", moved).code == 0
    assert len(rows(moved)) == 2


# --- reports


def test_the_json_report_is_all_that_stdout_gets(manifest: Path):
    ended = call("apply", "--auto-approve", "--format", "json", "-f", manifest)
    schema = json.loads((SCHEMAS / "report.v1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(ended.json)
    assert {r["key"]: r["status"] for r in ended.json["results"]} == {
        "review": "done",
        "smoke": "done",
    }
    assert "Plan: 2 to create" in ended.err


def test_without_verification_the_report_says_so(manifest: Path):
    ended = call("apply", "--auto-approve", "--no-verify", "-f", manifest)
    assert ended.code == 0
    assert "Not verified: what is live was not read back" in ended.out


def test_a_report_that_can_not_be_written_goes_to_stderr(
    manifest: Path, database: Path, monkeypatch: pytest.MonkeyPatch
):
    written = Console.data

    def fail_later(self: Console, text: str) -> None:
        if "Apply: " in text:
            raise QarunError("standard output is full")
        written(self, text)

    monkeypatch.setattr(Console, "data", fail_later)
    ended = call("apply", "--auto-approve", "-f", manifest)
    assert ended.code == 1
    assert "error: standard output is full" in ended.err
    assert "Apply: 2 done" in ended.err
    assert len(rows(database)) == 2
