"""The marker: written once, read back from whatever a server or an editor made of it."""

import html
from dataclasses import replace

import pytest
from builders import OWNER, desired, marker_of
from hypothesis import assume, given
from hypothesis import strategies as st

from runs_as_code.model.marker import (
    MARKER_OPENING,
    MAX_DESCRIPTION_LENGTH,
    MAX_MARKER_LENGTH,
    Marker,
    marker_length_bound,
)
from runs_as_code.model.marking import MarkState, compose_description, read_description
from runs_as_code.model.text import normal_form

OWNERS = st.from_regex(r"[a-z0-9-]{3,32}", fullmatch=True)
KEYS = st.from_regex(r"[A-Za-z0-9._@=,\[\]-]{1,64}", fullmatch=True)
DIGESTS = st.one_of(st.just("-"), st.from_regex(r"[a-z2-7]{8}", fullmatch=True))
IDS = st.one_of(st.none(), st.integers(0, 10**10 - 1))
MARKERS = st.builds(
    Marker,
    owner=OWNERS,
    key=KEYS,
    revision=st.integers(1, 9999),
    selection=DIGESTS,
    description=DIGESTS,
    title=DIGESTS,
    own_title=DIGESTS,
    milestone=IDS,
    assignee=IDS,
    is_protected=st.booleans(),
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "<b>",
                "</b>",
                "<",
                "&amp;",
                "&lt;",
                "&",
                "[",
                "]",
                "a",
                "\n",
                "<a ",
                "\r",
                "\x1c",
                "\u2028",
                "b>",
            ]
        )
    ).map("".join),
)

MARKER = marker_of(desired("checkout-regression"))


def as_paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip())


MANGLINGS = {
    "kept": str,
    "trimmed": str.strip,
    "one line": lambda text: " ".join(text.split()),
    "escaped": html.escape,
    "escaped twice": lambda text: html.escape(html.escape(text)),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "breaks": lambda text: html.escape(text).replace("\n", "<br/>"),
    "paragraphs": as_paragraphs,
    "in a span": lambda text: f'<div class="text"><span>{html.escape(text)}</span></div>',
    "hard spaces": lambda text: html.escape(text).replace(" ", "&nbsp;"),
}


@pytest.mark.parametrize("mangle", MANGLINGS.values(), ids=MANGLINGS)
@given(text=TEXTS, marker=MARKERS)
def test_what_is_written_is_read_back(mangle, text: str, marker: Marker):
    assume(MARKER_OPENING not in normal_form(text))

    reading = read_description(mangle(compose_description(text, marker)))

    assert reading.state is MarkState.MARKED
    assert reading.marker == marker
    assert reading.text == normal_form(text)


@given(MARKERS)
def test_a_marker_is_short_plain_ascii(marker: Marker):
    text = str(marker)

    assert len(text) <= marker_length_bound(marker.owner, marker.key) <= MAX_MARKER_LENGTH
    assert text.isascii()
    assert not set(text) & set("<>&\"'\n\r")


def test_a_usual_marker_has_about_a_hundred_characters():
    assert 80 <= len(str(MARKER)) <= 110


def test_a_marker_of_version_1_never_changes():
    """Live runs carry it for good, so every later version must still read it."""
    text = "[qarun:1 web-team checkout-regression r12 sabcdefgh d- tijklmnop nqrstuvwx m6 a- p]"

    marker = read_description(f"About it.\n\n{text}").marker

    assert marker == Marker(
        owner="web-team",
        key="checkout-regression",
        revision=12,
        selection="abcdefgh",
        description="-",
        title="ijklmnop",
        own_title="qrstuvwx",
        milestone=6,
        assignee=None,
        is_protected=True,
    )
    assert str(marker) == text


@pytest.mark.parametrize(
    "linked",
    [
        '<a href="mailto:ann@example.com">ann@example.com</a>',
        '<a href="https://www.example.com" target="_blank">www.example.com</a>',
    ],
)
def test_a_key_that_an_editor_made_a_link_is_read(linked: str):
    key = linked.split(">")[1].split("<", maxsplit=1)[0]
    marker = replace(MARKER, key=key)

    assert read_description(str(marker).replace(key, linked)).marker == marker


@pytest.mark.parametrize("text", ["", "About it.", "An e-mail to qarun: hello [qarun]", "[qarun"])
def test_a_text_without_an_opening_is_unmarked(text: str):
    reading = read_description(text)

    assert reading.state is MarkState.UNMARKED
    assert reading.text == text


@pytest.mark.parametrize(
    "text",
    [
        f"{MARKER} and {MARKER}",
        f"{MARKER} [qarun:",
        "[qarun:",
        "[qarun:1 ",
        "[qarun:1]",
        str(MARKER)[:-1],
        str(MARKER)[:-20],
        str(MARKER).replace(" s", " "),
        str(MARKER).replace("r1 ", "r "),
        str(MARKER).replace("r1 ", "r10000 "),
        str(MARKER).replace("web-team", "Web-Team"),
        str(MARKER).replace(" u]", " x]"),
        str(MARKER).replace(" m-", " m12345678901"),
        str(MARKER).replace("checkout-regression", "checkout regression"),
        str(MARKER).replace("[qarun:1", "[qarun:one"),
    ],
)
def test_anything_but_one_good_marker_is_damaged(text: str):
    reading = read_description(text)

    assert reading.state is MarkState.DAMAGED
    assert reading.marker is None


@pytest.mark.parametrize("version", ["0", "2", "17"])
def test_another_version_is_not_damaged_but_unknown(version: str):
    text = str(MARKER).replace("[qarun:1 ", f"[qarun:{version} ")

    assert read_description(text).state is MarkState.UNKNOWN_VERSION
    assert read_description(f"[qarun:{version}]").state is MarkState.UNKNOWN_VERSION


def test_the_marker_is_the_last_line_after_an_empty_one():
    assert compose_description("About it.\n", MARKER) == f"About it.\n\n{MARKER}"
    assert compose_description("", MARKER) == str(MARKER)
    assert compose_description(None, MARKER) == str(MARKER)


def test_the_longest_owner_and_key_leave_room_for_a_text():
    bound = marker_length_bound("x" * 32, "y" * 64)

    assert bound <= MAX_MARKER_LENGTH
    assert MAX_DESCRIPTION_LENGTH - MAX_MARKER_LENGTH > 300


def test_an_unclosed_tag_before_the_marker_does_not_swallow_it():
    assert read_description(compose_description("if a <b and c", MARKER)).marker == MARKER
    assert read_description(compose_description("<!-- note", MARKER)).marker == MARKER
    assert MARKER.owner == OWNER
