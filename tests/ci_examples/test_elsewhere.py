"""GitLab, cron, pre-commit: their shell is run, with the programs of this checkout."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ci_examples.conftest import Service
from ci_examples.forge import CI, PACKAGE, ROOT, install
from ci_examples.runner import git, load
from ci_examples.test_github_story import HEAD, REVIEW, SMOKE

ONCE = CI / "qarun-once.sh"
JOBS = load(CI / "gitlab" / ".gitlab-ci.yml")

Job = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path, identity: None) -> Path:
    """A clone whose `main` has one run, and `change`, begun before that, another."""
    origin, clone = tmp_path / "origin.git", tmp_path / "clone"
    git("init", "--quiet", "--bare", "--initial-branch=main", origin)
    git("clone", "--quiet", origin, clone)
    git("commit", "--quiet", "--allow-empty", "--message", "Begin", cwd=clone)
    begin = git("rev-parse", "HEAD", cwd=clone)
    for name, branch, runs in (("smoke", "main", SMOKE), ("review", "change", REVIEW)):
        git("checkout", "--quiet", "-B", branch, begin, cwd=clone)
        (clone / "qa").mkdir(exist_ok=True)
        owner = HEAD.replace("web-team", f"{name}-team")
        (clone / "qa" / f"{name}.yaml").write_text(owner + runs)
        git("add", "--all", cwd=clone)
        git("commit", "--quiet", "--message", name, cwd=clone)
        git("push", "--quiet", "--set-upstream", "origin", branch, cwd=clone)
    return clone


@pytest.fixture
def environ(tmp_path: Path, service: Service, qarun: str) -> dict[str, str]:
    programs = tmp_path / "bin"
    install(programs, tmp_path / "none", qarun)
    (programs / "pip").write_text('#!/bin/sh\necho "pip $@"\n')
    (programs / "pip").chmod(0o755)
    (programs / ONCE.name).symlink_to(ONCE)
    kept = {name: value for name, value in os.environ.items() if name.startswith("GIT_")}
    return {
        **kept,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "QAS_URL": service.address,
    }


@pytest.fixture
def job(checkout: Path, environ: dict[str, str], service: Service) -> Job:
    """Run a job as GitLab does: all lines in one shell that ends at the first failure."""
    keys = {"QAS_TOKEN_READ": service.keys["vera"]}

    def run(name: str, **more: str) -> subprocess.CompletedProcess[str]:
        given: dict[str, Any] = JOBS[name]
        lines = [*JOBS[".qarun"]["before_script"], *given["script"]]
        variables = {**JOBS["variables"], **given.get("variables", {})}
        if given.get("environment") == "qa-sphere":
            variables["QAS_TOKEN"] = service.keys["ann"]
        filled = {key: keys.get(value[1:], value) for key, value in variables.items()}
        gitlab = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(checkout),
            "QARUN_PACKAGE": PACKAGE,
            "CI_COMMIT_SHA": git("rev-parse", "HEAD", cwd=checkout),
            "GITLAB_USER_LOGIN": "ann",
            "CI_PIPELINE_URL": "https://gitlab.com/acme/qa/-/pipelines/7",
        }
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
            cwd=checkout,
            env={**environ, **filled, **gitlab, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def reports(name: str, checkout: Path) -> dict[str, Path]:
    """Return the reports of a job; each must have been written."""
    found = {kind: checkout / path for kind, path in JOBS[name]["artifacts"]["reports"].items()}
    assert all(path.is_file() for path in found.values())
    return found


def test_gitlab_plans_the_merge_and_applies_what_was_clicked(
    job: Job, checkout: Path, service: Service
):
    target = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    planned = job("plan", CI_MERGE_REQUEST_EVENT_TYPE="detached", **target)
    assert planned.returncode == 0, planned.stderr
    assert f"pip install --quiet --root-user-action=ignore {PACKAGE}\n" in planned.stdout
    found = reports("plan", checkout)
    # One of the two is declared by the target branch alone: it is the merge that was planned.
    assert json.loads(found["terraform"].read_text()) == {"create": 2, "delete": 0, "update": 0}
    assert json.loads(found["codequality"].read_text()) == []
    assert service.runs() == {}

    git("push", "--quiet", "origin", "HEAD:main", cwd=checkout)
    assert job("plan-merged").returncode == 0
    service_before = service.open_titles()
    applied = job("apply")
    assert applied.returncode == 0, applied.stderr
    assert service_before == []
    assert service.open_titles() == ["Menu review", "Smoke of the week"]
    assert 'failures="0"' in reports("apply", checkout)["junit"].read_text()

    service.close("Menu review")
    drifted = job("drift")
    assert drifted.returncode in JOBS["drift"]["allow_failure"]["exit_codes"]
    assert 'failures="1"' in reports("drift", checkout)["junit"].read_text()


def test_gitlab_installs_nothing_that_nobody_named(job: Job, service: Service):
    ended = job("apply", QARUN_PACKAGE="")
    assert ended.returncode != 0
    assert "QARUN_PACKAGE: is to say what pip installs" in ended.stderr
    assert "pip" not in ended.stdout


def test_gitlab_does_not_plan_a_merge_that_conflicts(job: Job, checkout: Path):
    git("checkout", "--quiet", "main", cwd=checkout)
    (checkout / "qa" / "review.yaml").write_text("other: file\n")
    git("add", "--all", cwd=checkout)
    git("commit", "--quiet", "--message", "Other", cwd=checkout)
    target = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "change"}
    ended = job("plan", CI_MERGE_REQUEST_EVENT_TYPE="detached", **target)
    assert ended.returncode != 0
    assert not (checkout / "plan.json").exists()


def test_cron_pulls_reconciles_and_speaks_only_of_trouble(
    checkout: Path, environ: dict[str, str], service: Service, tmp_path: Path
):
    git("merge", "--quiet", "--no-edit", "main", cwd=checkout)
    git("push", "--quiet", "origin", "change:main", cwd=checkout)
    git("checkout", "--quiet", "main", cwd=checkout)
    settings = tmp_path / "env"
    settings.write_text(f"QAS_URL={service.address}\nQAS_TOKEN={service.keys['ann']}\n")
    quiet = {name: value for name, value in environ.items() if name != "QAS_URL"}

    def run() -> subprocess.CompletedProcess[str]:
        command = [CI / "cron" / "reconcile.sh", checkout, settings]
        return subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)

    ended = run()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert service.open_titles() == ["Menu review", "Smoke of the week"]
    settings.write_text(f"QAS_URL={service.address}\nQAS_TOKEN=wrong\n")
    ended = run()
    assert ended.returncode == 4
    assert "does not accept the key" in ended.stdout


def test_cron_says_nothing_of_what_waits_without_anybody_having_to_decide(
    checkout: Path, environ: dict[str, str], service: Service, tmp_path: Path
):
    git("checkout", "--quiet", "main", cwd=checkout)
    settings = tmp_path / "env"
    settings.write_text(f"QAS_URL={service.address}\nQAS_TOKEN={service.keys['ann']}\n")

    def run(restraint: str) -> tuple[int, str]:
        head = HEAD.replace("web-team", "smoke-team").replace("runs:\n", f"{restraint}\nruns:\n")
        (checkout / "qa" / "smoke.yaml").write_text(head + SMOKE)
        command = [CI / "cron" / "reconcile.sh", checkout, settings]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    frozen = "freeze: [{from: 2020-01-01T00:00, to: 2099-01-01T00:00}]"
    assert run("policy: observe") == run(frozen) == (0, "")
    assert service.runs() == {}
    service.make("Smoke of the week")
    code, said = run(frozen)
    assert code == 5
    assert '"condition": "blocked"' in said


RECONCILED = '{"event": "project.reconciled", "condition": "%s"}'
FAILED = '{"event": "project.failed", "message": "\\"condition\\": \\"waiting\\""}'


@pytest.mark.parametrize(
    ("code", "lines", "ends"),
    [
        (5, [RECONCILED % "waiting"], 0),
        (5, [RECONCILED % "waiting", RECONCILED % "in-sync", RECONCILED % "drift"], 0),
        (5, [RECONCILED % "waiting", RECONCILED % "blocked"], 5),
        (5, [RECONCILED % "waiting", FAILED], 5),
        (5, ["error: `--policy sync` would loosen `policy: observe`"], 5),
        (7, [RECONCILED % "waiting"], 7),
        (0, [RECONCILED % "in-sync"], 0),
    ],
)
def test_only_waiting_is_well(tmp_path: Path, code: int, lines: list[str], ends: int):
    (tmp_path / "said").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "qarun").write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\nexit {code}\n")
    (tmp_path / "qarun").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    ended = subprocess.run([ONCE], env=environ, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (ends, (tmp_path / "said").read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qarun", "said"]


def test_a_round_that_is_asked_to_end_finishes_what_is_under_way(tmp_path: Path):
    finish = f"trap 'exit 99' TERM; touch {tmp_path}/asked; sleep 0.4; echo finished >&2; exit 143"
    lines = ["#!/bin/sh", f"finish() {{ {finish}; }}", "trap finish TERM", "echo begun"]
    lines += ["for _ in $(seq 200); do sleep 0.05; done"]
    (tmp_path / "qarun").write_text("\n".join([*lines, ""]))
    (tmp_path / "qarun").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([ONCE, "-f", "qa"], env=environ, text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        while process.poll() is None and not (tmp_path / "asked").exists():
            time.sleep(0.01)
        process.terminate()
        assert process.communicate(timeout=20)[1] == "finished\n"
    assert process.returncode == 143


def test_the_hook_of_pre_commit_reads_a_folder(checkout: Path, environ: dict[str, str]):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    used = yaml.safe_load((CI / "pre-commit" / ".pre-commit-config.yaml").read_text("utf-8"))
    command = [*hook["entry"].split(), *used["repos"][0]["hooks"][0]["args"]]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=checkout, env=environ, capture_output=True, text=True, check=False
        )

    assert run().returncode == 0
    (checkout / "qa" / "twice.yaml").write_text((checkout / "qa" / "review.yaml").read_text())
    ended = run()
    assert ended.returncode == 3
    assert "twice.yaml" in ended.stdout + ended.stderr
