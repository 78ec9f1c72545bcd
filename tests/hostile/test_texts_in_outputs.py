"""Hostile titles, names and descriptions on the server act in no output of any command."""

import json
import re
from pathlib import Path

import pytest
from cli.support import HEAD, Ended, call, make_run, write
from hostile.conftest import changing
from hostile.texts import NASTY, harm

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
    runs["nobody"] = one(
        "Nobody", more="    assignee: nobody@example.com\n    milestone: Sprint 2\n"
    )
    runs["adopted"] = one("Adopted", more="    adopt: {run: 30}\n")
    runs["held"] = one(NASTY[17])
    return runs


def test_no_command_lets_them_act(hostile_world: Path, tmp_path: Path):
    path = manifest(hostile_world, declared(), HEAD + "prune: close\n")
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
    refused = check(call("apply", "-f", path, "--auto-approve"))
    assert refused.code == 5
    applied = check(
        call("apply", "-f", path, "--auto-approve", "--skip-blocked", "--approve-closes", "17")
    )
    assert applied.code in (0, 5), applied.all
    check(call("apply", "-f", path, "--auto-approve", "--skip-blocked", "--format", "json"))


KEYS = ["::error::x", "##[error]x", "a\x1b[31m\n::error::x", "\u202e##vso[x]"]


@pytest.mark.parametrize("key", KEYS)
def test_a_plan_file_with_hostile_keys(key: str, tmp_path: Path, database: Path):
    from runs_as_code.planning.fingerprint import plan_digest  # noqa: PLC0415 -- see below
    from runs_as_code.report.document import plan_from_json  # noqa: PLC0415 -- only here

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
