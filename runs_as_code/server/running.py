"""A server on a free loopback port, in a thread of this process: for tests of any client."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runs_as_code.server import guesses
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.seeding import create_key, ensure_database, list_emails
from runs_as_code.server.serving import listen, make_server
from runs_as_code.server.web.faults import Faults

_DEFAULT_OPTIONS = ServerOptions(require_key=True)
_START_LIMIT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers: where it is, the owner's key, and its faults."""

    url: str
    key: str
    database: Path
    faults: Faults

    @property
    def api(self) -> str:
        """The base of all endpoints."""
        return self.url + guesses.BASE_PATH

    @property
    def environ(self) -> dict[str, str]:
        """What the official client and `qarun` read: address and key."""
        return {"QAS_URL": self.url, "QAS_TOKEN": self.key}

    def key_for(self, email: str) -> str:
        """Make another key, for the user with this e-mail."""
        return create_key(self.database, email)


@contextmanager
def running_server(
    database: Path | str, options: ServerOptions = _DEFAULT_OPTIONS
) -> Iterator[RunningServer]:
    """Serve a database while the block runs."""
    path = Path(database)
    ensure_database(path, options.seed)
    owner = next(email for email, role in list_emails(path) if role == "owner")
    server = make_server(path, options)
    with listen(port=0) as sock:
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [sock]}, name="qasphere", daemon=True
        )
        thread.start()
        _wait_until(lambda: server.started or not thread.is_alive())
        app = server.config.app
        try:
            yield RunningServer(
                url=f"http://127.0.0.1:{sock.getsockname()[1]}",
                key=create_key(path, owner),
                database=path,
                faults=app.state.faults,  # type: ignore[union-attr]  # it is our app
            )
        finally:
            server.should_exit = True
            thread.join()
            app.state.store.close()  # type: ignore[union-attr]  # it is our app


def _wait_until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start in time")
        time.sleep(0.005)
