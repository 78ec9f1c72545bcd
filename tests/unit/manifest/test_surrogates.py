"""JSON's halves of a character are joined, nothing else moves, and no other text is touched."""

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.manifest import loading
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.surrogates import join_pairs
from runs_as_code.manifest.tree import locate

FIRE = r"\ud83d\udd25"


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pure":
        monkeypatch.setattr(loading, "_LOADER", yaml.SafeLoader)
    return str(request.param)


@pytest.mark.parametrize("indent", [None, 2])
def test_json_with_characters_beyond_the_first_plane_is_read(indent: int | None):
    data = {"a": "🔥", "🔥 k": ["x🔥y🔥", "😀", "\\ud83d\\udd25"], "b": {"c": 1, "d": None}}
    text = json.dumps(data, indent=indent)
    assert FIRE in text
    findings = Findings("m.yaml")
    assert load(text, findings) == data
    assert findings.diagnostics() == ()


def test_places_behind_it_in_the_line_are_right():
    text = rf'{{"a": "x{FIRE}y{FIRE}", "b{FIRE}": "c", "d": 1}}'
    root = load(text, Findings("m.yaml"))
    assert root is not None
    columns = [(locate("", key).column, locate("", v).column) for _, _, key, v in root.entries()]
    starts = [('"a"', '"x'), ('"b', '"c'), ('"d"', "1}")]
    assert columns == [(text.index(key) + 1, text.index(value) + 1) for key, value in starts]


@pytest.mark.parametrize(
    "text",
    [
        rf'{{"a": "{FIRE} \ud83d"}}',
        rf'{{"a": "{FIRE} \udd25"}}',
        rf'{{"a": "{FIRE} \udd25\ud83d"}}',
    ],
)
def test_half_a_pair_is_refused_where_it_stands(text: str, parser: str):
    findings = Findings("m.yaml")
    assert load(text, findings) is None
    (found,) = findings.diagnostics()
    assert found.location is not None
    if parser == "libyaml":  # the other one tells of the whole text
        assert found.location.column == text.index(FIRE) + len(FIRE) + 4
        assert "eight digits" in found.hint


@pytest.mark.parametrize(
    "text",
    [
        rf'a: "{FIRE}"',
        rf"{{'a': '{FIRE}'}}",
        rf"{{a: {FIRE}}}",
        rf'{{"a": "b", # it is "{FIRE}"' + "\n}",
        rf'{{"a": 1 "{FIRE}"}}',
        rf'{{"a": x"{FIRE}"}}',
        rf'{{"a"::"{FIRE}"}}',
        r'{"a": "b"}' + "\n" + rf'"{FIRE}"',
        rf'["{FIRE}"]',
        rf'{{"a": "b\q{FIRE}"}}',
        rf'{{"a": "{FIRE}',
        "",
    ],
)
def test_what_is_not_json_is_left_as_it_is(text: str):
    assert join_pairs(text) == text


def test_an_escaped_backslash_begins_no_pair():
    text = rf'{{"a": "\\ud83d\\udd25 \\{FIRE}"}}'
    assert load(text, Findings("m.yaml")) == {"a": r"\ud83d\udd25 \🔥"}


PIECES = st.sampled_from([*'{}[],:" \n\\10tu', r"\ud83d", r"\udd25", "true", '"a":'])


@given(st.lists(PIECES).map("".join))
def test_nothing_moves_whatever_the_text(text: str):
    assert len(join_pairs("{" + text)) == len(text) + 1


@pytest.mark.parametrize(
    "text",
    [
        "{" + "[]," * 3_000_000 + rf'"{FIRE}"',
        "{" + " " * 9_000_000 + rf'"{FIRE}"',
        rf'{{"{FIRE}"' + " " * 9_000_000,
        rf'{{"{FIRE}' * 600_000,
        '{"' + "\\" * 9_000_000 + rf'{FIRE}"',
    ],
    ids=["lists", "blanks", "blanks behind", "quotes", "backslashes"],
)
def test_a_large_text_costs_no_more_than_its_size(text: str):
    started = time.process_time()
    join_pairs(text)
    assert time.process_time() - started < 3
