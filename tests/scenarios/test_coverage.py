"""Every decision and every rule of the plan is in some scenario; scenario files are well-formed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from scenarios.stories import SCHEMA, Story, read_story, story_files

from runs_as_code.model.plan import Outcome, Reason

PLANNING = Path(__file__).parents[2] / "runs_as_code" / "planning"
# A literal, or a constant of the same module.
RULE = re.compile(r'rule=("[a-z-]+"|[A-Z_]+)|Block\(\s*("[a-z-]+")')

# Unit tests of planning have these: the embedded server never lists less than it counts, and
# `validate` refuses the files that would lead to the others.
NOT_PLAYABLE = {"incomplete-listing", "description-too-long", "unreadable-marker"}


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return [read_story(path) for path in story_files()]


def expected_decisions(stories: list[Story]) -> list[dict[str, Any]]:
    parts = [story.expect for story in stories]
    found = [d for part in parts for word in ("decisions", "again") for d in _of(part, word)]
    return [{"is": d} if isinstance(d, str) else d for d in found]


def _of(part: dict[str, Any], word: str) -> list[Any]:
    return list(part.get(word, {}).values())


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_outcome_is_played(stories: list[Story]) -> None:
    words = {d["is"].split()[0] for d in expected_decisions(stories)}

    assert {str(outcome) for outcome in Outcome} == words


def test_every_reason_is_played(stories: list[Story]) -> None:
    words = {d["is"].split()[1] for d in expected_decisions(stories)}

    assert {str(reason) for reason in Reason} == words


def test_every_rule_is_played(stories: list[Story]) -> None:
    defined = {rule for path in PLANNING.glob("*.py") for rule in _rules(path.read_text("utf-8"))}
    played = {rule for d in expected_decisions(stories) for rule in d.get("blocks", ())}
    played |= {rule for story in stories for rule in story.expect.get("refusals", ())}

    assert len(defined) > 15
    assert played | NOT_PLAYABLE == defined


def _rules(source: str) -> Iterator[str]:
    for first, second in RULE.findall(source):
        word = first or second
        if not word.startswith('"'):
            constant = re.search(rf'^{word} = ("[a-z-]+")', source, re.MULTILINE)
            assert constant, word
            word = constant[1]
        yield word.strip('"')


def test_the_name_of_each_scenario_is_its_own(stories: list[Story]) -> None:
    names = [story.title for story in stories]

    assert len(names) == len(set(names))
