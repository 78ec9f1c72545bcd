"""`/metrics`, `/healthz` and `/readyz` on a port, answered by threads of their own.

The threads only hand out what the loop has left for them, so that a slow reader delays nothing.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from runs_as_code.engine.reconcile.metrics import OPENMETRICS
from runs_as_code.errors import UsageError

PATIENCE = 10.0
"""Seconds that a client has to send its request."""

_PLAIN = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Status:
    """What the loop says of itself; each field is replaced as a whole.

    Healthy is a loop whose last sign of life is not older than `patience` seconds, ready one that
    has read its files and looked at its projects.
    """

    patience: float
    clock: Callable[[], float] = time.monotonic
    metrics: str = "# EOF\n"
    is_ready: bool = False
    last_sign: float = float("-inf")

    def beat(self) -> None:
        """Give a sign of life."""
        self.last_sign = self.clock()

    def answer(self, path: str) -> tuple[int, str, str]:
        """Return status, type and text for a path."""
        if path == "/metrics":
            return 200, OPENMETRICS, self.metrics
        if path == "/healthz":
            silent = self.clock() - self.last_sign
            if silent <= self.patience:
                return 200, _PLAIN, "ok\n"
            return 503, _PLAIN, "no round ended for too long\n"
        if path == "/readyz":
            return (200, _PLAIN, "ok\n") if self.is_ready else (503, _PLAIN, "no round yet\n")
        return 404, _PLAIN, "there are /metrics, /healthz and /readyz\n"


class StatusServer:
    """Serves a status until it is closed; use as a context manager.

    Raises UsageError when the address can't be had.
    """

    def __init__(self, host: str, port: int, status: Status) -> None:
        class Server(_Server):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        handler = type("Handler", (_Handler,), {"shown": status})
        try:
            self._server = Server((host, port), handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"`{host}:{port}` can't be listened on: {reason}",
                hint="give another `--metrics-address`",
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="qarun status", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD, logs nothing, tells no version."""

    shown: Status
    timeout = PATIENCE
    server_version = "qarun"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the text."""
        self._answer(is_head=False)

    def do_HEAD(self) -> None:
        """Answer without it."""
        self._answer(is_head=True)

    def _answer(self, *, is_head: bool) -> None:
        status, kind, text = self.shown.answer(self.path.partition("?")[0])
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if not is_head:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent: the log is ours."""
