"""The line that an apply leaves in the log of each run it made or closed, as HTML.

Values come from the environment of a pipeline: they stay text, and addresses lose what may be
secret in them.
"""

import html
import re

from runs_as_code.model.actions import Action, MakeRun
from runs_as_code.model.provenance import Provenance
from runs_as_code.report.names import NAME_LIMIT
from runs_as_code.report.safe import safe

VALUE_LIMIT = 300
COMMENT_LIMIT = 4_000
"""Characters of a line at most; facts that do not fit are left out. The API names no limit [J]."""

_ADDRESS = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,30}:/{1,9}|[A-Za-z][A-Za-z0-9+.-]{0,30}:\\+)(\S*)"
)
_PAGE = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~%!$'()*+,;=:@/-]*)?")
_BEYOND_AUTHORITY = re.compile(r"[/\\]")
_QUERY = re.compile(r"[?#]")


def log_comment(action: Action, owner: str, provenance: Provenance) -> str:
    """Return the line for the run that an action made or closed, in at most 4,000 characters."""
    key = _code(action.key)
    if isinstance(action, MakeRun):
        done = "Cloned" if action.is_clone else "Created"
        what = f"{done} by qarun for key {key}, revision r{action.revision}"
    else:
        why = action.reason.value.replace("-", " ")
        what = f"Closed by qarun for key {key}: {why}"
    line = f"{what}; owner {_code(owner)}"
    for name, value in provenance.facts:
        fact = f"; {html.escape(safe(name, NAME_LIMIT))} {_value(value)}"
        if len(line) + len(fact) <= COMMENT_LIMIT:
            line += fact
    return f"<p>{line}</p>"


def without_secrets(text: str) -> str:
    """Return a text whose addresses have no user, password, query or fragment any more."""
    return _ADDRESS.sub(lambda found: found[1] + _bare(found[2]), text)


def _bare(rest: str) -> str:
    """Cut the query off what follows the scheme, and the user off its authority."""
    path = _QUERY.split(rest, maxsplit=1)[0]
    end = _BEYOND_AUTHORITY.search(path)
    authority = path[: end.start()] if end else path
    return authority.rpartition("@")[2] + path[len(authority) :]


def _value(value: str) -> str:
    shown = safe(without_secrets(value), VALUE_LIMIT)
    if _PAGE.fullmatch(shown):
        escaped = html.escape(shown)
        return f'<a href="{escaped}">{escaped}</a>'
    return _code(shown)


def _code(text: str) -> str:
    return f"<code>{html.escape(safe(text, VALUE_LIMIT))}</code>"
