"""The scripts of the GitHub action one by one: what they find, what they leave alone."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ci_examples.expressions import holds
from ci_examples.forge import CI, PACKAGE, Repository
from ci_examples.runner import BASH, load

FOLDER = CI / "github" / "actions" / "qarun"
WORKFLOWS = CI / "github" / "workflows"
BOT = {"login": "github-actions[bot]"}
MARKER = "<!-- qarun:plan:web-team:BD@acme.eu1.qasphere.com -->"
ALL = "issues=write,pull-requests=write,statuses=write"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(repository: Repository, programs: Callable[[Path], Path], tmp_path: Path) -> Run:
    folder = programs(repository.forge)

    def call(
        script: str, *arguments: str | Path, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        given = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "GH_TOKEN": ALL,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REPOSITORY": "acme/qa",
            "GITHUB_RUN_ID": "7",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": "ffff",
            **environ,
        }
        command = [*BASH, FOLDER / script, *arguments]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        path = tmp_path / "text.md"
        path.write_text("".join(f"{line}\n" for line in (MARKER, *lines)))
        return path

    return write


def comment(number: int, body: str, login: str = BOT["login"], issue: int = 1) -> dict[str, object]:
    return {"id": number, "issue": issue, "user": {"login": login}, "body": body}


PULL = {"number": 1, "merged_at": None, "head": {"sha": "aaaa"}, "commits": ["aaaa", "ffff"]}


def test_only_our_own_comment_is_changed_wherever_it_is(
    run: Run, text: Callable[..., Path], repository: Repository
):
    others = [
        comment(1, f"{MARKER}\nmine", login="mallory"),
        comment(2, f"see {MARKER}"),
        comment(3, "<!-- qarun:plan:other-team:BD@acme.eu1.qasphere.com -->\nother"),
        comment(4, "a\tb\\n\nnothing"),
    ]
    repository.change(pulls=[PULL], comments=[*others, comment(5, f"{MARKER}\r\nold")])
    ended = run("comment.sh", "1", text("new"))
    assert ended.returncode == 0, ended.stderr
    assert repository.state["comments"][:4] == others
    assert repository.comments(1)[4] == f"{MARKER}\nnew\n"
    assert repository.state["writes"] == ["PATCH issues/comments/5"]


def test_a_text_of_one_line_takes_the_comment_away(
    run: Run, text: Callable[..., Path], repository: Repository
):
    repository.change(pulls=[PULL])
    for lines in ([], ["something"], [], []):
        assert run("comment.sh", "1", text(*lines)).returncode == 0
    assert [each.split()[0] for each in repository.state["writes"]] == ["POST", "DELETE"]


def test_a_listing_that_fails_makes_no_second_comment(
    run: Run, text: Callable[..., Path], repository: Repository
):
    ended = run("comment.sh", "1", text("new"))
    assert ended.returncode == 1
    assert repository.state["writes"] == []


def test_an_issue_is_ours_and_open(run: Run, text: Callable[..., Path], repository: Repository):
    labels = ["qarun-drift"]
    issues = [
        {"number": 1, "state": "closed", "user": BOT, "body": MARKER, "labels": labels},
        {
            "number": 2, "state": "open", "user": {"login": "mallory"}, "body": MARKER,
            "labels": labels,
        },
        {"number": 3, "state": "open", "user": BOT, "body": None, "labels": labels},
        {"number": 4, "state": "open", "user": BOT, "body": MARKER, "labels": []},
    ]  # fmt: skip
    repository.change(issues=issues, ids=4)
    assert run("issue.sh", text(), "No drift").returncode == 0
    assert repository.state["writes"] == []
    long = "Drift: " + "x" * 300
    assert run("issue.sh", text("drift"), long).returncode == 0
    assert run("issue.sh", text("more"), long).returncode == 0
    assert repository.state["writes"] == ["POST issues", "PATCH issues/5"]
    made = repository.state["issues"][4]
    assert (made["title"], made["body"]) == (long[:200], f"{MARKER}\nmore\n")


def status(context: str, login: str, state: str, description: str) -> dict[str, object]:
    words = {"context": context, "state": state, "description": description}
    return {"sha": "aaaa", "creator": {"login": login}, **words}


@pytest.mark.parametrize(
    ("statuses", "digest"),
    [
        ([], ""),
        ([status("qarun/plan", "github-actions[bot]", "success", "sha256:1")], "sha256:1"),
        ([status("qarun/plan", "mallory", "success", "sha256:2")], ""),
        ([status("qarun/other", "github-actions[bot]", "success", "sha256:2")], ""),
        (
            [
                status("qarun/plan", "github-actions[bot]", "failure", "sha256:3"),
                status("qarun/plan", "github-actions[bot]", "success", "sha256:4"),
            ],
            "",
        ),
    ],
    ids=["none", "ours", "somebody's", "another", "withheld since"],
)
def test_the_newest_digest_of_our_own_is_the_reviewed_one(
    run: Run, repository: Repository, statuses: list[dict[str, object]], digest: str
):
    merged = PULL | {"merged_at": "2026-11-22T12:00:00Z"}
    repository.change(pulls=[merged], statuses=statuses)
    ended = run("merged.sh", "digest", CONTEXT="qarun/plan")
    assert (ended.returncode, ended.stdout.strip()) == (0, digest), ended.stderr
    assert run("merged.sh", "number").stdout == "1\n"


@pytest.mark.parametrize("pulls", [[], [PULL]], ids=["no pull request", "not merged"])
def test_what_nobody_reviewed_has_no_digest(
    run: Run, repository: Repository, pulls: list[dict[str, object]]
):
    repository.change(pulls=pulls)
    for word in ("number", "digest"):
        ended = run("merged.sh", word, CONTEXT="qarun/plan")
        assert (ended.returncode, ended.stdout.strip()) == (0, ""), ended.stderr


@pytest.mark.parametrize("rights", ["pull-requests=read", "contents=read"])
def test_a_token_without_rights_is_told_so(
    run: Run, text: Callable[..., Path], repository: Repository, rights: str
):
    repository.change(pulls=[PULL])
    ended = run("comment.sh", "1", text("new"), GH_TOKEN=rights)
    assert ended.returncode == 1
    assert "HTTP 403" in ended.stderr


def step(name: str) -> str:
    found: list[str] = [
        each["run"]
        for each in load(FOLDER / "action.yml")["runs"]["steps"]
        if each.get("id") == name
    ]
    return found[0]


@pytest.mark.parametrize("has_qarun", [False, True])
def test_qarun_is_installed_where_it_is_not_there(tmp_path: Path, has_qarun: bool):  # noqa: FBT001  a parameter of the test
    programs = tmp_path / "bin"
    programs.mkdir()
    calls = tmp_path / "calls"
    pip = f'mkdir -p "$3/bin"; printf \'#!/bin/sh\\necho "$@" >>{calls}\\n\' >"$3/bin/pip"'
    for name, body in {
        "python3": f'echo "$@" >>{calls}; {pip}; chmod +x "$3/bin/pip"',
        **({"qarun": ":"} if has_qarun else {}),
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_PATH")}
    environ = {"PATH": f"{programs}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path / "temp")}
    environ |= {**files, "GITHUB_JOB": "plan", "PACKAGE": PACKAGE}
    subprocess.run([*BASH, "-c", step("install")], env=environ, check=True)
    said = (tmp_path / "GITHUB_OUTPUT").read_text()
    assert said == f"folder={tmp_path}/temp/qarun-plan\n"
    if has_qarun:
        assert not calls.exists()
    else:
        made, installed = calls.read_text().splitlines()
        assert made == f"-m venv {tmp_path}/temp/qarun-venv"
        assert installed.endswith(f" {PACKAGE}")
        assert (tmp_path / "GITHUB_PATH").read_text() == f"{tmp_path}/temp/qarun-venv/bin\n"


def test_nothing_is_installed_that_nobody_named(tmp_path: Path):
    (tmp_path / "python3").write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    (tmp_path / "python3").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), "PACKAGE": ""}
    environ |= {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_JOB": "plan"}
    command = [*BASH, "-c", step("install")]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "set the variable QARUN_PACKAGE" in ended.stderr
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("code", "stale", "digest", "ends", "says"),
    [
        (0, "report", "sha256:1", 0, "stale=false"),
        (6, "report", "sha256:1", 0, "stale=true"),
        (0, "report", "", 0, "stale=true"),
        (6, "fail", "sha256:1", 6, "stale=false"),
        (0, "fail", "", 6, "stale=false"),
        (5, "report", "sha256:1", 5, "stale=false"),
        (7, "report", "sha256:1", 7, "stale=false"),
    ],
)
def test_only_a_stale_plan_is_planned_again(  # the rest is trouble that somebody must see
    tmp_path: Path, code: int, stale: str, digest: str, ends: int, says: str
):
    (tmp_path / "qarun").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "qarun").chmod(0o755)
    output = tmp_path / "output"
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "FILES": "qa", "FOLDER": str(tmp_path)}
    environ |= {"GITHUB_OUTPUT": str(output), "DIGEST": digest, "STALE": stale}
    ended = subprocess.run([*BASH, "-c", step("apply")], env=environ, check=False)
    assert (ended.returncode, output.read_text().splitlines()[-1]) == (ends, says)


@pytest.mark.parametrize(
    ("event", "has_report", "ends"),
    [
        ("push", False, 5),
        ("workflow_dispatch", False, 5),
        ("schedule", False, 0),
        ("schedule", True, 5),
    ],
)
def test_what_is_withheld_is_told_at_the_merge_and_not_each_night(
    tmp_path: Path,
    event: str,
    has_report: bool,  # noqa: FBT001  a parameter of the test
    ends: int,
):
    write = f"echo done >{tmp_path}/report.md" if has_report else ":"
    (tmp_path / "qarun").write_text(f"#!/bin/sh\n{write}\nexit 5\n")
    (tmp_path / "qarun").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "FILES": "qa", "FOLDER": str(tmp_path)}
    environ |= {"GITHUB_OUTPUT": str(tmp_path / "output"), "DIGEST": "sha256:1", "STALE": "report"}
    environ["GITHUB_EVENT_NAME"] = event
    ended = subprocess.run([*BASH, "-c", step("apply")], env=environ, check=False)
    assert ended.returncode == ends
    assert f"code={ends}" in (tmp_path / "output").read_text()


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (2, 0), (3, 3), (9, 9)])
def test_drift_is_news_and_trouble_is_trouble(tmp_path: Path, code: int, ends: int):
    (tmp_path / "qarun").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "qarun").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "FILES": "qa", "FOLDER": str(tmp_path)}
    assert subprocess.run([*BASH, "-c", step("drift")], env=environ, check=False).returncode == ends


@pytest.mark.parametrize(
    ("planned", "state", "says"),
    [
        ({"WITHHELD": "false", "DIGEST": "sha256:1"}, "success", "sha256:1"),
        ({"WITHHELD": "true", "DIGEST": "sha256:1"}, "failure", "sha256:1"),
        ({"WITHHELD": "", "DIGEST": ""}, "failure", "no plan could be made"),
    ],
    ids=["planned", "withheld", "broken"],
)
def test_only_a_plan_that_can_be_applied_is_a_success(
    run: Run, repository: Repository, planned: dict[str, str], state: str, says: str
):
    given = {"HEAD_SHA": "aaaa", "NUMBER": "", "FOLDER": "/nowhere", "CONTEXT": "qarun/plan"}
    ended = run("publish.sh", **given, **planned)
    assert ended.returncode == 0, ended.stderr
    (made,) = repository.state["statuses"]
    assert (made["state"], made["description"]) == (state, says)
    assert made["target_url"] == "https://github.com/acme/qa/actions/runs/7"


@pytest.mark.parametrize(
    ("changes", "withheld", "says"),
    [
        ("true", "false", "This plan waits for an approval"),
        ("true", "true", "Something is withheld, so nobody is asked to approve it"),
        ("false", "false", "Nothing is left to do"),
    ],
)
def test_a_stale_plan_says_what_comes_of_it(
    run: Run, repository: Repository, tmp_path: Path, changes: str, withheld: str, says: str
):
    ours = comment(7, "<!-- qarun:plan:web -->\nreviewed")
    merged = PULL | {"merged_at": "2026-11-22T12:00:00Z"}
    repository.change(pulls=[merged], comments=[ours])
    (tmp_path / "plan.md").write_text("<!-- qarun:plan:web -->\n### Plan\n")
    given = {"HEAD_SHA": "", "NUMBER": "", "FOLDER": str(tmp_path), "CONTEXT": "web"}
    given |= {"DIGEST": "sha256:1", "CHANGES": changes, "WITHHELD": withheld}
    assert run("publish.sh", **given).returncode == 0
    (told,) = repository.comments(1)
    assert f"and nothing was done. {says}" in told
    is_asked = load(WORKFLOWS / "qarun-apply.yml")["jobs"]["approved"]["if"]
    needs = {"again": {"outputs": {"changes": changes, "withheld": withheld}}}
    assert holds(is_asked, {"needs": needs}, has_failed=False) is ("waits" in says)

    repository.change(comments=[])
    assert run("publish.sh", **given).returncode == 0
    assert len(repository.comments(1)) == (changes == "true")
