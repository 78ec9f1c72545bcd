"""Runs workflows as GitHub does, as far as the examples go: jobs, environments, composite actions.

Steps are really run, by bash with GitHub's own flags; a job sees the secrets of its environment
only, and its token may do what the workflow's `permissions` say.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ci_examples.expressions import fill, holds

BASH = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"]
ARTIFACTS = "actions/upload-artifact@"
CHECKOUT = "actions/checkout@"


@dataclass
class Ran:
    """How a job ended: `success`, `failure`, `skipped` or `waiting` for an approval."""

    status: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    artifacts: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Site:
    """What a repository on GitHub has: the bare repository, variables, secrets, environments."""

    origin: Path
    folder: Path
    programs: Path
    variables: dict[str, str]
    secrets: dict[str, str]
    environments: dict[str, dict[str, str]]
    reviewed: frozenset[str] = frozenset()
    forge: str = "https://github.com"
    name: str = "acme/qa"
    environ: dict[str, str] = field(default_factory=dict)
    runs: int = 0


@dataclass
class Event:
    """What started a workflow, and at which commit."""

    name: str
    sha: str
    payload: dict[str, Any] = field(default_factory=dict)


def load(path: Path) -> dict[str, Any]:
    """Read a workflow; its key `on` is a word here, not YAML 1.1's truth."""
    text = path.read_text("utf-8").replace("\non:\n", '\n"on":\n')
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def run_workflow(site: Site, path: Path, event: Event) -> dict[str, Ran]:
    """Run all jobs in the order of their needs, as far as nobody has to approve one."""
    site.runs += 1
    workflow = load(path)
    done: dict[str, Ran] = {}
    for name, job in workflow["jobs"].items():
        done[name] = _Job(site, workflow, event, name, job).run(done, is_approved=False)
    return done


def approve(site: Site, path: Path, event: Event, done: dict[str, Ran]) -> dict[str, Ran]:
    """Let the jobs run that wait for an approval."""
    workflow = load(path)
    waiting = [name for name, ran in done.items() if ran.status == "waiting"]
    for name in waiting:
        job = _Job(site, workflow, event, name, workflow["jobs"][name])
        done[name] = job.run(done, is_approved=True)
    return done


class _Job:
    def __init__(
        self, site: Site, workflow: dict[str, Any], event: Event, name: str, job: dict[str, Any]
    ) -> None:
        self.site, self.event, self.job = site, event, job
        self.folder = site.folder / f"{site.runs}-{name}"
        self.workspace = self.folder / "workspace"
        self.ran = Ran("success")
        environment = job.get("environment", "")
        secrets = site.secrets | site.environments.get(environment, {})
        permissions = job.get("permissions", workflow["permissions"])
        token = ",".join(f"{scope}={right}" for scope, right in permissions.items())
        self.contexts: dict[str, Any] = {
            "github": {
                "token": token,
                "repository": site.name,
                "event": event.payload,
                "sha": event.sha,
                "event_name": event.name,
            },
            "vars": site.variables,
            "env": workflow.get("env", {}),
            "secrets": secrets,
            "steps": {},
        }
        self.environ = {
            "PATH": f"{site.programs}:{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "ann",
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_JOB": name,
            "GITHUB_REPOSITORY": site.name,
            "GITHUB_RUN_ID": str(site.runs),
            "GITHUB_SERVER_URL": site.forge,
            "GITHUB_SHA": event.sha,
            "GITHUB_WORKSPACE": str(self.workspace),
            **workflow.get("env", {}),
            **site.environ,
            "RUNNER_TEMP": str(self.folder / "temp"),
        }

    def run(self, done: Mapping[str, Ran], *, is_approved: bool) -> Ran:
        needs = self.job.get("needs", [])
        needed = [needs] if isinstance(needs, str) else needs
        self.contexts["needs"] = {name: {"outputs": done[name].outputs} for name in needed}
        has_failed = any(done[name].status != "success" for name in needed)
        if not holds(self.job.get("if"), self.contexts, has_failed=has_failed):
            return Ran("skipped")
        if self.job.get("environment") in self.site.reviewed and not is_approved:
            return Ran("waiting")
        (self.folder / "temp").mkdir(parents=True)
        self.environ |= self._filled(self.job.get("env", {}), self.contexts)
        for step in self.job["steps"]:
            self._step(step, self.contexts, self.environ)
        outputs = self.job.get("outputs", {})
        self.ran.outputs = self._filled(outputs, self.contexts)
        return self.ran

    def _filled(self, values: Mapping[str, Any], contexts: Mapping[str, Any]) -> dict[str, str]:
        return {name: fill(value, contexts) for name, value in values.items()}

    def _step(
        self, step: dict[str, Any], contexts: dict[str, Any], environ: dict[str, str]
    ) -> None:
        if not holds(step.get("if"), contexts, has_failed=self.ran.status == "failure"):
            return
        inputs = self._filled(step.get("with", {}), contexts)
        uses = step.get("uses", "")
        if uses.startswith(CHECKOUT):
            _git("clone", "--quiet", self.site.origin, self.workspace)
            _git("checkout", "--quiet", self.event.sha, cwd=self.workspace)
        elif uses.startswith(ARTIFACTS):
            found = sorted(path.name for path in Path(inputs["path"]).iterdir())
            self.ran.artifacts[inputs["name"]] = found
        elif uses:
            assert uses.startswith("./"), f"unknown action {uses}"
            outputs = self._composite(self.workspace / uses, inputs, environ)
            contexts["steps"][step.get("id", uses)] = {"outputs": outputs}
        else:
            filled = environ | self._filled(step.get("env", {}), contexts)
            outputs = self._shell(step["run"], filled, environ)
            contexts["steps"][step.get("id", "")] = {"outputs": outputs}

    def _composite(
        self, folder: Path, given: dict[str, str], environ: dict[str, str]
    ) -> dict[str, str]:
        action = load(folder / "action.yml")
        unknown = given.keys() - action["inputs"].keys()
        assert not unknown, f"no inputs {unknown}"
        github = self.contexts["github"] | {"action_path": str(folder)}
        contexts: dict[str, Any] = {"github": github, "steps": {}}
        defaults = {
            name: fill(each.get("default", ""), contexts) for name, each in action["inputs"].items()
        }
        required = {name for name, each in action["inputs"].items() if each.get("required")}
        assert required <= given.keys()
        contexts["inputs"] = defaults | given
        for step in action["runs"]["steps"]:
            assert step["shell"] == "bash"
            self._step(step, contexts, environ)
        return {name: fill(each["value"], contexts) for name, each in action["outputs"].items()}

    def _shell(
        self, script: str, environ: dict[str, str], lasting: dict[str, str]
    ) -> dict[str, str]:
        """Run a step; what it writes to GITHUB_PATH lasts for the steps after it."""
        files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"):
            files[name] = self.folder / name
            files[name].write_text("")
        text = self.folder / "step.sh"
        text.write_text(script)
        ended = subprocess.run(
            [*BASH, text],
            cwd=self.workspace,
            env=environ | {name: str(path) for name, path in files.items()},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        self.ran.log += ended.stdout + ended.stderr
        self.ran.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        if ended.returncode:
            self.ran.status = "failure"
            self.ran.log += f"exit {ended.returncode}\n"
        added = files["GITHUB_PATH"].read_text().split()
        lasting["PATH"] = ":".join([*reversed(added), lasting["PATH"]])
        return dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())


def _git(*arguments: str | Path, cwd: Path | None = None) -> str:
    git = shutil.which("git")
    assert git is not None
    done = subprocess.run(
        [git, *map(str, arguments)], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


git = _git
