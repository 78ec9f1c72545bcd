"""Server addresses: what people write, what requests are sent to, what a token may go to."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from runs_as_code.errors import UsageError
from runs_as_code.model.provider import EMBEDDED
from runs_as_code.provider.text import one_line

API_PATH = "/api/public/v0"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server: `name` for people, `api` for requests, `origin` to compare two of them."""

    name: str
    api: str
    origin: tuple[str, str, int]

    @property
    def is_embedded(self) -> bool:
        """Whether the server runs inside this process."""
        return self.name == EMBEDDED

    @property
    def is_loopback(self) -> bool:
        """Whether nothing leaves this machine."""
        return self.is_embedded or is_loopback_host(self.origin[1])

    @property
    def is_encrypted(self) -> bool:
        """Whether requests are sent over TLS."""
        return self.origin[0] == "https"

    def run_page(self, project: str, run_id: int) -> str:
        """Return the address of a run's page [CLI]."""
        root = "embedded:" if self.is_embedded else self.name
        return f"{root}/project/{segment(project)}/run/{run_id}"


def is_loopback_host(host: str) -> bool:
    """Tell whether a host, by its name or number, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> Address:
    """Read a server address; slashes at its end and the API's own path are accepted.

    Raise UsageError where it is no http or https address, or carries a password, query or
    fragment.
    """
    if text.strip() == EMBEDDED:
        return Address(EMBEDDED, f"http://{EMBEDDED}{API_PATH}", ("http", EMBEDDED, 80))
    scheme, host, port, path = _split(text.strip())
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port == PORTS[scheme] else f":{port}"
    root = f"{scheme}://{shown_host}{shown_port}{path}"
    return Address(root, root + API_PATH, (scheme, host, port))


def segment(text: str) -> str:
    """Quote one segment of a path.

    Raise UsageError for an empty one, `.` and `..`, which would address something else.
    """
    if text in ("", ".", ".."):
        raise UsageError(
            f"`{text}` can't be part of an address", hint="write a code, a number or an id"
        )
    return quote(text, safe="", errors="replace")


def _split(text: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _not_an_address(text) from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the server address holds a user or password",
            hint="leave them out of the address and put the key into `QAS_TOKEN`",
        )
    if not _is_plain(parts, text):
        raise _not_an_address(text)
    scheme = parts.scheme.lower()
    path = parts.path.rstrip("/").removesuffix(API_PATH).rstrip("/")
    return scheme, str(parts.hostname), port or PORTS[scheme], path


def _is_plain(parts: SplitResult, text: str) -> bool:
    return (
        parts.scheme.lower() in PORTS
        and bool(parts.hostname)
        and not parts.query
        and not parts.fragment
        and text.isprintable()
        and " " not in text
    )


def _not_an_address(text: str) -> UsageError:
    # What stands before `@` or after `?` and `#` may be a secret, and is not quoted.
    shown = one_line(re.split("[?#]", text, maxsplit=1)[0].rsplit("@", 1)[-1])
    return UsageError(
        f"`{shown}` is no server address",
        hint="write it like `https://company.eu1.qasphere.com`, with the scheme, or `embedded`",
    )
