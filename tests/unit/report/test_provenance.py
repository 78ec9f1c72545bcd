"""The line in the log of a run: what it says, and what it never says."""

import pytest
from golden import samples
from unit.report.outputs.hostile import MARKUP

from runs_as_code.model.provenance import Provenance
from runs_as_code.report.provenance import COMMENT_LIMIT, log_comment, without_secrets

MAKE = samples.CREATE.actions[0]
CLOSE = samples.CLOSE.actions[0]


def said(*facts: tuple[str, str]) -> str:
    return log_comment(MAKE, "web-team", Provenance(facts))


def test_it_says_what_was_done_and_where_that_comes_from():
    page = "https://ci.example.com/acme/qa/actions/runs/42"
    assert said(("commit", "3f2c"), ("author", "ann"), ("pipeline", page)) == (
        "<p>Created by qarun for key <code>cart-smoke</code>, revision r1;"
        " owner <code>web-team</code>; commit <code>3f2c</code>; author <code>ann</code>;"
        f' pipeline <a href="{page}">{page}</a></p>'
    )


def test_it_says_why_a_run_was_closed():
    line = log_comment(CLOSE, "web-team", Provenance((("commit", "3f2c"),)))
    assert line.startswith("<p>Closed by qarun for key <code>sprint-23</code>: declared closed;")


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("https://ann:secret@ci.example.com/run/1", "https://ci.example.com/run/1"),
        ("https://ci.example.com/run/1?token=secret#secret", "https://ci.example.com/run/1"),
        ("see https://token:secret@host/x?k=secret then", "see https://host/x then"),
        ("https://a@b@host?secret", "https://host"),
        ("https:\\\\ann:secret@host\\x?secret", "https:\\\\host\\x"),
        ("git+ssh://ann:secret@host:22/x", "git+ssh://host:22/x"),
        ("https://host/a@b/c", "https://host/a@b/c"),
        ("ann@example.com", "ann@example.com"),
        ("", ""),
    ],
)
def test_addresses_lose_what_may_be_secret(text: str, bare: str):
    assert without_secrets(text) == bare


@pytest.mark.parametrize("text", [MARKUP, 'https://h/"onclick=x', "javascript:alert(1)//https://h"])
def test_a_value_stays_text(text: str):
    line = said(("author", text))
    assert line.count("<") == line.count(">") == 8
    assert "href" not in line


def test_a_line_is_bounded_and_leaves_out_whole_facts():
    line = said(*((f"fact-{n}", "&" * 299) for n in range(8)), ("last", "short"))
    assert len(line) <= COMMENT_LIMIT + len("<p></p>")
    assert line.count("<code>") == line.count("</code>")
    assert line.endswith("; last <code>short</code></p>")


def test_a_long_or_broken_value_is_cut_and_shown():
    line = said(("author", "a\n\x1b[2J" + "x" * 9_999))
    assert r"a\n\x1b[2J" in line
    assert len(line) < 600
