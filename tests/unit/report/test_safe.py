import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.report.safe import is_unsafe, quoted, safe, width

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 2 + 2 = 4", "plain text, 2 + 2 = 4"),
        ("Тест оплаты 🍕 結帳 ❤️", "Тест оплаты 🍕 結帳 ❤️"),
        ("two\nlines\r\tend", r"two\nlines\r\tend"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b2Jcleared\x7f\x00", r"\x9b2Jcleared\x7f\x00"),
        ("\u202egnp.exe\u2066\u200e", r"\u202egnp.exe\u2066\u200e"),
        ("a\u200bb\u200dc\ufeffd\u00ade", r"a\u200bb\u200dc\ufeffd\xade"),
        ("line\u2028para\u2029next\x85", r"line\u2028para\u2029next\x85"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("filler\u3164\u2800\u115f", r"filler\u3164\u2800\u115f"),
        ("half \ud800", r"half \ud800"),
        ("no\xa0break\u3000wide", "no break wide"),
    ],
)
def test_what_could_hide_or_deceive_is_made_visible(text, shown):
    assert safe(text) == shown


def test_stacked_marks_are_bounded():
    assert safe("e\u0301\u0302\u0303") == "e\u0301\u0302\u0303"
    assert safe("e" + "\u0301" * 5) == "e" + "\u0301" * 3 + r"\u0301\u0301"


@pytest.mark.parametrize("limit", [3, 10, 50])
def test_long_texts_are_cut_at_a_whole_character(limit):
    assert safe("x" * limit, limit) == "x" * limit
    assert safe("x" * (limit + 1), limit) == "x" * (limit - 3) + "..."
    cut = safe("\x1b" * limit, limit)
    assert len(cut) <= limit
    assert cut == r"\x1b" * ((limit - 3) // 4) + "..."


@given(ANYTHING, st.integers(3, 100))
def test_nothing_unsafe_is_left(text, limit):
    shown = safe(text, limit)
    assert len(shown) <= limit
    assert not [char for char in shown if is_unsafe(char)]
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_quoted_is_a_literal():
    assert quoted("a\nb") == r"`a\nb`"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("結帳", 4), ("é", 1), ("e\u0301", 1)])
def test_width_counts_columns(text, columns):
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[error]x", r"#\x23[error]x"),
        ("see ##vso[task.complete]", r"see #\x23vso[task.complete]"),
        ("###TeamCity[x]", r"##\x23TeamCity[x]"),
        ("::error::x", r"\x3a:error::x"),
        ("\u3000 ::set-output name=a::b", r"  \x3a:set-output name=a::b"),
        ("a ::b, std::c, ## d [e], #[f]", "a ::b, std::c, ## d [e], #[f]"),
    ],
)
def test_commands_of_pipelines_are_made_plain(text, shown):
    assert safe(text) == shown


@given(st.text("#:[ vsoerr]", max_size=40), st.integers(3, 40))
def test_no_command_of_a_pipeline_is_left(text, limit):
    shown = safe(text, limit)
    assert len(shown) <= limit
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown
