"""What docs/safety.md names is there: every test, every command, every bug that can be planted."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from torture.plants import BUGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"`(\.venv/bin/pytest [^`]+)`", PAGE)))
PATHS = sorted({word for line in COMMANDS for word in line.split() if word.startswith("tests/")})


@pytest.mark.parametrize("path", PATHS)
def test_every_test_that_is_named_exists(path: str):
    place = ROOT / path
    files = [place] if place.is_file() else list(place.glob("test_*.py"))

    assert [file for file in files if "def test_" in file.read_text("utf-8")]


def test_every_named_selection_selects_something():
    for line in COMMANDS:
        words = shlex.split(line)
        if "-k" in words:
            text = "".join((ROOT / w).read_text() for w in words if w.startswith("tests/"))
            assert f"def test_the_{words[words.index('-k') + 1]}" in text, line


def test_every_attack_test_is_named():
    folders = ("tests/hostile", "tests/torture")
    found = {f"{folder}/{f.name}" for folder in folders for f in (ROOT / folder).glob("test_*.py")}

    assert found - set(PATHS) - {"tests/hostile/test_safety_page.py"} == set()


def test_every_bug_that_can_be_planted_is_named():
    assert [name for name in BUGS if f"`{name}`" not in PAGE] == []


def test_the_audit_runs_what_the_page_says():
    flow = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text("utf-8"))
    (command,) = [step["run"] for step in flow["jobs"]["audit"]["steps"] if "run" in step]

    assert f"`{command}`" in (ROOT / "docs" / "dependencies.md").read_text("utf-8")
