"""`qarun validate`: all problems at once, offline."""

from pathlib import Path

from cli.support import HEAD, ONE, call, write


def test_a_valid_manifest_passes(tmp_path: Path):
    ended = call("validate", "-f", write(tmp_path / "m.yaml"))
    assert (ended.code, ended.out, ended.err) == (0, "No problems found\n", "")


def test_the_default_file_is_found():
    write(Path("qarun.yaml"))
    assert call("validate").code == 0


def test_all_problems_are_shown_at_once(tmp_path: Path):
    runs = ONE + "    titel: x\n  other:\n    title: Smoke of the week\n    type: fancy\n"
    path = write(tmp_path / "m.yaml", runs)
    ended = call("validate", "-f", path)
    assert ended.code == 3
    assert f"{path}:{HEAD.count(chr(10)) + 6}:5: error[unknown-key]: " in ended.out
    assert "error[unknown-value]: " in ended.out
    assert ended.out.splitlines()[-1].endswith(" errors in 1 file")
    assert ended.err == ""


def test_warnings_do_not_fail(tmp_path: Path):
    head = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\nserver: embedded\n"
    ended = call("validate", "-f", write(tmp_path / "m.yaml", head=head))
    assert ended.code == 0
    assert "warning[run-has-milestone]" in ended.out


def test_json_has_every_problem_with_its_place(tmp_path: Path):
    path = write(tmp_path / "m.yaml", ONE + "    titel: x\n")
    ended = call("validate", "-f", path, "--format", "json")
    assert ended.code == 3
    assert ended.json["kind"] == "qarun.diagnostics"
    assert ended.json["summary"] == {"errors": 1, "warnings": 0, "isValid": False}
    [found] = ended.json["diagnostics"]
    assert (found["rule"], found["location"]["file"]) == ("unknown-key", str(path))


def test_validate_asks_no_server(tmp_path: Path, monkeypatch):
    head = HEAD.replace("embedded", "https://nowhere.invalid")
    assert call("validate", "-f", write(tmp_path / "m.yaml", head=head)).code == 0
