"""Talk to a server inside this process: the same client and the same HTTP, without a port."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from runs_as_code.model.provider import EMBEDDED
from runs_as_code.provider.client import QaSphereClient

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


class _Line(httpx.AsyncBaseTransport):
    """A transport to an app whose connection can end: what a socket's client sees, it sees.

    An app that raises an error of the operating system has ended the connection; any other
    exception is a crash behind it, which a server answers with 500.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ends: list[OSError] = []

        async def app(scope: Message, receive: Receive, send: Send) -> None:
            try:
                await self._app(scope, receive, send)
            except OSError as error:
                ends.append(error)
                raise

        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        response = await transport.handle_async_request(request)
        if ends:
            raise httpx.ReadError("the connection was ended", request=request) from ends[0]
        return response


def embedded_client(app: AsgiApp) -> QaSphereClient:
    """Return a client of an app in this process; it has no key and no limit of requests."""
    return QaSphereClient(EMBEDDED, None, transport=_Line(app), rate=0)
