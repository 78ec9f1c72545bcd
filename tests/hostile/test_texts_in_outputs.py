"""Hostile titles, names and descriptions on the server act in no output of any command."""

import json
import re
from pathlib import Path

import pytest
from cli.support import HEAD, Ended, call, make_run, write
from hostile.conftest import changing
from hostile.texts import NASTY, harm

from runs_as_code.cli.outputs import FINDINGS_FORMATS, PLAN_FORMATS, REPORT_FORMATS
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.document import plan_from_json

PRUNE = "prune: close\nlimits: {close: 1000, percent: 100}\n"
ONE = "    title: {title}\n    type: live\n    queryPlans: [{{folders: [{folder}]}}]\n{more}"


def manifest(path: Path, runs: dict[str, str], head: str = HEAD) -> Path:
    return write(path, "runs:\n" + "".join(f"  {key}:\n{text}" for key, text in runs.items()), head)


def one(title: str, folder: str = "1", more: str = "") -> str:
    return ONE.format(title=json.dumps(title), folder=folder, more=more)


def check(ended: Ended, *, colors: bool = False) -> Ended:
    assert harm(ended.out, colors=colors) == []
    assert harm(ended.err, colors=colors) == []
    # Whoever posts the output inside of a fence of Markdown must not find it closed.
    assert not re.search(r"^ {0,3}(```|~~~)", ended.all, re.MULTILINE)
    return ended


@pytest.fixture
def hostile_world(tmp_path: Path, database: Path) -> Path:
    """Runs of every kind, and then every text that others control says something nasty."""
    path = tmp_path / "m.yaml"
    more = "    milestone: Sprint 24\n    assignee: ann@example.com\n"
    runs = {f"k{n}": one(f"Run {n}", more=more) for n in range(len(NASTY))}
    assert check(call("apply", "-f", manifest(path, runs), "--auto-approve")).code == 0
    for number in range(len(NASTY)):
        make_run(database, f"Unmanaged {number}", "by hand")
    with changing(database) as connection:
        for number, text in enumerate(NASTY):
            connection.execute(
                "UPDATE run SET title = ?, description = ? || description WHERE title = ?",
                (f"{text} {number}", f"{text.replace('[qarun:', '')}\n", f"Run {number}"),
            )
            connection.execute(
                "UPDATE run SET title = ?, description = ? WHERE title = ?",
                (f"u{number} {text}" if number % 2 else text, text, f"Unmanaged {number}"),
            )
            connection.execute(
                "INSERT INTO folder SELECT 100 + ?, project_id, 0, ?, ?, 99, created_at, updated_at"
                " FROM folder WHERE id = 1",
                (number, f"Checkout{text}", text),
            )
        connection.execute(
            "UPDATE run SET closed_at = '2024-01-01\x1b[31m\n::error::x', closed_by = 7"
            " WHERE id % 9 = 0"
        )
        connection.execute(
            "UPDATE milestone SET title = '\n::error::' || ? WHERE id = 6", NASTY[:1]
        )
        connection.execute("UPDATE user SET email = '\n##[error]' || ? WHERE id = 7", NASTY[:1])
    return path


def declared() -> dict[str, str]:
    """Every kind of decision: kept, replaced, closed, adopted, held, blocked, orphaned."""
    runs = {f"k{n}": one(f"Run {n}") for n in range(12)}
    runs["k3"] = one("Run 3", folder="2")
    runs["k4"] = one("Renamed 4", more="    description: new\n")
    runs["k5"] = "    title: Run 5\n    state: closed\n"
    runs["new"] = one("::set-output name=a::b")
    runs["other"] = one("##vso[task.complete] `x` | @ann <b>", more="    description: '##[x]'\n")
    runs["near"] = one("Near", folder="Chekout")
    # In a folder of its own: what selects as the orphans do, and can't be made, holds them open.
    runs["nobody"] = one(
        "Nobody", "3", more="    assignee: nobody@example.com\n    milestone: Sprint 2\n"
    )
    runs["adopted"] = one("Adopted", more="    adopt: {run: 30}\n")
    runs["held"] = one(NASTY[17])
    return runs


def approvals(path: Path) -> list[str]:
    """Return what lets an apply do all it can, which is not all it is asked for."""
    changes = call("plan", "-f", path, "--format", "json").json["projects"][0]["changes"]
    keys = [argument for change in changes for argument in ("--approve", change["key"])]
    return ["--auto-approve", "--skip-blocked", *keys]


def test_no_command_lets_them_act(hostile_world: Path, tmp_path: Path):
    path = manifest(hostile_world, declared(), HEAD + PRUNE)
    check(call("validate", "-f", path))
    saved, other = tmp_path / "plan.json", tmp_path / "other.json"
    text = check(call("plan", "-f", path, "--verbose", "--show-unmanaged", "--out", saved))
    assert text.code == 0
    assert r"#\x23vso[task.complete]" in text.out
    check(call("plan", "-f", path, "--color", "always"), colors=True)
    check(call("plan", "-f", path, "--ascii", "--replace", "k7", "--out", other))
    check(call("show", saved, "--show-unmanaged"))
    check(call("show", other, "--against", saved))
    document = check(call("plan", "-f", path, "--format", "json"))
    assert any("##vso[" in change["title"] for change in document.json["projects"][0]["changes"])
    assert harm(saved.read_text("utf-8")) == []
    listed = check(call("list", "-f", path, "--format", "json"))
    assert {NASTY[0], NASTY[6], NASTY[10]} <= {run["title"] for run in listed.json["runs"]}
    check(call("list", "-f", path))
    assert check(call("drift", "-f", path)).code == 2
    check(call("drift", "-f", path, "--format", "json"))
    refused = check(call("apply", "-f", path, "--auto-approve"))
    assert refused.code == 5
    applied = check(call("apply", "-f", path, *approvals(path)))
    assert applied.code == 5, applied.all
    assert applied.err.count("done  close run") > 10
    check(call("apply", "-f", path, *approvals(path), "--format", "json"))


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_of_a_loop_lets_them_act(form: str, hostile_world: Path, tmp_path: Path):
    path = manifest(hostile_world, declared(), HEAD + PRUNE)
    metrics = tmp_path / "metrics.prom"
    flags = ["--once", "-v", "--log-format", form, "--metrics-file", metrics]
    ended = check(call("reconcile", "-f", path, *flags, "--provenance", f"by={NASTY[0]}"))
    assert ended.code == 5, ended.all
    assert "blocked" in ended.err
    assert harm(metrics.read_text("utf-8")) == []
    if form == "json":
        assert all(isinstance(json.loads(line), dict) for line in ended.err.splitlines())


def test_a_failure_told_in_json_lets_them_act_no_more(hostile_world: Path):
    path = manifest(hostile_world, declared(), HEAD + PRUNE)
    ended = check(call("apply", "-f", path, "--auto-approve", "--format", "json"))
    assert ended.json["exitCode"] == ended.code == 5
    named = check(call("apply", "-f", path, "--format", "json", "--approve", NASTY[0]))
    assert named.json["exitCode"] == named.code == 64


FORMATS = {
    "plan": PLAN_FORMATS,
    "drift": REPORT_FORMATS,
    "validate": FINDINGS_FORMATS,
    "apply": REPORT_FORMATS,
}


@pytest.mark.parametrize("command", FORMATS)
def test_no_file_of_any_format_lets_them_act(command: str, hostile_world: Path, tmp_path: Path):
    path = manifest(hostile_world, declared(), HEAD + PRUNE)
    if command == "validate":
        path.write_text(
            path.read_text("utf-8").replace("queryPlans", "'##[x] \\e[31m`@ann`'"), "utf-8"
        )
    names = [name for name in FORMATS[command] if name != "github"]
    arguments = [f"--output={name}={tmp_path / name}" for name in names]
    if command == "apply":
        arguments += approvals(path)
    environ = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    ended = call(command, "-f", path, *arguments, "--output=github", **environ)
    assert "internal error" not in ended.err
    # Annotations are commands to the runner by intention: of ours, one a line, and nothing else.
    lines = ended.err.split("\n")
    others = [line for line in lines if not re.match(r"::(error|warning|notice) ", line)]
    assert harm("\n".join(others)) == []
    assert harm(ended.out) == []
    for name in (*names, *environ):
        text = (tmp_path / name).read_text("utf-8")
        assert text
        assert harm(text) == [], name
        if name == "GITHUB_OUTPUT":
            assert all(re.match(r"[a-z_]+=", line) for line in text.splitlines())


KEYS = ["::error::x", "##[error]x", "a\x1b[31m\n::error::x", "\u202e##vso[x]"]


@pytest.mark.parametrize("key", KEYS)
def test_a_plan_file_with_hostile_keys(key: str, tmp_path: Path, database: Path):
    saved = tmp_path / "plan.json"
    call("plan", "-f", manifest(tmp_path / "m.yaml", {"k": one("T")}), "--out", saved)
    data = json.loads(saved.read_text("utf-8").replace('"k"', json.dumps(key)))
    data["digest"] = plan_digest(plan_from_json(data)[0])
    saved.write_text(json.dumps(data), "utf-8")
    check(call("show", saved))
    check(call("show", saved, "--format", "json"))
    check(call("apply", saved))


@pytest.mark.parametrize("name", ["::error::x.yaml", "##[error]x.yaml", "a\x1b[31m\n::x.yaml"])
def test_a_folder_with_hostile_names(name: str, tmp_path: Path, database: Path):
    folder = tmp_path / "qa"
    folder.mkdir()
    (folder / name).write_text(HEAD + "runs: {k: {titel: x}}\n", "utf-8")
    for arguments in (["-f", folder], ["-f", folder, "--format", "json"], ["-f", folder / name]):
        ended = check(call("validate", *arguments))
        assert ended.code == 3
    check(call("plan", "-f", folder))
    check(call("validate", "-f", name))


WORDS = ["::error::x", "\x1b[31m##[error]x\n::warning::y", "##vso[task.complete]", "\udcff", "a..b"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["plan", "--server", "{}"],
        ["plan", "--approve", "{}"],
        ["plan", "--target", "{}"],
        ["plan", "--rate", "{}"],
        ["plan", "--out", "{}/x"],
        ["plan", "{}"],
        ["plan", "--{}"],
        ["show", "{}"],
        ["apply", "{}"],
        ["apply", "--expect-digest", "{}"],
        ["serve", "--host", "{}"],
    ],
    ids=" ".join,
)
def test_hostile_arguments(arguments: list[str], word: str, tmp_path: Path):
    write(tmp_path / "qarun.yaml")
    ended = check(call(*(argument.format(word, word) for argument in arguments)))
    assert ended.code != 0
    assert "internal error" not in ended.err
