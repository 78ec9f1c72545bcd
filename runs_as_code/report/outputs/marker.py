"""The hidden line that finds a comment again, so that it is updated in place."""

from collections.abc import Iterable
from hashlib import sha256

from runs_as_code.report.outputs.escaping import comment_name

Scope = tuple[str, str, str]
"""Server, project and owner that a text is about."""

_LONGEST = 160
_DIGITS = 16


def hidden_marker(kind: str, scopes: Iterable[Scope]) -> str:
    """Return the marker of a `kind` of text about these projects, an HTML comment in one line.

    It depends on nothing else, so the next text about the same projects has the same one.
    """
    names = sorted({_name(scope) for scope in scopes})
    text = ",".join(names) or "nothing"
    if len(text) > _LONGEST:
        digest = sha256(text.encode()).hexdigest()[:_DIGITS]
        text = f"{len(names)}-projects:{digest}"
    return f"<!-- qarun:{kind}:{text} -->"


def _name(scope: Scope) -> str:
    server, project, owner = scope
    host = server.removeprefix("https://").removeprefix("http://")
    return comment_name(f"{owner}:{project}@{host}")
