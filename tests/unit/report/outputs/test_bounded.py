"""Whole pieces or none, never more bytes than allowed, and the count of what is left out."""

import re

from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.report.outputs.bounded import Section, fit

TEXTS = st.text(alphabet="aé🍕\n", max_size=30)
SECTIONS = st.lists(
    st.builds(Section, TEXTS, st.lists(TEXTS.filter(bool), max_size=8), TEXTS, st.booleans()),
    max_size=4,
)


@given(TEXTS, SECTIONS, TEXTS, st.integers(150, 900))
def test_a_text_is_never_too_long(head, sections, tail, limit):
    text = fit(head, sections, tail, max(limit, 400))
    assert len(text.encode()) <= max(limit, 400)
    assert text.startswith(head)
    assert text.endswith(tail)


def numbered(count, size=20):
    return [f"<{number:0{size - 3}}>\n" for number in range(count)]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(300, 2000))
def test_pieces_are_whole_or_left_out_and_counted(first, second, limit):
    pieces = [numbered(first), [text.replace("<", "{") for text in numbered(second, 40)]]
    sections = [Section("(", pieces[0], ")"), Section("(", pieces[1], ")")]
    text = fit("head\n", sections, "tail\n", limit)
    kept = [piece for piece in [*pieces[0], *pieces[1]] if piece in text]
    found = re.search(r"\.\.\. (\d+) more, see the artifact", text)
    assert (int(found[1]) if found else 0) == first + second - len(kept)
    assert re.sub(r"\*\*\.\.\. .*\n\n", "", text).count("\n") == len(kept) + 2


def test_an_empty_section_is_not_opened():
    assert fit("head\n", [Section("open\n", [], "close\n")], "tail\n", 500) == "head\ntail\n"


def test_a_piece_too_large_leaves_room_for_smaller_ones():
    text = fit("", [Section("", ["x" * 1000, "small\n"])], "", 300)
    assert text == "small\n**... 1 more, see the artifact**\n\n"


def test_what_does_not_count_is_left_out_silently():
    assert fit("", [Section("", ["x" * 1000], is_counted=False)], "", 300) == ""
