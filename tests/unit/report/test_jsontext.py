import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.report.jsontext import dump_json, parse_json
from runs_as_code.report.safe import is_unsafe

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(DATA)
def test_text_is_what_the_standard_library_would_write_but_for_unsafe_characters(data):
    text = dump_json(data)
    assert parse_json(text.encode()) == data
    plain = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert not [char for char in text if char != "\n" and is_unsafe(char)]
    if not any(is_unsafe(char) for char in plain.replace("\n", "")):
        assert text == plain


def test_unsafe_characters_are_escaped_and_readable_ones_stay():
    data = {"é 🍕": "\x9b \x7f \u202e \u2028 \ud800 \U000e0041 ] ^ - \\"}
    text = dump_json(data)
    assert r'"é 🍕": "\u009b \u007f \u202e \u2028 \ud800 \udb40\udc41 ] ^ - \\"' in text
    assert json.loads(text) == data


@pytest.mark.parametrize("data", [{}, [], {"a": [], "b": {}}, [[[]]], "", 0, None, True, False])
def test_empty_things(data):
    assert dump_json(data) == json.dumps(data, indent=2) + "\n"


def test_there_are_no_floats():
    with pytest.raises(TypeError):
        dump_json({"seconds": 1.5})


def test_a_byte_order_mark_is_no_harm():
    assert parse_json(b"\xef\xbb\xbf{}") == {}
