"""YAML becomes JSON's types, with the place of everything, within bounds."""

import json

import pytest
import yaml

from runs_as_code.manifest import loading
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.scalars import resolve_plain
from runs_as_code.manifest.tree import COLUMN_BITS, MapNode, locate


@pytest.fixture(params=["libyaml", "pure"])
def load_yaml(request, monkeypatch):
    """Load with both parsers, for machines whose PyYAML has no libyaml."""
    if request.param == "pure":
        monkeypatch.setattr(loading, "_LOADER", yaml.SafeLoader)

    def load_yaml(text):
        findings = Findings("m.yaml")
        root = load(text, findings)
        return root, [diagnostic.rule for diagnostic in findings.diagnostics()]

    return load_yaml


def place(node, key):
    found = locate("m.yaml", node.value_place(key))
    return found.line, found.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("True", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("12", 12),
        ("012", "012"),
        ("0o14", "0o14"),
        ("0x1F", "0x1F"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("-0.5", -0.5),
        (".5", ".5"),
        ("1.", "1."),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int 12", 12),
        ("!!float 12", 12),
        ("!!null ''", None),
        ("!!bool true", True),
    ],
)
def test_scalars_are_json_and_nothing_else(load_yaml, text, value):
    root, rules = load_yaml(f"a: {text}\n")

    assert root == {"a": value}
    assert type(root["a"]) is type(value)
    assert rules == []


def test_keys_are_texts_as_written(load_yaml):
    root, rules = load_yaml("1: a\n012: b\ntrue: c\nnull: d\n2024-01-01: e\n'': f\n")

    assert list(root) == ["1", "012", "true", "null", "2024-01-01", ""]
    assert rules == []


def test_every_key_and_value_has_its_place(load_yaml):
    root, _ = load_yaml("# first\nä: x\n'b' :\n    - 1\n    -   two\nc: {d: [e, f]}\n")

    assert [divmod(each, 1 << COLUMN_BITS) for each in root.places] == [
        (1, 0), (1, 3), (2, 0), (3, 4), (5, 0), (5, 3),
    ]  # fmt: skip
    assert [divmod(each, 1 << COLUMN_BITS) for each in root["b"].places] == [(3, 6), (4, 8)]
    assert place(root["c"], "d") == (6, 8)
    assert place(root, "nothing") == (2, 1)


def test_lines_are_counted_after_carriage_returns_and_wide_characters(load_yaml):
    root, _ = load_yaml("a: 1\r\nb: '😀é' \r\nc: ['😀é', x]\r\n")

    assert place(root, "c") == (3, 4)
    assert locate("", root["c"].places[1]).column == 11


def test_aliases_share_their_anchor(load_yaml):
    root, rules = load_yaml("a: &x [1, 2]\nb: *x\nc: &y text\nd: *y\n*y : e\n")

    assert rules == []
    assert root == {"a": [1, 2], "b": [1, 2], "c": "text", "d": "text", "text": "e"}
    assert place(root, "b") == (2, 4)


def test_a_later_anchor_of_the_same_name_counts(load_yaml):
    root, _ = load_yaml("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")

    assert root == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_merged_keys_yield_to_own_and_earlier_ones(load_yaml):
    root, rules = load_yaml(
        "one: &one {a: 1, b: 1}\n"
        "two: &two {b: 2, c: 2}\n"
        "both: {<<: [*one, *two], c: 3}\n"
        "own: {a: 0, <<: *one}\n"
        "inline: {<<: {d: 4}}\n"
        "quoted: {'<<': 5}\n"
    )

    assert rules == []
    assert root["both"] == {"c": 3, "a": 1, "b": 1}
    assert root["own"] == {"a": 0, "b": 1}
    assert root["inline"] == {"d": 4}
    assert root["quoted"] == {"<<": 5}
    assert place(root["own"], "b") == (1, 21)


def test_two_equal_keys_keep_the_first_and_name_its_line(load_yaml):
    findings = Findings("m.yaml")
    root = load("a: 1\nb: {c: 1, c: {d: 2, d: 3}}\na: 3\n", findings)

    assert root == {"a": 1, "b": {"c": 1}}
    assert [(d.location.line, d.location.column) for d in findings.diagnostics()] == [
        (2, 11), (2, 21), (3, 1),
    ]  # fmt: skip
    assert "line 1" in findings.diagnostics()[-1].hint


def test_so_many_equal_keys_that_reading_on_is_useless(load_yaml):
    root, rules = load_yaml("a: 1\n" * 500)

    assert root is None
    assert rules[-1] == "more-problems"
    assert len(rules) == 101


def test_one_merge_per_mapping(load_yaml):
    _, rules = load_yaml("a: &a {b: 1}\nc: {<<: *a, <<: *a}\n")

    assert rules == ["duplicate-key"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("? {a: 1}\n: b\n", "bad-mapping-key"),
        ("a: &x 1\n*x : 2\n", "bad-mapping-key"),
        ("project: {{code}}\n", "bad-mapping-key"),
        ("a: &x [*x]\n", "recursive-alias"),
        ("a: &x {b: {c: *x}}\n", "recursive-alias"),
        ("a: *nobody\n", "unknown-alias"),
        ("a: 1\n---\nb: 2\n", "several-documents"),
        ("", "empty-file"),
        ("# only a comment\n", "empty-file"),
        ("---\n", "empty-file"),
        ("null", "empty-file"),
        ("just text", "wrong-type"),
        ("[a]", "wrong-type"),
        ("a: " + "[" * 65, "too-deep"),
        ("a: " + "{b: " * 65, "too-deep"),
        ("a: [", "yaml-syntax"),
        ('a: "b', "yaml-syntax"),
        ("a: @b", "yaml-syntax"),
        ("a: `b`", "yaml-syntax"),
        ("a: %b", "yaml-syntax"),
        ("%YAML 9.0\n---\na: 1", "yaml-syntax"),
        ("a: }", "yaml-syntax"),
        ("a: 'b\n c", "yaml-syntax"),
        ("- a\nb: c", "yaml-syntax"),
        ("a: !e!x 1", "yaml-syntax"),
        ('a: "\\ud800"', None),
        ("a:\n\tb: 1", "yaml-tab"),
    ],
)
def test_what_can_not_be_read_is_one_error(load_yaml, text, rule):
    root, rules = load_yaml(text)

    assert root is None
    assert len(rules) == 1
    assert rules[0] == rule or rule is None


def test_deep_but_not_too_deep(load_yaml):
    root, rules = load_yaml("a: " + "[" * 63 + "]" * 63)

    assert rules == []
    assert root is not None


def test_an_alias_bomb_is_defused_before_it_goes_off(load_yaml):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]

    root, rules = load_yaml("\n".join(lines))

    assert root is None
    assert rules == ["too-many-values"]


def test_a_bomb_of_merges_is_one_too(load_yaml):
    keys = ", ".join(f"k{i}: 1" for i in range(500))
    lines = [f"a: &a {{{keys}}}"] + [f"b{i}: {{<<: *a}}" for i in range(1500)]

    root, rules = load_yaml("\n".join(lines))

    assert root is None
    assert rules == ["too-many-values"]


def test_the_number_of_values_is_bounded(load_yaml, monkeypatch):
    monkeypatch.setattr(loading, "MAX_VALUES", 100)

    assert load_yaml("a: [" + "1," * 90 + "]")[1] == []
    assert load_yaml("a: [" + "1," * 100 + "]")[1] == ["too-many-values"]


def test_an_unclosed_quotation_mark_is_shown_where_it_opens():
    findings = Findings("m.yaml")
    load('a: 1\nb: "open\nc: 2\n', findings)

    (diagnostic,) = findings.diagnostics()

    assert (diagnostic.location.line, diagnostic.location.column) == (2, 4)
    assert "not closed" in diagnostic.hint


def test_json_is_yaml(load_yaml):
    data = {"a": [1, 2.5, None, True, 'é\n"x"'], "b": {"c": {}, "d": []}}

    root, rules = load_yaml(json.dumps(data, ensure_ascii=False))

    assert rules == []
    assert root == data
    assert isinstance(root, MapNode)


def test_numbers_keep_within_what_python_converts():
    assert resolve_plain("9" * 4_001) == int("9" * 4_001)
    assert resolve_plain("9" * 4_002) == "9" * 4_002
