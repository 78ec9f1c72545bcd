"""A plan that somebody edited is refused wherever the edit could change what an apply does."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs_as_code.cli.reading import read_plan_file
from runs_as_code.errors import QarunError
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.document import CHECKSUM, checksum_of, plan_from_json

FULL = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "plan-full.json").read_text("utf-8")
)

FULL["digest"] = plan_digest(plan_from_json(FULL)[0])

FOR_PEOPLE = re.compile(
    r"""
    (checksum|cost|createdAt|files|summary|tool)\b .*          # of the whole plan
    | formatVersion                                   # a newer minor version only adds
    | projects/\d+/(notes|unmanaged|isWithheld)\b .*  # of a project
    | projects/\d+/changes/\d+/(?!actions).*          # the decision, told to people
    | .*/actions/\d+/(address|recorded|hasTime|milestoneName|assigneeName|selection\b.*)
    """,
    re.VERBOSE,
)
"""What the digest does not cover; no apply does anything by it."""


def leaves(data: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value that holds no other."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        here = f"{path}/{key}" if path else str(key)
        if isinstance(value, dict | list) and value:
            yield from leaves(value, here)
        else:
            yield here


def is_withheld(path: str) -> bool:
    """Whether a value belongs to an action that no apply of this plan does."""
    found = re.match(r"projects/(\d+)/changes/(\d+)/", path)
    return found is not None and bool(
        FULL["projects"][int(found[1])]["changes"][int(found[2])]["blocks"]
    )


def edited(path: str) -> Any:
    """Return the plan with one value replaced by another of its kind."""
    data = copy.deepcopy(FULL)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    holder = data
    for step in steps:
        holder = holder[step]
    value = holder[last]
    if isinstance(value, bool):
        holder[last] = not value
    elif isinstance(value, int):
        holder[last] = value + 1
    else:
        holder[last] = f"{value or ''}x"
    return data


def is_refused(data: Any, file: Path) -> bool:
    """Whether apply would not even begin with this plan, had it a checksum that fits."""
    return is_file_refused(data | {CHECKSUM: checksum_of(data)}, file)


def is_file_refused(data: Any, file: Path) -> bool:
    file.write_text(json.dumps(data), "utf-8")
    try:
        read_plan_file(file)
    except QarunError:
        return True
    return False


def test_every_value_that_counts_is_covered(tmp_path: Path):
    file = tmp_path / "plan.json"
    assert not is_refused(FULL, file)
    passed = [path for path in leaves(FULL) if not is_refused(edited(path), file)]

    assert passed
    counted = [path for path in passed if not is_withheld(path)]
    assert [path for path in counted if not FOR_PEOPLE.fullmatch(path)] == []


def test_no_value_can_be_edited_without_a_word(tmp_path: Path):
    file = tmp_path / "plan.json"
    FULL[CHECKSUM] = checksum_of(FULL)
    assert not is_file_refused(FULL, file)
    assert [path for path in leaves(FULL) if not is_file_refused(edited(path), file)] == []
    assert is_file_refused({**FULL, "more": 1}, file)
    assert is_file_refused({key: FULL[key] for key in FULL if key != CHECKSUM}, file)


@pytest.mark.parametrize("name", ["server", "project", "owner"])
def test_it_is_for_one_place_only(tmp_path: Path, name: str):
    assert is_refused(edited(f"projects/0/{name}"), tmp_path / "plan.json")


def test_what_was_withheld_can_not_be_let_loose(tmp_path: Path):
    """Without its blocks the action would count, and the digest would be another."""
    seen = 0
    for p, project in enumerate(FULL["projects"]):
        for c, change in enumerate(project["changes"]):
            if change["blocks"] and change["actions"] and not project["refusals"]:
                data = copy.deepcopy(FULL)
                data["projects"][p]["changes"][c]["blocks"] = []
                assert is_refused(data, tmp_path / "plan.json"), change["key"]
                seen += 1
    assert seen


@pytest.mark.parametrize("version", ["2.0", "0.9", "1", "", "x"])
def test_another_format_is_refused(tmp_path: Path, version: str):
    assert is_refused({**FULL, "formatVersion": version}, tmp_path / "plan.json")


def test_actions_can_be_neither_dropped_nor_added(tmp_path: Path):
    for p, project in enumerate(FULL["projects"]):
        for c, change in enumerate(project["changes"]):
            if change["actions"] and not change["blocks"] and not project["refusals"]:
                fewer, more = copy.deepcopy(FULL), copy.deepcopy(FULL)
                fewer["projects"][p]["changes"][c]["actions"].pop()
                more["projects"][p]["changes"][c]["actions"] *= 2
                assert is_refused(fewer, tmp_path / "plan.json"), change["key"]
                assert is_refused(more, tmp_path / "plan.json"), change["key"]
