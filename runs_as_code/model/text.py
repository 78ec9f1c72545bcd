"""One normal form for text that a server or an editor may have changed."""

import html
import re
import unicodedata

# A tag never reaches over `[`, so that an unclosed `<` cannot swallow a marker behind it.
_BLOCK_TAG = re.compile(
    r"</?(?:address|article|blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|section|table|td|th|tr|ul)"
    r"(?:[\s/][^<>\[]*)?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\[]*>|<!--[^<>\[]*-->")

# `html.unescape` raises for a number of more than 4,300 digits; one that long is no character.
_LEADING_ZEROS = re.compile(r"&#0+(?=[0-9])")
_HUGE_REFERENCE = re.compile(r"&#[0-9]{8,};?")

# Each round undoes one level of escaping; nobody escapes a text twenty times, and a hostile text
# must not cost more than that.
_MAX_ROUNDS = 20


def normal_form(text: str) -> str:
    """Return the text without tags, entities and superfluous white space, in NFC.

    `normal_form(escape(x)) == normal_form(x)`: what a server escapes or trims compares equal.
    """
    for _ in range(_MAX_ROUNDS):
        plain = _unescape(text) if "&" in text else text
        # Tags go when nothing is left to decode, else escaping would change what is a tag; letters
        # are composed when no tag is left, else a stroke behind one would be composed with its `>`.
        if plain == text and "<" in text:
            plain = _TAG.sub("", _BLOCK_TAG.sub(" ", text))
        if plain == text:
            plain = unicodedata.normalize("NFC", text)
        if plain == text:
            break
        text = plain
    return " ".join(text.split())


def clash_form(title: str) -> str:
    """Return the form in which two titles clash: the normal form without regard to case."""
    return unicodedata.normalize("NFC", normal_form(title).casefold())


def _unescape(text: str) -> str:
    if "&#" in text:
        text = _HUGE_REFERENCE.sub("\ufffd", _LEADING_ZEROS.sub("&#", text))
    return html.unescape(text)
