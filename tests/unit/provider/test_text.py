import pytest

from runs_as_code.provider.text import one_line, without_surrogates


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("\n\n  first \nsecond", "first"),
        ("red \x1b[31malert\x07", r"red \x1b[31malert\x07"),
        ("a\rb", r"a\x0db"),
        ("right\u202eleft", r"right\u202eleft"),
        ("grün ✓", "grün ✓"),
    ],
)
def test_one_line_shows_nothing_that_acts_on_a_terminal(text, shown):
    assert one_line(text) == shown


def test_one_line_keeps_the_limit():
    assert one_line("x" * 120) == "x" * 120
    assert one_line("x" * 121) == "x" * 119 + "…"
    assert len(one_line("\x1b" * 5000)) == 120


def test_half_characters_are_replaced_and_others_kept():
    assert without_surrogates("a\ud800b") == "a?b"
    assert without_surrogates("ü😀") == "ü😀"
