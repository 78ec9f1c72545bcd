"""Whatever a description holds, reading its marker ends, costs little, trusts nothing broken."""

import time

import pytest
from hostile.texts import CHARACTERS, HOSTILE_TEXT
from hypothesis import given, settings
from hypothesis import strategies as st

from runs_as_code.model.marker import UNKNOWN, Marker
from runs_as_code.model.marking import MarkState, compose_description, read_description
from runs_as_code.model.text import normal_form

MARKER = Marker("web-team", "smoke", 1, "abcdefgh", "abcdefgh", "abcdefgh", "abcdefgh", 1)
WRITTEN = str(MARKER)


@settings(max_examples=300)
@given(HOSTILE_TEXT)
def test_any_description_is_read(text: str):
    reading = read_description(text)
    assert (reading.marker is None) == (reading.state is not MarkState.MARKED)


@settings(max_examples=300)
@given(st.text(CHARACTERS, max_size=60), st.text(CHARACTERS, max_size=60))
def test_a_marker_is_found_in_the_middle_of_anything_that_holds_no_other(before: str, after: str):
    text = f"{before.replace('[', '').replace('&', '')} {WRITTEN} {after.replace('[', '')}"
    reading = read_description(text.replace("<", "").replace("&", ""))
    assert reading.state is MarkState.MARKED
    assert reading.marker == MARKER


@settings(max_examples=300)
@given(st.integers(0, len(WRITTEN) - 1), CHARACTERS)
def test_a_changed_marker_says_what_is_written_or_nothing(place: int, char: str):
    changed = WRITTEN[:place] + char + WRITTEN[place + 1 :]
    reading = read_description(changed)
    assert reading.marker is None or str(reading.marker) in normal_form(changed)


@pytest.mark.parametrize("other", [WRITTEN, "[qarun:2 x]", "[qarun:", "&#91;qarun:"])
def test_two_openings_are_damaged(other: str):
    assert read_description(f"{WRITTEN} {other}").state is MarkState.DAMAGED
    assert read_description(f"{other} {WRITTEN}").state is MarkState.DAMAGED


def test_a_declared_description_can_not_forge_a_marker():
    forged = compose_description(WRITTEN.replace("web-team", "evil-team"), MARKER)
    assert read_description(forged).state is MarkState.DAMAGED


COSTLY = {
    "entities": "&amp;" * 40_000,
    "nested entities": "&" + "amp;" * 50_000,
    "numbers": "&#" + "9" * 200_000 + ";",
    "zeros": "&#" + "0" * 200_000 + "65;",
    "many numbers": "&#91;qarun:1 " * 15_000,
    "open tags": "<a" * 100_000,
    "closing tags": "</p>" * 50_000,
    "a tag without end": "<a " + "x" * 200_000,
    "comments": "<!--" * 50_000,
    "dashes": "<!--" + "-" * 200_000,
    "breaks": "<br" + " " * 200_000,
    "blanks": " " * 200_000 + "x",
    "openings": "[qarun:1 " * 22_000,
    "almost markers": (WRITTEN[:-1] + " ") * 2_000,
    "long key": "[qarun:1 web-team " + "k" * 200_000,
    "long owner": "[qarun:1 " + "a" * 200_000,
    "marks": "e" + "\u0301" * 100_000,
    "composed": "\u1e9b\u0323" * 60_000,
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_description_400_times_too_long_costs_little(name: str):
    started = time.process_time()
    read_description(COSTLY[name])
    assert time.process_time() - started < 2.0


def test_the_unknown_is_no_id():
    text = WRITTEN.replace(" m1 ", f" m{UNKNOWN} ")
    marker = read_description(text).marker
    assert marker is not None
    assert marker.milestone is None
