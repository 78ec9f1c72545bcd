"""`qarun plan` and `qarun show`: what would be done, as text, JSON and a file."""

import json
import os
import stat
from pathlib import Path

import pytest
from cli.support import ONE, TWO, call, make_run, rows, titles, write
from jsonschema import Draft202012Validator

from runs_as_code.report.document import FORMAT_VERSION, PLAN_KIND

EMPTY_PLAN = json.dumps({"kind": PLAN_KIND, "formatVersion": FORMAT_VERSION}).encode()
SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def manifest(tmp_path: Path, database: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO)


def test_the_first_line_names_the_server_and_the_last_the_cost(manifest: Path):
    ended = call("plan", "-f", manifest)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "Server embedded, project BD, owner web-team"
    assert lines[1] == "Plan: 2 to create"
    assert lines[-1].startswith("Cost: at most 1 read and 2 writes")
    assert ended.err == ""


def test_a_plan_writes_nothing(manifest: Path, database: Path):
    call("plan", "-f", manifest)
    assert rows(database) == []


def test_a_missing_database_is_made_beside_the_first_manifest(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    path = write(tmp_path / "elsewhere" / "m.yaml")
    assert call("plan", "-f", path.parent).code == 0
    assert (tmp_path / "elsewhere" / ".qarun" / "embedded.db").is_file()


def test_the_database_comes_from_flag_or_environment(manifest: Path, tmp_path: Path):
    for name, how in (("a.db", ["--database", tmp_path / "a.db"]), ("b.db", [])):
        environ = {} if how else {"QARUN_DATABASE": str(tmp_path / "b.db")}
        assert call("plan", "-f", manifest, *how, **environ).code == 0
        assert (tmp_path / name).is_file()


def test_the_detailed_exit_code_tells_pending_from_done(manifest: Path):
    assert call("plan", "--detailed-exitcode", "-f", manifest).code == 2
    assert call("apply", "--auto-approve", "-f", manifest).code == 0
    assert call("plan", "--detailed-exitcode", "-f", manifest).code == 0


def test_what_is_withheld_counts_as_pending(manifest: Path):
    write(manifest, TWO.replace("folders: [6]", "folders: [Nowhere]"))
    assert call("plan", "-f", manifest).code == 0
    assert call("plan", "--detailed-exitcode", "-f", manifest, "--target", "review").code == 2


def test_json_follows_its_schema(manifest: Path):
    ended = call("plan", "-f", manifest, "--format", "json")
    schema = json.loads((SCHEMAS / "plan.v1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(ended.json)
    assert ended.json["summary"]["create"] == 2


def test_unmanaged_and_unchanged_runs_are_shown_on_request(manifest: Path, database: Path):
    make_run(database, "Made by hand")
    write(manifest, ONE)
    call("apply", "--auto-approve", "-f", manifest)
    assert "smoke: Smoke of the week" not in call("plan", "-f", manifest).out
    assert "smoke: Smoke of the week (run 2)" in call("plan", "-v", "-f", manifest).out
    assert "Made by hand" not in call("plan", "-v", "-f", manifest).out
    assert "run 1: Made by hand" in call("plan", "--show-unmanaged", "-f", manifest).out


@pytest.mark.parametrize("flag", ["--approve", "--replace"])
def test_an_approval_of_an_unknown_key_is_wrong_use(manifest: Path, flag: str):
    for command in ("plan", "apply"):
        ended = call(command, "-f", manifest, flag, "smok")
        assert ended.code == 64
        assert f"error: `{flag} smok`: `smok` is not in the plan" in ended.err
        assert "hint: the nearest: `smoke`" in ended.err


def test_a_target_without_a_match_is_wrong_use(manifest: Path, database: Path):
    ended = call("apply", "--auto-approve", "-f", manifest, "--target", "smokey*")
    assert ended.code == 64
    assert "`smokey*` matches no declared key" in ended.err
    assert rows(database) == []


def test_a_target_limits_the_plan(manifest: Path, database: Path):
    assert call("apply", "--auto-approve", "-f", manifest, "--target", "sm*").code == 0
    assert titles(database) == ["Smoke of the week"]


def test_a_key_with_brackets_is_its_own_target(manifest: Path, database: Path):
    manifest.write_text(manifest.read_text().replace("  smoke:", "  smoke[chrome]:"))
    ended = call("apply", "--auto-approve", "-f", manifest, "--target", "smoke[chrome]")
    assert ended.code == 0, ended.all
    assert titles(database) == ["Smoke of the week"]


def test_warnings_are_counted_not_repeated(tmp_path: Path, database: Path):
    head = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\nserver: embedded\n"
    ended = call("plan", "-f", write(tmp_path / "m.yaml", head=head))
    assert ended.code == 0
    assert "about the manifests; `qarun validate` shows them" in ended.err


def test_a_server_of_the_environment_that_is_not_used_is_named(manifest: Path):
    ended = call(
        "plan", "-f", manifest, QAS_URL="https://acme.eu1.qasphere.com", QAS_TOKEN="x" * 20
    )
    assert ended.code == 0
    assert "warning: environment variables: `QAS_URL` names `https://acme.eu1" in ended.err
    assert "used is `embedded`" in ended.err


# --- the look of it


def test_color_is_for_terminals_unless_asked_for(manifest: Path):
    assert "\x1b[" not in call("plan", "-f", manifest).out
    assert "\x1b[1m" in call("plan", "-f", manifest, "--color", "always").out
    assert "\x1b[1m" in call("plan", "-f", manifest, FORCE_COLOR="1").out
    assert "\x1b[" not in call("plan", "-f", manifest, FORCE_COLOR="1", NO_COLOR="1").out
    assert "\x1b[1m" in call("plan", "-f", manifest, "--color", "always", NO_COLOR="1").out
    assert "\x1b[" not in call("plan", "-f", manifest, "--color", "never", FORCE_COLOR="1").out


def test_ascii_has_other_symbols(manifest: Path):
    write(manifest, TWO.replace("folders: [6]", "folders: [Nowhere]"))
    assert "⛔" in call("plan", "-f", manifest).out
    plain = call("plan", "-f", manifest, "--ascii").out
    assert plain.isascii()


# --- saved plans


def test_a_saved_plan_is_shown_offline(manifest: Path, tmp_path: Path):
    shown = call("plan", "-f", manifest, "--out", tmp_path / "plan.json")
    assert shown.err == f"The plan is saved in {tmp_path / 'plan.json'}\n"
    manifest.unlink()
    again = call("show", tmp_path / "plan.json")
    assert (again.code, again.out) == (0, shown.out)
    json_text = call("show", tmp_path / "plan.json", "--format", "json").out
    assert json_text == (tmp_path / "plan.json").read_text("utf-8")


def test_a_saved_plan_replaces_a_file_whole(manifest: Path, tmp_path: Path):
    target, link = tmp_path / "target.json", tmp_path / "plan.json"
    target.write_text("mine")
    link.symlink_to(target)
    old = os.umask(0o027)
    try:
        assert call("plan", "-f", manifest, "--out", link).code == 0
    finally:
        os.umask(old)
    assert target.read_text() == "mine"
    assert not link.is_symlink()
    assert stat.S_IMODE(link.stat().st_mode) == 0o640
    assert [path for path in tmp_path.iterdir() if path.suffix == ".new"] == []


def test_a_plan_goes_into_no_folder(manifest: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path)
    for out in (tmp_path, tmp_path / "link"):
        ended = call("plan", "-f", manifest, "--out", out)
        assert (ended.code, ended.out) == (64, "")
        assert f"error: `{out}` is a folder" in ended.err
    ended = call("plan", "-f", manifest, "--out", tmp_path / "no" / "plan.json")
    assert ended.code == 64
    assert f"there is no folder `{tmp_path / 'no'}`" in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_an_error(manifest: Path):
    ended = call("plan", "-f", manifest, "--out", "/dev/full")
    assert ended.code == 1
    assert ended.err == "error: `/dev/full` can't be written: No space left on device\n"


def test_a_draft_that_fails_leaves_the_old_file(manifest: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "plan.json").write_text("old")

    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert call("plan", "-f", manifest, "--out", tmp_path / "plan.json").code == 1
    assert (tmp_path / "plan.json").read_text() == "old"
    assert [path for path in tmp_path.iterdir() if path.suffix == ".new"] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is not JSON"),
        (b"\xff", "the file is not UTF-8 text"),
        (b"{}", "this is no plan"),
        (EMPTY_PLAN, "the plan is broken at"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    for command in ("show", "apply"):
        ended = call(command, path)
        assert (ended.code, ended.out) == (64, "")
        assert f"error: `{path}`: {message}" in ended.err


def test_a_plan_of_another_format_is_stale(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text('{"kind": "qarun.plan", "formatVersion": "9.0"}')
    ended = call("show", path)
    assert ended.code == 6
    assert "format version `9.0`" in ended.err


def test_a_plan_that_is_not_there_is_wrong_use(tmp_path: Path):
    ended = call("show", tmp_path / "plan.json")
    assert ended.code == 64
    assert "can't be read: No such file or directory" in ended.err


def test_an_edited_plan_is_refused(manifest: Path, tmp_path: Path, database: Path):
    path = tmp_path / "plan.json"
    call("plan", "-f", manifest, "--out", path)
    path.write_text(path.read_text("utf-8").replace("Smoke of", "Fume of"), "utf-8")
    for command in ("show", "apply"):
        ended = call(command, path)
        assert (ended.code, ended.out) == (64, "")
        assert "it was edited after it was saved" in ended.err
        assert "hint: change the manifest instead, and plan again" in ended.err
    assert rows(database) == []


def test_two_plans_are_compared_action_by_action(manifest: Path, tmp_path: Path):
    reviewed, now = tmp_path / "reviewed.json", tmp_path / "now.json"
    call("plan", "-f", manifest, "--out", reviewed)
    runs = TWO.replace("folders: [6]", "folders: [6, 1]").replace("smoke:", "fume:")
    write(manifest, runs)
    call("plan", "-f", manifest, "--out", now)
    lines = call("show", now, "--against", reviewed).out.splitlines()
    assert lines[0] == "Server embedded, project BD, owner web-team"
    assert "  + make:fume: new" in lines
    assert "  - make:smoke: not any more" in lines
    assert "  ~ make:review: query_plans: (none) -> folder_ids 1, 6" in lines
    assert lines[-1].startswith("Digest: sha256:")
    assert call("show", now, "--against", now).out == "The actions are the same\n"
    assert call("show", now, "--against", now, "--format", "json").code == 64
