"""Comments for people: the API takes HTML, and what is shown is the text that it says."""

import html
import re

_LINE_END = re.compile(
    r"\r\n?|<(?:br|hr|/(?:p|div|li|h[1-6]|tr|pre|blockquote))(?:[\s/][^<>]*)?>", re.IGNORECASE
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")
# No longer ones: `html.unescape` raises for a number of thousands of digits.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def plain_text(comment: str) -> str:
    """Return a comment without its tags, with its entities decoded once, line by line.

    What comes out may hold what looks like a tag: it is text, and has to be escaped as any other.
    """
    bare = _TAG.sub("", _LINE_END.sub("\n", comment))
    text = _REFERENCE.sub(lambda found: html.unescape(found[0]), bare).replace("\xa0", " ")
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
