"""The files of `examples/ci`: valid by the schemas of who reads them, and by rules of our own."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from ci_examples.forge import CI, ROOT
from ci_examples.runner import load
from cli.support import whole_program
from jsonschema import Draft7Validator

from runs_as_code.cli.console import Console
from runs_as_code.cli.program import program

GITHUB = CI / "github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTION = GITHUB / "actions" / "qarun" / "action.yml"
GITLAB = CI / "gitlab" / ".gitlab-ci.yml"
ONCE = CI / "qarun-once.sh"
SCRIPTS = sorted(CI.rglob("*.sh"))
MANIFESTS = sorted((CI / "kubernetes").glob("*.yaml"))
SCHEMAS = files("check_jsonschema") / "builtin_schemas" / "vendor"
ACTIONS = {"actions/checkout@v4", "actions/upload-artifact@v4", "./.github/actions/qarun"}


@pytest.mark.parametrize(
    ("path", "schema"),
    [(path, "github-workflows") for path in WORKFLOWS]
    + [(ACTION, "github-actions"), (GITLAB, "gitlab-ci")],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_a_workflow_keeps_to_its_schema(path: Path, schema: str):
    validator = Draft7Validator(json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8")))
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(load(path))] == []
    assert not validator.is_valid({**load(path), "jobs": 1, "runs": 1, "stages": 1})


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step, with the name of its file."""
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])
    yield from ((ACTION.name, step) for step in load(ACTION)["runs"]["steps"])


def shell() -> Iterator[tuple[str, str]]:
    """Yield every script that a runner gives to a shell."""
    for name, step in steps():
        if "run" in step:
            yield f"{name}:{step.get('id', 'publish')}", step["run"]
    for name, job in load(GITLAB).items():
        if isinstance(job, dict) and "script" in job:
            yield f"gitlab:{name}", "\n".join(job["script"])
    yield from ((path.name, path.read_text("utf-8")) for path in SCRIPTS)


@pytest.mark.parametrize(("name", "script"), list(shell()))
def test_shell_is_sound(name: str, script: str):
    assert script, name
    shellcheck = Path(sys.executable).with_name("shellcheck")
    dialect = [] if script.startswith("#!") else ["--shell=bash"]
    command = [shellcheck, *dialect, "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_no_value_of_others_is_pasted_into_a_script():
    pasted = [name for name, script in shell() if "${{" in script]
    assert pasted == []


def test_steps_use_known_actions_of_a_known_version():
    assert {step["uses"] for _, step in steps() if "uses" in step} == ACTIONS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_few_rights_and_an_end(path: Path):
    workflow = load(path)
    assert workflow["permissions"]["contents"] == "read"
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 30
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/ch")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)
        # The key that may write is given only where an environment guards it.
        may_write = "QAS_TOKEN }}" in job["env"]["QAS_TOKEN"]
        assert may_write is ("environment" in job)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_copy_for_another_set_of_manifests_stays_apart(path: Path):
    workflow, text = load(path), path.read_text("utf-8")
    assert set(workflow["env"]) == {"FILES", "CONTEXT"}
    assert text.count(workflow["env"]["CONTEXT"]) == 1
    for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
        if step.get("uses", "").startswith("./"):
            assert step["with"]["files"] == "${{ env.FILES }}"
            assert step["with"]["context"] == "${{ env.CONTEXT }}"
    groups = [
        workflow.get("concurrency"),
        *(j.get("concurrency") for j in workflow["jobs"].values()),
    ]
    assert any(groups)
    for group in filter(None, groups):
        name = group["group"] if isinstance(group, dict) else group
        assert name.startswith("${{ github.workflow }}")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield every call of `qarun` in the examples, as words."""
    for name, script in shell():
        for line in script.replace("\\\n", " ").splitlines():
            found = re.search(r"(?:^|\$\(|\s)qarun ([a-z].*?)(?:\|\||>|2>|\)|$)", line.strip())
            if found and not line.strip().startswith("#"):
                yield name, [word for word in shlex.split(found[1]) if word != "$@"]
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))[0]
    used = yaml.safe_load((CI / "pre-commit" / ".pre-commit-config.yaml").read_text("utf-8"))
    given = used["repos"][0]["hooks"][0]["args"]
    yield "pre-commit", [*hook["entry"].split()[1:], *given]
    for path in MANIFESTS:
        for container in containers(path):
            if container["name"] == "qarun":
                yield path.name, called([*container.get("command", []), *container["args"]])
    service = unit(CI / "systemd" / "qarun.service")
    yield "systemd", called(shlex.split(service["Service"]["ExecStart"]))


def called(words: list[str]) -> list[str]:
    """Return what `qarun` gets of a call of itself or of the script around a single round."""
    is_once = Path(words[0]).name == ONCE.name
    return ["reconcile", "--once", *words[1:]] if is_once else words


def containers(path: Path) -> Iterator[dict[str, Any]]:
    for manifest in yaml.safe_load_all(path.read_text("utf-8")):
        spec = manifest["spec"].get("jobTemplate", manifest)["spec"].get("template", {}).get("spec")
        yield from (spec or {}).get("containers", ())
        yield from (spec or {}).get("initContainers", ())


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=True, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # names of systemd have capitals
    found.read_string(path.read_text("utf-8"))
    return found


def test_every_kind_of_example_calls_qarun():
    names = {name.split(":")[0] for name, _ in commands()}
    assert names == {
        "action.yml", "report.sh", "gitlab", "qarun-once.sh", "pre-commit", "systemd",
        "cronjob.yaml", "deployment.yaml",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "words"), list(commands()), ids=lambda value: str(value)[:60])
def test_the_command_line_knows_every_option(name: str, words: list[str]):
    command = program.get_command(whole_program(), words[0])
    assert command is not None, f"{name}: no command {words[0]}"
    # A digest is checked as soon as it is read; what a variable will hold is not known here.
    given = [f"sha256:{'0' * 64}" if word == "$DIGEST" else word for word in words[1:]]
    command.make_context(words[0], given, parent=whole_program(), obj=Console())


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_pod_may_do_nothing_but_its_work(path: Path):
    found = list(containers(path))
    assert len(found) == 2
    for container in found:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert re.fullmatch(r"[a-z0-9./-]+:v?[0-9]+\.[0-9]+\.[0-9]+", container["image"])
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/git", "/tmp"}  # noqa: S108  in a pod
        assert container["resources"]["limits"]["memory"]
        mounts = {
            mount["name"]: mount.get("readOnly", False) for mount in container["volumeMounts"]
        }
        assert mounts == {"git": container["name"] == "qarun", "tmp": False}
        if container["name"] == "qarun":
            (token,) = [each for each in container["env"] if each["name"] == "QAS_TOKEN"]
            assert token["valueFrom"] == {"secretKeyRef": {"name": "qarun", "key": "token"}}


def test_objects_of_kubernetes_belong_together():
    kinds = {}
    for path in MANIFESTS:
        for each in yaml.safe_load_all(path.read_text("utf-8")):
            kinds[each["kind"]] = (each["apiVersion"], each["spec"])
    versions = {kind: version for kind, (version, _) in kinds.items()}
    assert versions == {"CronJob": "batch/v1", "Deployment": "apps/v1", "Service": "v1"}
    deployment, service = kinds["Deployment"][1], kinds["Service"][1]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels == service["selector"]
    pod = deployment["template"]["spec"]
    (main,) = pod["containers"]
    (port,) = main["ports"]
    (metrics,) = [word for word in main["args"] if word.startswith("--metrics-address=")]
    assert metrics.endswith(f":{port['containerPort']}")
    assert service["ports"][0]["targetPort"] == port["name"]
    assert main["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert main["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    for spec in (pod, kinds["CronJob"][1]["jobTemplate"]["spec"]["template"]["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["terminationGracePeriodSeconds"] >= 60
        volumes = {volume["name"] for volume in spec["volumes"]}
        assert volumes == {"git", "tmp"}


UNIT_KEYS = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        "Type", "User", "WorkingDirectory", "EnvironmentFile", "ExecStartPre", "ExecStart",
        "Environment", "KillMode", "TimeoutStartSec", "TimeoutStopSec", "NoNewPrivileges",
        "PrivateTmp", "PrivateDevices",
        "ProtectSystem", "ProtectHome", "ReadWritePaths", "ProtectKernelTunables",
        "ProtectControlGroups", "RestrictAddressFamilies", "CapabilityBoundingSet",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip


@pytest.mark.parametrize("name", ["qarun.service", "qarun.timer"])
def test_a_unit_of_systemd_has_known_keys(name: str):
    found = unit(CI / "systemd" / name)
    for section in found.sections():
        assert set(found[section]) <= UNIT_KEYS[section]
    if name == "qarun.service":
        service = found["Service"]
        assert service["Type"] == "oneshot"
        for key in ("ExecStart", "ExecStartPre", "EnvironmentFile", "WorkingDirectory"):
            assert service[key].startswith("/")
        assert int(service["TimeoutStopSec"]) >= 60
        program = Path(shlex.split(service["ExecStart"])[0])
        assert program.name == ONCE.name
        assert service["Environment"].startswith(f"PATH={program.parent}:")
        # The script passes SIGTERM on; were it sent to `qarun` as well, that would be the second.
        assert service["KillMode"] == "mixed"


def test_cron_calls_the_script_as_somebody():
    lines = (CI / "cron" / "qarun").read_text("utf-8").splitlines()
    (job,) = [line for line in lines if line and line[0] not in "#PM"]
    fields = job.split()
    assert fields[:6] == ["*/10", "*", "*", "*", "*", "qarun"]
    assert Path(fields[6]).name == (CI / "cron" / "reconcile.sh").name
    assert "%" not in job


def test_the_hook_is_one_that_pre_commit_knows():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert set(hook) == {
        "id", "name", "description", "entry", "language", "types", "pass_filenames",
    }  # fmt: skip
    assert hook["language"] == "python"
    used = yaml.safe_load((CI / "pre-commit" / ".pre-commit-config.yaml").read_text("utf-8"))
    assert used["repos"][0]["hooks"][0]["id"] == hook["id"]


CONTAINERFILE = CI / "container" / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    text = CONTAINERFILE.read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_the_container_is_pinned_small_and_nobody():
    found = instructions()
    images = [rest for name, rest in found if name == "FROM"]
    assert all(re.match(r"docker\.io/library/python:3\.\d+-slim( AS build)?$", i) for i in images)
    assert {name for name, _ in found} <= {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert ("USER", "65532:65532") in found[-3:]
    assert json.loads(dict(found)["ENTRYPOINT"]) == ["qarun"]
    (run,) = [rest for name, rest in found if name == "RUN"]
    assert "--no-cache-dir" in run
    assert "--constraint constraints.txt" in run
    assert run.endswith(f"install {ONCE.name} /opt/qarun/bin/")
    assert ONCE.stat().st_mode & 0o111 == 0o111


def test_what_the_container_copies_is_enough_to_build(tmp_path: Path):
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                place = tmp_path / (target if target != "./" else Path(source).name)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("*.pyc"))
                else:
                    shutil.copy(ROOT / source, place)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert built.returncode == 0, built.stderr
    assert len(list((tmp_path / "dist").glob("runs_as_code-*.whl"))) == 1
