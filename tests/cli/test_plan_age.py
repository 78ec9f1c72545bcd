"""`--max-plan-age`: a saved plan that was reviewed too long ago is refused like a stale one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli.support import TWO, call, edit_plan, titles, write


@pytest.fixture
def saved(tmp_path: Path, database: Path) -> Path:
    manifest = write(tmp_path / "m.yaml", TWO)
    assert call("plan", "-f", manifest, "--out", tmp_path / "plan.json").code == 0
    return tmp_path / "plan.json"


def date(plan: Path, **ago: float) -> None:
    """Say in a plan that it was made so long ago."""
    made = datetime.now(UTC) - timedelta(**ago)
    edit_plan(plan, createdAt=made.isoformat(timespec="seconds").replace("+00:00", "Z"))


def test_a_plan_that_is_young_enough_is_applied(saved: Path, database: Path):
    date(saved, hours=23)
    assert call("apply", saved, "--max-plan-age", "24h").code == 0
    assert titles(database)


@pytest.mark.parametrize(("age", "most"), [(25, "24h"), (49, "2d"), (2, "90m"), (1, "30s")])
def test_an_older_one_is_refused_and_nothing_is_written(
    saved: Path, database: Path, age: int, most: str
):
    date(saved, hours=age)
    ended = call("apply", saved, "--max-plan-age", most)
    assert (ended.code, ended.out, titles(database)) == (6, "", [])
    assert "`--max-plan-age` allows" in ended.err
    assert "nothing was written" in ended.err
    assert "hint: plan again, and have it reviewed again" in ended.err


def test_the_message_names_both_ages(saved: Path):
    date(saved, days=2, hours=3, minutes=4)
    ended = call("apply", saved, "--max-plan-age", "36h")
    assert "2 d 3 h 4 min ago, and `--max-plan-age` allows 1 d 12 h" in ended.err


def test_the_age_is_in_no_digest(saved: Path, database: Path):
    """Two plans that do the same have one digest, whenever they were made."""
    before = json.loads(saved.read_text("utf-8"))["digest"]
    date(saved, days=300)
    assert call("apply", saved, "--expect-digest", before).code == 0


def test_a_clock_that_goes_a_little_wrong_is_no_reason(saved: Path):
    date(saved, minutes=-4)
    assert call("apply", saved, "--max-plan-age", "1h").code == 0


@pytest.mark.parametrize("made", ["2999-01-01T00:00:00Z", "", "yesterday", "2026-02-30T00:00:00Z"])
def test_a_time_that_can_not_be_is_refused(saved: Path, database: Path, made: str):
    edit_plan(saved, createdAt=made)
    ended = call("apply", saved, "--max-plan-age", "24h")
    assert (ended.code, titles(database)) == (6, [])
    assert ("still to come" in ended.err) is made.startswith("2999")


@pytest.mark.parametrize("age", ["24", "1w", "-1h", "1.5h", "h", "999999d", " 1h", "1h\n"])
def test_an_age_is_a_number_and_a_unit(saved: Path, age: str):
    ended = call("apply", saved, "--max-plan-age", age)
    assert ended.code == 64
    assert "e.g. `24h`" in ended.err


def test_it_needs_a_saved_plan(tmp_path: Path, database: Path):
    manifest = write(tmp_path / "m.yaml", TWO)
    ended = call("apply", "-f", manifest, "--auto-approve", "--max-plan-age", "24h")
    assert (ended.code, titles(database)) == (64, [])
    assert "is about a saved plan" in ended.err
