"""The reference names every key and every rule, and its example is valid."""

import re
from pathlib import Path

import pytest

from runs_as_code.manifest import RULES, load_schema

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "manifest.md").read_text(encoding="utf-8")
SCHEMA = load_schema("manifest.v1")


def rows():
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE))


def keys(properties, prefix=""):
    for key, part in properties.items():
        yield prefix + key
        if key in {"limits", "lint"}:
            yield from keys(part["properties"], f"{key}.")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_row_with_its_meaning(rule):
    assert rows()[rule] == RULES[rule].meaning


@pytest.mark.parametrize(
    "properties",
    [
        SCHEMA["properties"],
        SCHEMA["$defs"]["run"]["properties"],
        SCHEMA["$defs"]["queryPlan"]["properties"],
        SCHEMA["$defs"]["freezeWindow"]["properties"],
    ],
    ids=["top", "run", "plan", "window"],
)
def test_every_key_has_a_row(properties):
    assert set(keys(properties)) <= set(rows())


def test_every_row_is_a_key_or_a_rule():
    known = {
        key
        for part in ("run", "queryPlan", "freezeWindow")
        for key in SCHEMA["$defs"][part]["properties"]
    }

    assert set(rows()) == known | set(keys(SCHEMA["properties"])) | set(RULES)


def test_every_allowed_value_is_named():
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        for key, about in part.get("properties", {}).items():
            for value in about.get("enum", ()):
                assert f"`{value}`" in PAGE, (key, value)


def test_what_defaults_may_hold_is_listed():
    (listed,) = re.findall(r"^`defaults` may hold (.*)\.$", PAGE, re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", listed)) - {"rN"} == set(
        SCHEMA["$defs"]["defaults"]["properties"]
    )


def test_the_example_is_read_without_a_word(read):
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    result = read(m=example)

    assert result.diagnostics == ()
    assert len(result.manifests[0].runs) == 4
