"""Every bad input that a person can come up with: message, exit code, nothing written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli.support import HEAD, ONE, Ended, call, rows, write

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(ord('b') + n)}: &{chr(ord('b') + n)} [{', '.join(['*' + chr(ord('a') + n)] * 9)}]\n"
    for n in range(9)
)


def run_with(lines: str) -> str:
    return f"{HEAD}runs:\n  smoke:\n    title: Smoke\n{lines}"


BAD = {
    "wrong type": (run_with("    type: [live]\n"), "wrong-type"),
    "wrong type of the runs": (HEAD + "runs: 7\n", "wrong-type"),
    "not a mapping": ("- a\n- b\n", "wrong-type"),
    "unknown key": (HEAD + ONE + "    titel: x\n", "unknown-key"),
    "unknown key at the top": ("prun: close\n" + HEAD + ONE, "unknown-key"),
    "duplicate key": (HEAD + ONE + ONE.removeprefix("runs:\n"), "duplicate-key"),
    "duplicate title": (
        HEAD + ONE + ONE.removeprefix("runs:\n").replace("smoke:", "other:"),
        "duplicate-title",
    ),
    "long title": (HEAD + ONE.replace("Smoke", "S" * 255), "title-too-long"),
    "long description": (HEAD + ONE + f"    description: {'d' * 500}\n", "description-too-long"),
    "live without folder": (
        run_with("    type: live\n    queryPlans: [{tags: [smoke]}]\n"),
        "live-plan-needs-folder",
    ),
    "two plans in a static run": (
        run_with("    type: static\n    queryPlans: [{folders: [1]}, {folders: [2]}]\n"),
        "one-plan-only",
    ),
    "tcases in a live run": (
        run_with("    type: live\n    queryPlans: [{folders: [1], tcases: [BD-001]}]\n"),
        "live-plan-has-tcases",
    ),
    "empty file": ("", "empty-file"),
    "only a comment": ("# nothing\n", "empty-file"),
    "not YAML": ("{ not: [yaml\n", "yaml-syntax"),
    "tab": (HEAD + "runs:\n\tsmoke: {}\n", "yaml-tab"),
    "alias bomb": (ALIASES, "too-many-values"),
    "marker in a text": (HEAD + ONE.replace("Smoke", "See [qarun:1"), "marker-in-text"),
    "two documents": (HEAD + ONE + "---\n" + HEAD, "several-documents"),
    "secret": (HEAD + ONE + "token: abc\n", "secret-in-manifest"),
}


def check_refused(path: Path, rule: str, database: Path) -> Ended:
    """Validate, plan and apply what is invalid; each must refuse it with the same words."""
    validated = call("validate", "-f", path)
    assert validated.code == 3
    assert f"error[{rule}]: " in validated.out
    for command in (["plan"], ["apply", "--auto-approve"], ["list"]):
        ended = call(*command, "-f", path)
        assert (ended.code, ended.out) == (3, "")
        assert f"error[{rule}]: " in ended.err
        assert ended.err.endswith("error: the manifests are invalid; nothing was planned\n")
    assert rows(database) == []
    return validated


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_manifest_is_refused(name: str, tmp_path: Path, database: Path):
    text, rule = BAD[name]
    path = tmp_path / "m.yaml"
    path.write_text(text, "utf-8")
    ended = check_refused(path, rule, database)
    assert ended.out.startswith(f"{path}:")


def test_an_unknown_key_names_the_nearest(tmp_path: Path):
    ended = call("validate", "-f", write(tmp_path / "m.yaml", ONE + "    titel: x\n"))
    assert "`titel`" in ended.out
    assert "`title`" in ended.out


def test_binary_is_refused(tmp_path: Path, database: Path):
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\x7fELF\x00\x01\x02")
    check_refused(path, "binary-file", database)


def test_another_encoding_is_refused(tmp_path: Path, database: Path):
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + ONE.replace("Smoke", "Gruß"), "latin-1")
    check_refused(path, "not-utf8", database)


def test_a_file_of_10_mb_is_read_and_its_problems_are_bounded(tmp_path: Path, database: Path):
    path = tmp_path / "m.yaml"
    runs = "".join(f"  k{n}: 7  # {'x' * 100}\n" for n in range(90_000))
    path.write_text(f"{HEAD}runs:\n{runs}", "utf-8")
    assert path.stat().st_size > 10_000_000
    ended = call("plan", "-f", path)
    assert ended.code == 3
    assert len(ended.err) < 100_000
    assert rows(database) == []


def test_a_file_of_10_mb_of_nonsense_is_refused(tmp_path: Path, database: Path):
    path = tmp_path / "m.yaml"
    path.write_text("x" * 10_000_000, "utf-8")
    ended = check_refused(path, "wrong-type", database)
    assert len(ended.out) < 10_000


def test_a_missing_file_is_refused(tmp_path: Path, database: Path):
    check_refused(tmp_path / "nowhere.yaml", "file-not-found", database)


def test_a_folder_without_manifests_is_refused(tmp_path: Path, database: Path):
    (tmp_path / "empty").mkdir()
    check_refused(tmp_path / "empty", "folder-without-manifests", database)


def test_one_bad_file_stops_the_good_ones(tmp_path: Path, database: Path):
    good = write(tmp_path / "a.yaml")
    bad = write(tmp_path / "b.yaml", ONE + "    titel: x\n")
    ended = call("apply", "--auto-approve", "-f", good, "-f", bad)
    assert ended.code == 3
    assert rows(database) == []


def test_a_hostile_file_name_can_not_speak_to_the_terminal():
    ended = call("plan", "-f", "\x1b[31m\nerror.yaml")
    assert ended.code == 3
    assert "\x1b" not in ended.all


# --- names: known only to the server, so a plan shows them and apply refuses


NAMES = {
    "unknown folder": ("queryPlans: [{folders: [Chekout]}]", "Checkout"),
    "unknown tag": ("queryPlans: [{folders: [1], tags: [smok]}]", "smoke"),
    "unknown milestone": ("milestone: Sprint 42", "Sprint 24"),
    "unknown user": ("assignee: anne@example.com", "ann@example.com"),
}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_name_blocks_its_run_and_names_the_nearest(
    name: str, tmp_path: Path, database: Path
):
    line, nearest = NAMES[name]
    kept = ONE.replace("    queryPlans: [{folders: [1]}]\n", "") if "queryPlans" in line else ONE
    path = write(tmp_path / "m.yaml", f"{kept}    {line}\n")
    ended = call("plan", "-f", path)
    assert ended.code == 0
    assert "⛔" in ended.out
    assert nearest in ended.out
    assert f"{path}:" in ended.out
    assert call("apply", "--auto-approve", "-f", path).code == 5
    assert rows(database) == []


def test_an_id_that_the_server_does_not_know_is_refused_by_it(tmp_path: Path, database: Path):
    path = write(tmp_path / "m.yaml", ONE.replace("[1]", "[4711]"))
    ended = call("apply", "--auto-approve", "-f", path)
    assert ended.code == 1
    assert "folder not found" in ended.out
    assert rows(database) == []


def test_an_ambiguous_name_lists_the_ids(tmp_path: Path, database: Path):
    add_milestones(database)
    path = write(tmp_path / "m.yaml", ONE + "    milestone: Twice\n")
    ended = call("plan", "-f", path)
    assert ended.code == 0
    assert "101" in ended.out
    assert "102" in ended.out
    assert call("apply", "--auto-approve", "-f", path).code == 5
    assert rows(database) == []


def add_milestones(database: Path) -> None:
    """Give two milestones one title, which the API may or may not allow."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(
            "INSERT INTO milestone (id, project_id, title, created_at, updated_at)"
            " SELECT 101, id, 'Twice', created_at, updated_at FROM project WHERE code = 'BD';"
            "INSERT INTO milestone (id, project_id, title, created_at, updated_at)"
            " SELECT 102, id, 'Twice', created_at, updated_at FROM project WHERE code = 'BD';"
        )
