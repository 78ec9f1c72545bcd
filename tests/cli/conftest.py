"""Servers for the tests of the command line: embedded ones, ones on a port, and bad ones."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runs_as_code.server import ServerOptions, create_key, listen, make_server

Serve = Callable[..., str]


@pytest.fixture
def serve(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Put the database on a port, set the credentials of a user, and return the address."""
    with ExitStack() as stack:

        def start(email: str = "ann@example.com", **options: object) -> str:
            sock = stack.enter_context(listen(port=0))
            server = make_server(database, ServerOptions(require_key=True, **options))  # type: ignore[arg-type]  # by name
            thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)  # noqa: FBT003 -- not ours
            address = f"http://127.0.0.1:{sock.getsockname()[1]}"
            monkeypatch.setenv("QAS_URL", address)
            monkeypatch.setenv("QAS_TOKEN", create_key(database, email))
            return address

        yield start


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], str]]:
    """Start a server that gives one answer to everything, with the key in it."""
    with ExitStack() as stack:

        def start(body: str, status: int) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    said = body.replace("KEY", self.headers["Authorization"]).encode()
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

                do_POST = do_GET  # noqa: N815 -- the name is the interface

                def log_message(self, *_: object) -> None:
                    """Stay silent."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            address = f"http://127.0.0.1:{server.server_port}"
            monkeypatch.setenv("QAS_URL", address)
            return address

        yield start
