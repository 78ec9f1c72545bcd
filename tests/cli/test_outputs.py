"""`--output FORMAT=PATH`: files beside the text, and what a step of GitHub Actions gets."""

import json
import os
import re
from pathlib import Path

import pytest
from cli.support import HEAD, ONE, TWO, call, titles, write
from golden import samples

from runs_as_code.cli.outputs import Outputs
from runs_as_code.cli.publications import report_publication
from runs_as_code.report.outputs.github import annotation_lines

BROKEN = ONE + "    titel: x\n"
PRUNING = HEAD + "prune: close\n"


@pytest.fixture
def manifest(tmp_path: Path, database: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO)


@pytest.fixture
def github(tmp_path: Path, monkeypatch) -> Path:
    """A step of GitHub Actions: a workspace, and files for its summary and outputs."""
    step = tmp_path / "step"
    step.mkdir()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(step / "output"))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    return step


def outputs(step: Path) -> dict[str, str]:
    lines = (step / "output").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_files_are_written_beside_the_text(manifest: Path, tmp_path: Path):
    plain = call("plan", "-f", manifest)
    wanted = {
        "json": "p.json",
        "markdown": "p.md",
        "html": "p.html",
        "sarif": "p.sarif",
        "gitlab-terraform": "t.json",
        "gitlab-codequality": "q.json",
    }
    flags = [part for name, file in wanted.items() for part in ("--output", f"{name}={file}")]
    ended = call("plan", "-f", manifest, *flags)
    assert (ended.code, ended.out, ended.err) == (0, plain.out, "")
    assert json.loads(Path("p.json").read_text("utf-8"))["kind"] == "qarun.plan"
    assert Path("p.md").read_text("utf-8").startswith("<!-- qarun:plan -->\n")
    assert Path("p.html").read_text("utf-8").startswith("<!DOCTYPE html>\n")
    assert json.loads(Path("p.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert json.loads(Path("t.json").read_text("utf-8")) == {"create": 2, "update": 0, "delete": 0}
    assert json.loads(Path("q.json").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yaml=x", "no format `yaml` here; expected one of `json`, `markdown`"),
        ("markdown", "name a file: `markdown=PATH`"),
        ("markdown=", "name a file: `markdown=PATH`"),
        ("json=-", "name a file: `json=PATH`"),
        ("github=x", "`github` takes no path"),
        ("json=no/such.json", "there is no folder `no`"),
        ("json=.", "`.` is a folder"),
    ],
)
def test_a_wrong_output_is_wrong_use_before_anything_is_read(value: str, message: str):
    for command in ("plan", "apply", "validate"):
        ended = call(command, "-f", "missing.yaml", "--output", value)
        assert (ended.code, ended.out) == (64, "")
        assert message in ended.err


def test_one_file_is_not_written_twice(manifest: Path):
    for flags in (
        ("--output", "json=x", "--output", "markdown=./x"),
        ("--out", "x", "--output", "json=x"),
    ):
        ended = call("plan", "-f", manifest, *flags)
        assert ended.code == 64
        assert "is to be written twice" in ended.err
        assert not Path("x").exists()


def test_what_is_read_is_not_written(manifest: Path):
    good = manifest.read_text("utf-8")
    for command in ("plan", "apply", "drift", "validate"):
        ended = call(command, "-f", manifest, "--output", f"markdown={manifest}")
        assert ended.code == 64
        assert "is where this call reads from, and would be lost" in ended.err
    assert call("plan", "-f", manifest, "--out", manifest).code == 64
    assert call("plan", "-f", manifest, "--out", "plan.json").code == 0
    for command in ("show", "apply"):
        assert call(command, "plan.json", "--output", "json=./plan.json").code == 64
    assert manifest.read_text("utf-8") == good


def test_a_command_has_only_formats_that_it_can_fill(manifest: Path):
    assert "no format `junit` here" in call("plan", "-f", manifest, "--output", "junit=x").err
    assert "no format `sarif` here" in call("apply", "-f", manifest, "--output", "sarif=x").err


# --- Markdown


def next_step(path: Path) -> list[str]:
    """The command in the last lines, without the name of the program."""
    fence, line, end, *_ = path.read_text("utf-8").splitlines()[:-4:-1]
    assert (fence, end) == ("```", "```sh")
    return line.split()[1:]


def test_the_next_step_applies_exactly_the_plan(manifest: Path, database: Path):
    call("plan", "-f", manifest, "--target", "sm*", "--output", "markdown=p.md")
    step = next_step(Path("p.md"))
    assert step[:5] == ["apply", "-f", str(manifest), "--target", "'sm*'"]
    assert call(*(word.strip("'") for word in step)).code == 0
    assert titles(database) == ["Smoke of the week"]


def test_the_next_step_of_a_saved_plan_is_to_apply_it(manifest: Path, database: Path):
    call("plan", "-f", manifest, "--out", "plan.json", "--output", "markdown=p.md")
    assert next_step(Path("p.md")) == ["apply", "plan.json"]
    shown = Path("p.md").read_text("utf-8")
    assert call("show", "plan.json", "--output", "markdown=again.md").code == 0
    assert Path("again.md").read_text("utf-8") == shown
    assert call(*next_step(Path("p.md"))).code == 0
    assert len(titles(database)) == 2


def test_a_comparison_of_plans_has_no_files(manifest: Path):
    call("plan", "-f", manifest, "--out", "p.json")
    ended = call("show", "p.json", "--against", "p.json", "--output", "markdown=x.md")
    assert (ended.code, Path("x.md").exists()) == (64, False)


def test_a_comment_keeps_its_name_whoever_comes_to_be_declared(manifest: Path, github: Path):
    flags = ["--comment-id", "qa/web", "--output", "markdown=m.md", "--output", "github"]
    other = manifest.with_name("other.yaml")
    for number, words in enumerate(("plan", "plan", "apply --auto-approve", "drift", "validate")):
        write(other, ONE.replace("Smoke", f"Tour {number}"), HEAD.replace("web-", f"t{number}-"))
        ended = call(*words.split(), "-f", manifest, "-f", other, *flags)
        assert ended.code == 0, ended.err
        marker = f"<!-- qarun:{words.split()[0]}:qa/web -->"
        assert Path("m.md").read_text("utf-8").startswith(f"{marker}\n")
        assert marker in (github / "summary.md").read_text("utf-8")
        if words in {"plan", "drift"}:
            assert outputs(github)["marker"] == marker


def test_markdown_is_bounded(manifest: Path):
    runs = "runs:\n" + "".join(
        f"  key-{n}: {{title: Run {n}, type: live, queryPlans: [{{folders: [1]}}]}}\n"
        for n in range(200)
    )
    write(manifest, runs)
    call("plan", "-f", manifest, "--output", "markdown=p.md", "--max-bytes", "9000")
    content = Path("p.md").read_bytes()
    assert 8000 < len(content) <= 9000
    assert b" more, see the artifact**" in content
    assert call("plan", "-f", manifest, "--max-bytes", "100").code == 64


def test_quiet_says_nothing_when_nothing_is_to_be_done(manifest: Path, github: Path):
    flags = ["--quiet-if-unchanged", "--output", "markdown=p.md", "--output", "github"]
    loud = call("plan", "-f", manifest, *flags)
    assert "Plan: 2 to create" in loud.out
    assert "### Plan: 2 to create" in (github / "summary.md").read_text("utf-8")
    (github / "summary.md").unlink()
    call("apply", "--auto-approve", "-f", manifest)
    quiet = call("plan", "-f", manifest, *flags)
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert Path("p.md").read_text("utf-8") == "<!-- qarun:plan -->\n"
    assert not (github / "summary.md").exists()
    assert outputs(github)["changes"] == "false"
    assert call("plan", "-f", manifest, "--quiet-if-unchanged", "--format", "json").json


# --- GitHub


def test_a_step_gets_summary_outputs_and_annotations(manifest: Path, github: Path, tmp_path: Path):
    call("apply", "--auto-approve", "-f", manifest)
    write(manifest, ONE.replace("folders: [1]", "folders: [Nowhere]"), PRUNING)
    ended = call("plan", "-f", manifest, "--out", "plan.json", "--output", "github")
    assert ended.code == 0
    values = outputs(github)
    expected = {"changes": "true", "withheld": "true", "make_count": "0", "close_count": "1"}
    assert {name: values[name] for name in expected} == expected
    assert values["plan_path"] == "plan.json"
    assert values["digest"] in ended.out
    assert values["marker"] in (github / "summary.md").read_text("utf-8").splitlines()
    place = f"file=m.yaml,line={HEAD.count(chr(10)) + 6},col=29"
    assert f"::warning {place},title=unresolved-name::" in ended.err
    assert re.search("::notice title=would close run [12]::`Menu review`: ", ended.err)


def test_what_others_wrote_is_kept(manifest: Path, github: Path):
    (github / "summary.md").write_text("mine\n")
    call("plan", "-f", manifest, "--output", "github")
    call("validate", "-f", manifest, "--output", "github")
    text = (github / "summary.md").read_text("utf-8")
    assert text.startswith("mine\n<!-- qarun:plan -->\n")
    assert "<!-- qarun:validate -->" in text


def test_outside_of_a_step_a_warning_says_what_is_missing(manifest: Path):
    ended = call("plan", "-f", manifest, "--output", "github")
    assert ended.code == 0
    assert "warning: `GITHUB_OUTPUT` is not set" in ended.err
    assert "warning: `GITHUB_STEP_SUMMARY` is not set" in ended.err


def test_a_step_whose_files_can_not_be_written_fails(manifest: Path, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", "/no/such/file")
    ended = call("plan", "-f", manifest, "--output", "github")
    assert ended.code == 1
    assert "error: `/no/such/file` can't be written" in ended.err


def test_paths_are_those_in_the_repository(tmp_path: Path, monkeypatch):
    path = write(tmp_path / "repo" / "qa" / "m.yaml", BROKEN)
    monkeypatch.chdir(path.parent)
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        environ = {variable: str(tmp_path / "repo")}
        flags = ["--output", "github", "--output", "sarif=s.json", "--output", "json=d.json"]
        ended = call("validate", "-f", "m.yaml", *flags, **environ)
        assert "::error file=qa/m.yaml,line=" in ended.err
        assert '"uri": "qa/m.yaml"' in Path("s.json").read_text("utf-8")
        assert '"file": "m.yaml"' in Path("d.json").read_text("utf-8")
    outside = call("validate", "-f", "m.yaml", "--output", "github", GITHUB_WORKSPACE="/nowhere")
    assert "::error file=m.yaml,line=" in outside.err


# --- files with errors


def test_validate_writes_every_format(tmp_path: Path, github: Path):
    path = write(tmp_path / "m.yaml", BROKEN)
    names = ["json", "markdown", "junit", "sarif", "gitlab-codequality"]
    flags = [part for name in names for part in ("--output", f"{name}={name}")]
    ended = call("validate", "-f", path, *flags, "--output", "github")
    assert ended.code == 3
    for name in names:
        assert "unknown-key" in Path(name).read_text("utf-8")
    assert outputs(github)["valid"] == "false"
    assert outputs(github)["error_count"] == "1"
    assert "title=unknown-key::unknown key `titel`" in ended.err


def test_validate_is_quiet_about_good_files(tmp_path: Path):
    path = write(tmp_path / "m.yaml")
    ended = call("validate", "-f", path, "--quiet-if-unchanged", "--output", "markdown=v.md")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert Path("v.md").read_text("utf-8") == "<!-- qarun:validate -->\n"


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_files_with_errors_are_annotated_where_no_plan_is_made(
    command: list[str], tmp_path: Path, github: Path
):
    path = write(tmp_path / "m.yaml", BROKEN)
    ended = call(*command, "-f", path, "--output", "github", "--output", "markdown=p.md")
    assert ended.code == 3
    assert "::error file=m.yaml,line=" in ended.err
    assert outputs(github)["valid"] == "false"
    assert "unknown key `titel`" in (github / "summary.md").read_text("utf-8")
    # Whose comment would be updated by it is not known.
    assert not Path("p.md").exists()


# --- apply


def test_an_apply_writes_its_report(manifest: Path, github: Path, database: Path):
    names = ["json", "markdown", "junit"]
    flags = [part for name in names for part in ("--output", f"{name}={name}")]
    ended = call("apply", "--auto-approve", "-f", manifest, *flags, "--output", "github")
    assert ended.code == 0
    assert json.loads(Path("json").read_text("utf-8"))["kind"] == "qarun.report"
    assert "### Apply: 2 done" in Path("markdown").read_text("utf-8")
    assert 'tests="2" failures="0"' in Path("junit").read_text("utf-8")
    values = outputs(github)
    assert (values["exit_code"], values["done_count"], values["verified"]) == ("0", "2", "true")
    assert "::error" not in ended.err


def test_what_fell_short_is_annotated():
    step = report_publication(samples.FELL_SHORT, Outputs()).step
    lines = annotation_lines(step.annotations)
    assert lines[0] == (
        "::error title=certification%3A failed::create revision r2 as `Release 2.4 certification`:"
        " the server refuses the title: too many runs"
    )
    assert "::error title=checkout%3A reading back::run 62 differs from what was sent" in lines
    assert len(lines) == 6
    assert (step.values["exit_code"], step.values["failed_count"]) == (7, 1)


def test_a_refused_apply_only_has_a_document(manifest: Path, database: Path):
    outputs = ("--output", "json=r.json", "--output", "markdown=r.md", "--output", "junit=r.xml")
    ended = call("apply", "-f", manifest, *outputs)
    assert (ended.code, json.loads(Path("r.json").read_text("utf-8"))["exitCode"]) == (5, 5)
    assert not Path("r.md").exists()
    assert not Path("r.xml").exists()


def test_a_report_that_can_not_be_written_does_not_hide_what_was_done(
    manifest: Path, database: Path, monkeypatch
):
    monkeypatch.setenv("GITHUB_OUTPUT", "/no/such/file")
    ended = call("apply", "--auto-approve", "-f", manifest, "--output", "github")
    assert ended.code == 1
    assert "2 done" in ended.out
    assert "error: `/no/such/file` can't be written" in ended.err
    assert len(titles(database)) == 2


def test_outputs_honour_the_umask(manifest: Path):
    old = os.umask(0o027)
    try:
        call("plan", "-f", manifest, "--output", "markdown=p.md")
    finally:
        os.umask(old)
    assert Path("p.md").stat().st_mode & 0o777 == 0o640
