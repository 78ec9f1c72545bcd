"""What users install with the program is listed, pinned, and under a licence that allows it."""

import ast
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
DIRECT_PART, _, INDIRECT_PART = PAGE.partition("## Brought along by these")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
ALLOWED = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MPL-2.0", "PSF-2.0"}


def table(text: str) -> dict[str, list[str]]:
    """Return the rows of a table by the package they begin with."""
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", text, re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in rows if name != "package"}


DIRECT, INDIRECT = table(DIRECT_PART), table(INDIRECT_PART)
LICENCES = {name: row[-1] for name, row in (DIRECT | INDIRECT).items()}


def needed(name: str) -> set[str]:
    """Return what an installed package needs on this platform."""
    found = map(Requirement, importlib.metadata.requires(name) or ())
    return {
        canonicalize_name(each.name)
        for each in found
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }


def brought_along() -> dict[str, set[str]]:
    """Return every package that the runtime needs, with those that need it."""
    users: dict[str, set[str]] = {}
    waiting = sorted(RUNTIME)
    while waiting:
        user = waiting.pop()
        for name in needed(user):
            if name not in users and name not in RUNTIME:
                waiting.append(name)
            users.setdefault(name, set()).add(user)
    return {name: by for name, by in users.items() if name not in RUNTIME}


def test_the_page_lists_exactly_what_the_program_declares():
    assert set(DIRECT) == RUNTIME


def test_the_page_lists_what_that_brings_along():
    found = brought_along()
    assert set(found) <= set(INDIRECT)
    for name, by in found.items():
        assert set(INDIRECT[name][0].split(", ")) & by, name


def test_everything_listed_is_pinned():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    assert set(LICENCES) <= pins
    assert all("==" in line for line in lines if line and not line.startswith("#"))


def test_every_home_is_where_the_library_is_imported():
    distributions = importlib.metadata.packages_distributions()
    used: dict[str, set[str]] = {}
    for path in (ROOT / "runs_as_code").rglob("*.py"):
        layer = path.relative_to(ROOT / "runs_as_code").parts[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.append(node.module)
            for name in names:
                for package in distributions.get(name.partition(".")[0], ()):
                    used.setdefault(canonicalize_name(package), set()).add(f"`{layer}`")
    for name, row in DIRECT.items():
        homes = set(row[0].split(", "))
        # Starlette imports that one for us.
        assert used.get(name, homes if name == "python-multipart" else set()) == homes, name
    assert set(used) - {"runs-as-code", "pytest"} <= RUNTIME


@pytest.mark.parametrize("name", sorted(LICENCES))
def test_the_licence_is_the_one_that_the_package_states(name: str):
    licence = LICENCES[name]
    assert licence in ALLOWED
    stated = importlib.metadata.metadata(name)
    words = " ".join(
        [stated.get("License-Expression") or stated.get("License") or ""]
        + [each for each in stated.get_all("Classifier") or () if each.startswith("License")]
    )
    family = {"MPL-2.0": "MPL|Mozilla", "PSF-2.0": "PSF|Python"}.get(
        licence, licence.partition("-")[0]
    )
    assert re.search(family, words), words
