"""The hidden line that finds a comment again, so that it is updated in place."""

from hashlib import sha256

from runs_as_code.report.outputs.escaping import comment_name

_LONGEST = 100
_DIGITS = 12


def hidden_marker(kind: str, comment_id: str = "") -> str:
    """Return the marker of a `kind` of text, an HTML comment in one line.

    `comment_id` keeps apart what several sets of manifests say in one place; it may be any text.
    Nothing else counts, above all not what a text is about: that changes from one to the next.
    """
    name = f":{_name(comment_id)}" if comment_id else ""
    return f"<!-- qarun:{kind}{name} -->"


def _name(text: str) -> str:
    """Return a name for a comment, another one for each text."""
    name = comment_name(text)[:_LONGEST]
    if name == text:
        return name
    return f"{name}.{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]}"
