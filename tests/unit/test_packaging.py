"""What a stranger installs: pins that fit, scripts that run, a wheel that has its data."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import runs_as_code

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "pyproject.toml").read_text("utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEV = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("requirement", RUNTIME + DEV, ids=str)
def test_every_dependency_is_pinned_within_its_bounds(requirement: Requirement):
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("requirement", RUNTIME, ids=str)
def test_every_runtime_dependency_has_a_lower_bound_and_a_reason(requirement: Requirement):
    assert [part.operator for part in requirement.specifier] == [">="]
    assert re.search(rf'^  "{re.escape(requirement.name)}>=[\d.]+",\s+# \S+', TEXT, re.MULTILINE)


def test_the_pins_leave_out_the_project_and_the_installer():
    assert not pins().keys() & {"runs-as-code", "pip", "setuptools"}


@pytest.mark.parametrize(
    "name",
    [
        "script/bootstrap",
        "script/browser",
        "script/demo",
        "script/docs",
        "script/lock",
        "script/test",
        ".ci/run",
    ],
)
def test_scripts_can_be_started(name: str):
    path = ROOT / name
    assert os.access(path, os.X_OK)
    shell = "bash" if path.read_text("utf-8").startswith("#!/usr/bin/env bash\n") else "sh"
    subprocess.run([shell, "-n", path], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive


def test_the_wheel_holds_the_package_and_its_data(wheel: zipfile.ZipFile):
    names = set(wheel.namelist())
    package = ROOT / "runs_as_code"
    assert names >= {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}
    schemas = {f"runs_as_code/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    assert schemas
    assert names >= {"runs_as_code/py.typed", *schemas}


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile):
    info = f"runs_as_code-{runs_as_code.__version__}.dist-info"
    assert {name.split("/")[0] for name in wheel.namelist()} == {"runs_as_code", info}


def test_the_command_is_called_qarun():
    assert PROJECT["scripts"] == {"qarun": "runs_as_code.cli:main"}
