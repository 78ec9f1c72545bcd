"""Foreign text stays text in every format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from unit.report.outputs.hostile import MARKUP, Page

from runs_as_code.report.outputs.escaping import (
    code_span,
    command_data,
    command_property,
    comment_name,
    element,
    fence,
    html_code,
    uri,
    xml_text,
)
from runs_as_code.report.outputs.marker import hidden_marker
from runs_as_code.report.safe import safe

TEXTS = st.one_of(st.sampled_from([MARKUP, "`", "``", " ` ", " ", "", "a`"]), st.text(max_size=30))
MARKUPS = st.text(alphabet="`~ ab\\|<>&*_[]()!@#-\n", max_size=20)


@given(TEXTS | MARKUPS)
def test_a_code_span_shows_the_text_and_nothing_else(text):
    page = Page(MarkdownIt().render(f"x {code_span(text)} y"))
    if safe(text).strip():
        assert page.tags == ["p", "code"]
        assert page.text == f"x {safe(text)} y\n"
    else:
        assert page.text == "x (empty) y\n"


@given(st.lists(TEXTS | MARKUPS, max_size=3))
def test_no_text_closes_its_fence(texts):
    lines = [f"+ {safe(text)}" for text in texts] + [f"  {safe(text)}" for text in texts]
    ticks = fence(lines)
    body = "".join(f"{line}\n" for line in lines)
    page = Page(MarkdownIt().render(f"{ticks}diff\n{body}{ticks}\n\nend\n"))
    assert page.tags == ["pre", "code", "p"]
    assert page.text == f"{body}\nend\n"


@given(TEXTS)
def test_html_code_shows_the_text_and_nothing_else(text):
    page = Page(html_code(text))
    assert (page.tags, page.text, page.loose) == (["code"], safe(text), "")


@given(TEXTS | MARKUPS)
def test_a_marker_is_one_comment_in_one_line(comment_id):
    marker = hidden_marker("plan", comment_id)
    page = Page(marker)
    assert (page.tags, page.text, len(page.comments)) == ([], "", 1)
    assert marker.isascii()
    assert "\n" not in marker
    assert "--" not in marker[4:-3]
    assert len(marker) < 256


@pytest.mark.parametrize(
    ("comment_id", "marker"),
    [
        ("", "<!-- qarun:plan -->"),
        ("qarun/plan", "<!-- qarun:plan:qarun/plan -->"),
        ("a b", "<!-- qarun:plan:a_b.c8687a08aa5d -->"),
    ],
)
def test_a_marker_says_its_kind_and_its_name(comment_id, marker):
    assert hidden_marker("plan", comment_id) == marker


def test_each_name_has_a_marker_of_its_own():
    names = [
        "",
        "a",
        "a b",
        "a_b",
        "a--b",
        "a-_b",
        "a\n",
        "x" * 100,
        "x" * 101,
        "x" * 102,
        "\ud800",
    ]
    markers = {hidden_marker(kind, name) for kind in ("plan", "drift") for name in names}
    assert len(markers) == 2 * len(names)


def test_a_name_keeps_what_is_harmless():
    assert comment_name("web-team:BD@acme.eu1") == "web-team:BD@acme.eu1"
    assert comment_name("a--b -->\n") == "a-_b_-___"


def test_xml_is_escaped_in_text_and_attributes():
    assert xml_text("<a & 'b'\x00\ufffe>") == r"&lt;a &amp; &#x27;b&#x27;\x00\ufffe&gt;"
    assert element("a", {"b": '"<', "n": 1}) == '<a b="&quot;&lt;" n="1"/>'
    assert element("a", {}, "<b/>") == "<a><b/></a>"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("qa/web.yaml", "qa/web.yaml"),
        ("./qa/web.yaml", "qa/web.yaml"),
        ("qa/a b#1%?.yaml", "qa/a%20b%231%25%3F.yaml"),
        ("qa/é.yaml", "qa/%C3%A9.yaml"),
        ("/srv/qa/web.yaml", "file:///srv/qa/web.yaml"),
        ("qa\\web.yaml", "qa/web.yaml"),
        ("\udcff", "%3F"),
    ],
)
def test_a_path_becomes_a_uri(path, expected):
    assert uri(path) == expected


def test_workflow_commands_are_escaped():
    assert command_data("50%\r\n::error::x") == "50%25%0D%0A::error::x"
    assert command_property("a:b,c%") == "a%3Ab%2Cc%25"
