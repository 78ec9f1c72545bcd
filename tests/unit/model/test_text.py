"""The normal form of text: what servers and editors do to a text does not change it."""

import html
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runs_as_code.model.text import clash_form, normal_form
from runs_as_code.planning.digest import data_digest, text_digest

PIECES = (  # noqa: SIM905  two dozen literals are no easier to read
    "& &amp; &amp &lt &lt; &#60; ; < > <b> </p> <br/> a [ &nbsp; \u0338 e\u0301 <!-- --> #38; &#x26"
    " \ufb01 &Sigma \u037e \u212a"
).split(" ")
MARKUP = st.lists(st.sampled_from([*PIECES, " ", "\n", "\x1c"]), max_size=12).map("".join)
TEXTS = st.one_of(st.text(max_size=40), MARKUP)


@given(TEXTS)
@example("&lt<b>;foo>")
@example("<b>\u0338")
@example("<\u212a>")
@example("&Sigma\u037e")
@example("&amp;lt;b&amp;gt;")
def test_escaping_changes_nothing(text: str):
    assert normal_form(html.escape(text)) == normal_form(text)
    assert normal_form(html.escape(html.escape(text))) == normal_form(text)


@given(TEXTS)
def test_it_is_idempotent_trimmed_and_in_nfc(text: str):
    once = normal_form(text)

    assert normal_form(once) == once
    assert once == once.strip()
    assert "  " not in once
    assert unicodedata.is_normalized("NFC", once)


@given(TEXTS)
def test_space_around_and_paragraphs_change_nothing(text: str):
    assert normal_form(f" \n{text}\t ") == normal_form(text)
    assert normal_form(f"<p>{html.escape(text)}</p>") == normal_form(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a \t b\n\nc ", "a b c"),
        ("<p>a</p><p>b</p>", "a b"),
        ("a<br>b<BR/>c", "a b c"),
        ("a <b>bold</b> word", "a bold word"),
        ("in<i>side</i> a word", "inside a word"),
        ("<!-- note -->a", "a"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("a &amp;amp; b", "a & b"),
        ("a&nbsp;b", "a b"),
        ("e\u0301", "\u00e9"),
        ('<a href="https://example.com">link</a>', "link"),
        ("x <b [1]", "x <b [1]"),
    ],
)
def test_normal_form(text: str, expected: str):
    assert normal_form(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("Smoke", "smoke"), ("Stra\u00dfe", "STRASSE"), ("A &amp; B", "a & b"), (" a  b", "A B")],
)
def test_titles_clash_whatever_their_case(one: str, other: str):
    assert clash_form(one) == clash_form(other)


def test_titles_with_other_words_do_not_clash():
    assert clash_form("Smoke") != clash_form("Smoke 2")


@given(TEXTS)
def test_a_digest_is_eight_letters_of_the_normal_form(text: str):
    digest = text_digest(text)

    assert len(digest) == 8
    assert set(digest) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert digest == text_digest(html.escape(text))


def test_a_digest_never_changes():
    """It stands in the markers of live runs, which nobody can rewrite."""
    assert text_digest("Sprint 24 checkout regression") == "37nepgqx"
    assert (
        data_digest({"b": [1, 2], "a": "x"}) == data_digest({"a": "x", "b": [1, 2]}) == "oippqlzn"
    )


def test_nesting_without_end_costs_little():
    assert normal_form("&" + "amp;" * 10_000 + "lt;").startswith("&amp;")


@pytest.mark.parametrize("text", ["&#" + "9" * 5000 + ";", "&#" + "0" * 5000 + "65;"])
def test_a_reference_of_thousands_of_digits_is_decoded(text):
    assert normal_form(text) in {"\ufffd", "A"}
