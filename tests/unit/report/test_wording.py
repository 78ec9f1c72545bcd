"""Which words of two texts are marked as changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.report.outputs.wording import changed_words


def marked(old: str, new: str) -> tuple[list[str], list[str]]:
    before, after = changed_words(old, new)
    return ([text for is_changed, text in side if is_changed] for side in (before, after))


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"),
    [
        ("Sprint 23 (5)", "Sprint 24 (6)", ["23", "5"], ["24", "6"]),
        ("from cart to receipt", "from cart to receipt, with VAT", [], [", with VAT"]),
        ("Checkout", "Checkout", [], []),
        ("(not readable)", "folders Cart", [], []),  # nothing in common: no word stands out
        ("", "Cart", [], []),
    ],
)
def test_what_changed_stands_out(old: str, new: str, gone: list[str], come: list[str]):
    assert tuple(marked(old, new)) == (gone, come)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_letter_is_lost(old: str, new: str):
    before, after = changed_words(old, new)
    assert "".join(text for _, text in before) == old
    assert "".join(text for _, text in after) == new
