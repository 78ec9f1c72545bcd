"""The escapes of each format: foreign text stays text, whatever it looks like.

| goes into                     | by                            |
|-------------------------------|-------------------------------|
| Markdown, outside of a fence  | `code_span`                   |
| Markdown, inside of a fence   | `safe`, under `fence`         |
| HTML inside of Markdown       | `html_code`                   |
| an HTML comment               | `comment_name`                |
| XML                           | `xml_text`, `element`         |
| a workflow command of GitHub  | `command_data`, `command_property` |
| a URI                         | `uri`                         |
"""

import html
import re
from collections.abc import Iterable, Mapping

from runs_as_code.report.safe import DEFAULT_LIMIT, safe

_BACKTICKS = re.compile("`+")
_UNNAMED = re.compile(r"[^A-Za-z0-9._@:,+/-]")
_PLAIN_IN_URI = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def code_span(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return a text as a code span of Markdown: no link, mention, tag or emphasis comes of it."""
    shown = safe(text, limit)
    if not shown.strip():
        return "(empty)"
    ticks = "`" * (_longest_ticks((shown,)) + 1)
    # One space on each side is taken off again; it keeps a backtick at the edge from the fence.
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def html_code(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return a text as code in HTML, where Markdown turns no name into a mention."""
    return f"<code>{html.escape(safe(text, limit))}</code>"


def fence(texts: Iterable[str]) -> str:
    """Return a fence of Markdown that nothing in these texts closes."""
    return "`" * max(3, _longest_ticks(texts) + 1)


def comment_name(text: str) -> str:
    """Return a name that an HTML comment can hold: it neither ends it nor breaks the line."""
    return _UNNAMED.sub("_", text).replace("--", "-_")


def xml_text(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return a text as XML 1.0 can hold it, in an element or in an attribute."""
    return html.escape(safe(text, limit))


def element(name: str, attributes: Mapping[str, str | int], content: str = "") -> str:
    """Return an element of XML; `content` is XML already, and the values of attributes are not."""
    given = "".join(f' {key}="{xml_text(str(value), 500)}"' for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def command_data(text: str) -> str:
    """Return the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """Return the value of a property of a workflow command."""
    return command_data(text).replace(":", "%3A").replace(",", "%2C")


def uri(path: str) -> str:
    """Return a path as a URI: relative where the path is, else of the scheme `file`."""
    raw = path.replace("\\", "/").removeprefix("./").encode("utf-8", "replace")
    quoted = "".join(chr(byte) if byte in _PLAIN_IN_URI else f"%{byte:02X}" for byte in raw)
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _longest_ticks(texts: Iterable[str]) -> int:
    return max((len(run) for text in texts for run in _BACKTICKS.findall(text)), default=0)
