"""Text that wants to be more than text, put wherever a plan has any."""

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser

from golden.samples import HOSTILE, HOSTILE_PLAN

MARKUP = (
    '</code></summary></pre><script>alert(1)</script><img src=x onerror="y"> @ann #12 !3 '
    "[x](http://evil) ![i](//e) https://e.vil www.e.vil ` `` ``` ~~~ | *b* _i_ **c** --> ]]> & "
    "&lt; \u202e\x1b[31m\r\n```\n# h\n::error::x %0A%0D"
)


def with_text(value, text):
    """Return the same value with every hostile text of the samples replaced by another."""
    if isinstance(value, tuple):
        return tuple(with_text(item, text) for item in value)
    if is_dataclass(value):
        changed = {f.name: with_text(getattr(value, f.name), text) for f in fields(value)}
        return replace(value, **changed)
    if isinstance(value, Enum) or not isinstance(value, str):
        return value
    return text if value == HOSTILE else value


MARKUP_PLAN = with_text(HOSTILE_PLAN, MARKUP)


class Page(HTMLParser):
    """Which elements a page has, with their attributes, and what text is outside of code."""

    def __init__(self, text, quiet=("code", "pre")):
        super().__init__()
        self.quiet = quiet
        self.tags = []
        self.attributes = []
        self.comments = []
        self.open = []
        self.loose = ""
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        self.text += data
        if not set(self.quiet) & set(self.open):
            self.loose += data
