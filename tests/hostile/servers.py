"""Servers that answer whatever a test wants, byte by byte, plain or over TLS."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Speak = Callable[[socket.socket, str], None]
"""Writes the answer to one request, whose head it is given."""


@contextmanager
def listening(speak: Speak, tls: ssl.SSLContext | None = None) -> Iterator["Listener"]:
    """Serve on a free port of this machine until the block ends."""
    listener = Listener(speak, tls)
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listener
    finally:
        listener.stop()
        thread.join()


class Listener:
    """One connection after the other, each request answered by `speak`."""

    def __init__(self, speak: Speak, tls: ssl.SSLContext | None) -> None:
        self.heads: list[str] = []
        self._speak = speak
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._is_stopped = threading.Event()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def address(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._is_stopped.set()

    def serve(self) -> None:
        with self._socket:
            while not self._is_stopped.is_set():
                try:
                    connection, _ = self._socket.accept()
                except TimeoutError:
                    continue
                with connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        try:
            if self._tls is None:
                self._answer(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as encrypted:
                    self._answer(encrypted)
        except OSError:
            pass  # the client has seen enough

    def _answer(self, connection: socket.socket) -> None:
        while not self._is_stopped.is_set():
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(65_536)
                if not part:
                    return
                head += part
            self.heads.append(head.decode("latin-1"))
            self._speak(connection, self.heads[-1])


def reply(
    body: bytes | str, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    """Return one answer as bytes; `headers` are whole lines."""
    content = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    size = len(content) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n"
    return head.encode("latin-1", "replace") + content


def saying(answer: bytes) -> Speak:
    """Return what answers every request alike."""
    return lambda connection, _head: connection.sendall(answer)


def pouring(head: bytes, part: bytes, pause: float = 0.0) -> Speak:
    """Return what answers and never stops."""

    def pour(connection: socket.socket, _head: str) -> None:
        connection.sendall(head)
        for _ in range(100_000):
            connection.sendall(part)
            time.sleep(pause)

    return pour


def refusing_writes(answer: bytes) -> Speak:
    """Return an empty project that answers every write with `answer`."""

    def speak(connection: socket.socket, head: str) -> None:
        method, path, _ = head.split(" ", 2)
        if method == "POST":
            connection.sendall(answer)
        elif path.partition("?")[0].endswith("/run"):
            connection.sendall(reply(json.dumps({"runs": [], "open": 0, "closed": 0})))
        else:
            connection.sendall(reply('{"message": "not found"}', "404 Not Found"))

    return speak


def make_certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make an authority and a server's certificate for this machine; return both."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
    openssl(
        *new,
        *("-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=127.0.0.1", "-days", "2"),
        *("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return folder / "ca.pem", context
