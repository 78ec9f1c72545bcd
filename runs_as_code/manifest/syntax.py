"""Says in human words what the YAML parser stumbled over."""

import yaml

from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.tree import pack

_NO_CHARACTER = (
    "write the character itself or `\\U0001f525`, with eight digits; its halves, like"
    " `\\ud83d\\udd25`, are read in JSON alone"
)

# The parser's words (a part of them), and what usually is the matter.
_HINTS = (
    ("mapping values are not allowed", "put a text that holds `: ` in quotes, or look at indents"),
    ("could not find expected ':'", "a key needs `: ` behind it"),
    ("did not find expected key", "look at the indentation of this line and of those above it"),
    ("expected <block end>", "look at the indentation of this line and of those above it"),
    ("block sequence entries are not allowed", "begin the list on a line of its own"),
    ("did not find expected '-' indicator", "look at the indentation of this list"),
    ("did not find expected ',' or", "a list in brackets needs its commas and its end"),
    ("expected ',' or", "a list in brackets needs its commas and its end"),
    ("unexpected end of stream", "a quotation mark or bracket is not closed"),
    ("cannot start any token", "put a text that begins with this character in quotes"),
    ("invalid Unicode character escape", _NO_CHARACTER),
    ("escape", "in double quotes write `\\\\` for a backslash, or use single quotes"),
    ("undefined tag handle", "leave the tag out, or put the text in quotes"),
)


def report_syntax(error: yaml.YAMLError, text: str, findings: Findings) -> None:
    """Report what the parser refused, at the place it names."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    context = getattr(error, "context", None)
    mark = getattr(error, "problem_mark", None)
    if "end of stream" in problem or mark is None:
        # Where the quotation mark or bracket opens says more than where the file ends.
        mark = getattr(error, "context_mark", None) or mark
    place = 0 if mark is None else pack(mark.line, mark.column)
    at_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
    if at_tab or "tab character" in problem or "'\\t'" in problem:
        message = "a tab stands where YAML wants spaces"
        findings.add("yaml-tab", place, message, hint="indent with spaces")
        return
    words = f"{problem} {context or ''}"
    hint = next((hint for part, hint in _HINTS if part in words), "")
    message = f"this is not YAML: {problem}" + (f" {context}" if context else "")
    findings.add("yaml-syntax", place, message, hint=hint)
