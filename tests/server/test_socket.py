"""The same app on a real port."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runs_as_code.server import ServerOptions, bind, create_key, make_server

BASE = "/api/public/v0"


@pytest.fixture
def address(database: Path) -> Iterator[str]:
    sock = bind(port=0)
    server = make_server(database, ServerOptions(require_key=True))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield f"http://127.0.0.1:{sock.getsockname()[1]}{BASE}"
    server.should_exit = True
    thread.join()
    sock.close()


def test_a_client_uses_it_over_a_socket(address: str, database: Path):
    key = create_key(database, "owner@example.com")
    headers = {"Authorization": f"ApiKey {key}", "Content-Type": "application/json"}
    run = {"title": "A run", "type": "live", "queryPlans": [{"folderIds": [2]}]}
    with httpx.Client(headers=headers, trust_env=False) as client:
        assert client.post(f"{address}/project/BD/run", json=run).json() == {"id": 1}
        # The official client sends a JSON content type without a body.
        assert client.post(f"{address}/project/BD/run/1/close").json() == {"message": "Run closed"}
        assert client.get(f"{address}/project/BD/run?closed=true").json()["closed"] == 1
        assert client.get(f"{address}/nowhere").json() == {"message": "Not found"}
        assert client.get(f"{address}/users", headers={"Authorization": ""}).status_code == 401


def test_a_taken_port_is_an_error_of_the_system():
    with bind(port=0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bind(port=first.getsockname()[1])
