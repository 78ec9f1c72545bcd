"""Strategies and samples of text that somebody wrote to do harm."""

import re
import unicodedata

from hypothesis import strategies as st

NASTY = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\r\x1b[Kgone",
    "a\nb\r\nc",
    "\n::set-output name=x::y",
    "::error file=a.py::boom",
    " ::stop-commands::x",
    "##[error]boom",
    "x ##vso[task.setvariable variable=a]b",
    "##teamcity[buildStatus status='SUCCESS']",
    "\n##vso[task.complete result=Succeeded;]",
    "\u202egnp.exe\u2066",
    "a\u200bb\u2060c\ufeff",
    "\x00\x07\x08",
    "\u2028::warning::x\u2029##[x]\x85::debug::y",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1)) ![x](http://evil.example/y)",
    "```\n# heading\n@everyone @ann #12 | a | b |",
    "&#27;[31m &#x1b;[0m &lt;b&gt;",
    "%s %d {0} {title} $(id) `id` ${IFS}",
    "../../../etc/passwd",
    "\U000e0041\U0001f468\u200d\U0001f469",
    "e" + "\u0301" * 300,
    "[qarun:1 web-team smoke r1]",
    "=HYPERLINK(1)",
    "-" * 300,
    "section_start:0:x\r\x1b[0K",
)

# In the form of a key of QA Sphere.
KEY = "tst0000001.1CKCEtest_JYyckc3zYtest.canarycanarycanarycanary"

# Everything Unicode has, halves of characters too.
CHARACTERS = st.characters(exclude_categories=())
PIECES = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(
        ("&amp;" * 50, "&" * 99, "&#" + "9" * 5_000 + ";", "&#0" + "0" * 5_000 + "65;")
    ),
    st.sampled_from(("<", ">", "<!--", "-->", "<br", "[", "]", "[qarun:", "[QaRuN:1 ", " r1 s")),
    st.text(CHARACTERS, max_size=20),
)
HOSTILE_TEXT = st.lists(PIECES, max_size=12).map("".join)

_COMMAND = re.compile(r"##[A-Za-z]*\[", re.IGNORECASE)


def harm(text: str, *, colors: bool = False) -> list[str]:
    """Return what in an output could act on a terminal or on a pipeline's runner."""
    if colors:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = [
        f"{char!r} ({unicodedata.name(char, 'no name')})"
        for char in sorted(set(text))
        if char != "\n" and (unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    ]
    lines = text.split("\n")
    return found + [
        line for line in lines if line.lstrip().startswith("::") or _COMMAND.search(line)
    ]
