"""Turns pages into HTML: everything is escaped, nothing hidden stays hidden, nothing can run."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_ICON = "icon.svg"
_STYLE = "style.css"


def render(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page with the headers that every page has."""
    text = _environment().get_template(template).render(values)
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers=_headers())


def icon() -> Response:
    """Return the icon of the browser's tab."""
    return Response(_source(_ICON), media_type="image/svg+xml", headers=_headers())


def seen(value: Any) -> Any:
    r"""Return a text with what nobody would see, or what would turn text around, as `\u202e`."""
    if not isinstance(value, str) or hasattr(value, "__html__") or value.isprintable():
        return value
    return "".join(char if char.isprintable() or char in "\n " else _escape(char) for char in value)


def moment(text: str) -> str:
    """Return a moment of the API, shorter."""
    return f"{text[:16].replace('T', ' ')} UTC"


def duration(milliseconds: int) -> str:
    """Return a time in words, e.g. `1 h 5 min`."""
    seconds = milliseconds // 1000
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("runs_as_code.server.board"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "duration": duration}
    environment.globals["style"] = _source(_STYLE)
    return environment


@cache
def _source(name: str) -> str:
    return (files("runs_as_code.server.board") / "templates" / name).read_text("utf-8")


@cache
def _headers() -> dict[str, str]:
    style = b64encode(sha256(_source(_STYLE).encode()).digest()).decode()
    policy = {
        "default-src": "'none'",
        "style-src": f"'sha256-{style}'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {what}" for name, what in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()
