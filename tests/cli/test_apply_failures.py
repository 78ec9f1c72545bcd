"""An apply that ends before it has a report still says why in JSON, where JSON is wanted."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.support import TWO, call, titles, write
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[2] / "schemas" / "report.v1.schema.json"
BLOCKED = TWO.replace("folders: [6]", "folders: [Nowhere]")
JSON = ("--format", "json")


@pytest.fixture
def manifest(tmp_path: Path, database: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO)


def document(text: str) -> Any:
    """Return a report, which obeys its schema."""
    found = json.loads(text)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(found)
    return found


@pytest.mark.parametrize(
    ("runs", "arguments", "code", "word"),
    [
        (BLOCKED, ("--auto-approve",), 5, "withheld by safety rules"),
        (TWO, (), 5, "an approval is missing"),
        (TWO, ("--expect-digest", "sha256:" + "0" * 64), 6, "not the reviewed one"),
        (TWO, ("--approve", "nobody"), 64, "is not in the plan"),
        ("runs: []\n", ("--auto-approve",), 3, "invalid"),
    ],
)
def test_stdout_says_why(
    tmp_path: Path, database: Path, runs: str, arguments: tuple[str, ...], code: int, word: str
):
    manifest = write(tmp_path / "m.yaml", runs)
    ended = call("apply", *JSON, "-f", manifest, *arguments)
    found = document(ended.out)
    assert (ended.code, found["exitCode"], found["results"]) == (code, code, [])
    assert found["isWithheld"] is (runs == BLOCKED)
    assert word in found["error"]["message"]
    assert word in ended.err
    assert titles(database) == []


def test_a_missing_key_is_told_as_well(manifest: Path):
    ended = call("apply", *JSON, "-f", manifest, "--server", "https://acme.example")
    assert document(ended.out)["exitCode"] == ended.code == 4


def test_a_stale_plan_is_told_run_by_run(tmp_path: Path, manifest: Path, database: Path):
    plan = tmp_path / "plan.json"
    call("plan", "-f", manifest, "--out", plan)
    other = write(tmp_path / "other.yaml", TWO.replace("smoke:", "rival:"))
    assert call("apply", "--auto-approve", "-f", other).code == 0
    ended = call("apply", plan, *JSON)
    found = document(ended.out)
    assert (ended.code, found["exitCode"]) == (6, 6)
    assert "took the title" in found["error"]["message"]
    assert found["error"]["hint"] == "plan again"


def test_a_file_gets_it_too(tmp_path: Path, manifest: Path):
    report = tmp_path / "report.json"
    ended = call("apply", "-f", manifest, "--output", f"json={report}")
    assert ended.code == 5
    assert document(report.read_text("utf-8"))["exitCode"] == 5


def test_a_report_has_no_error(manifest: Path):
    ended = call("apply", "--auto-approve", *JSON, "-f", manifest)
    assert document(ended.out)["error"] is None


def test_text_stays_as_it_was(manifest: Path):
    ended = call("apply", "-f", manifest)
    assert ended.code == 5
    assert "{" not in ended.out
