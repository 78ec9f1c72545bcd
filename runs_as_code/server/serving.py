"""The same app on a port, for any client."""

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs_as_code.server.app import create_app
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.web.answers import json_response

if TYPE_CHECKING:
    import uvicorn

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
_DEFAULT_OPTIONS = ServerOptions(require_key=True, rate=20)


def make_server(
    database: Path | str, options: ServerOptions = _DEFAULT_OPTIONS
) -> "uvicorn.Server":
    """Build the server without starting it; setting `should_exit` stops a running one."""
    import uvicorn  # noqa: PLC0415 - only serving on a port needs it, and it takes 60 ms

    config = uvicorn.Config(
        create_app(database, options=options),
        log_level="critical",
        access_log=False,
        lifespan="off",
        # Whoever asks could name any origin; what came through a proxy comes from this machine.
        proxy_headers=False,
        http=_make_protocol(),
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def _make_protocol() -> type[asyncio.Protocol]:
    """Build uvicorn's protocol with JSON for what is no HTTP, which no app gets to see."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol  # noqa: PLC0415 - as above

    def refuse(protocol: Any, message: str) -> None:
        response = json_response({"message": message.removesuffix(".")}, 400)
        lines = [b"HTTP/1.1 400 Bad Request", b"connection: close"]
        lines += [name + b": " + value for name, value in response.raw_headers]
        protocol.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))
        protocol.transport.close()

    return type("JsonProtocol", (AutoHTTPProtocol,), {"send_400_response": refuse})


def listen(host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> socket.socket:
    """Take a port (0: any free one); raise `OSError` when it can't be taken.

    Whoever learns the port may connect at once: it waits until a server takes the socket.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio switch Nagle's delay of 40 ms an answer off.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except (OSError, TypeError, ValueError):
        sock.close()
        raise
    return sock


def serve(
    database: Path | str,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    options: ServerOptions = _DEFAULT_OPTIONS,
    sock: socket.socket | None = None,
) -> None:
    """Serve until interrupted; prints nothing.

    `sock` is a socket from `listen`, for callers that want to know the port first. Raises `OSError`
    when the port can't be taken.
    """
    with sock or listen(host, port) as taken:
        make_server(database, options).run(sockets=[taken])
