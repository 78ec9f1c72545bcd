"""Talk to a server inside this process: the same client and the same HTTP, without a port."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from runs_as_code.model.provider import EMBEDDED
from runs_as_code.provider.client import QaSphereClient

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


def embedded_client(app: AsgiApp) -> QaSphereClient:
    """Return a client of an app in this process; it has no key and no limit of requests."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return QaSphereClient(EMBEDDED, None, transport=transport, rate=0)
