"""The embedded server answers every recorded request as recorded, over HTTP on a port."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from contract.support import BASE, Message, Pair, example, load_pairs, matches

from runs_as_code.server import ServerOptions, create_app, create_key, listen
from runs_as_code.server.app import ENDPOINTS

PAIRS = load_pairs(pattern="**/*.yaml")
EMAILS = {
    None: "owner@example.com",
    "owner": "owner@example.com",
    "admin": "adam@example.com",
    "user": "ann@example.com",
    "test-runner": "bob@example.com",
    "viewer": "vera@example.com",
}


class Switch:
    """An app that passes on to another one, so that one port serves a database for each pair."""

    app: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def switch() -> Switch:
    return Switch()


@pytest.fixture(scope="module")
def client(switch: Switch) -> Iterator[httpx.Client]:
    """Talk to whatever the switch leads to, over a socket."""
    config = uvicorn.Config(switch, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    with listen(port=0) as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        address = f"http://127.0.0.1:{sock.getsockname()[1]}{BASE}"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            yield client
        server.should_exit = True
        thread.join()


def send(client: httpx.Client, database: Path, message: Message) -> httpx.Response:
    header = message.header
    if header is None:
        header = f"Bearer {create_key(database, EMAILS[message.role])}"
    content: dict[str, Any] = {"json": message.body} if message.body is not None else {}
    if message.files:
        content = {"files": message.files}
    if message.raw is not None:
        content = {"content": message.raw.encode()}
    return client.request(
        message.method,
        message.path,
        params=message.query,
        headers={"Authorization": header},
        **content,
    )


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_the_server_answers_as_recorded(
    pair: Pair, demo_database: Path, tmp_path: Path, switch: Switch, client: httpx.Client
):
    database = Path(shutil.copy(demo_database, tmp_path / "server.db"))
    switch.app = create_app(database, options=ServerOptions(require_key=True))
    for message in pair.before:
        assert send(client, database, message).is_success, message
    response = send(client, database, pair.request)
    switch.app.state.store.close()
    found = response.json()
    assert response.headers["content-type"] == "application/json"
    assert response.status_code == pair.status, found
    assert matches(pair.body, found), found


def test_every_endpoint_has_pairs():
    recorded = {pair.endpoint for pair in PAIRS}
    served = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    assert served - recorded == set()
    assert recorded - served == {"any"}


def test_every_pair_names_its_source():
    assert all(pair.source for pair in PAIRS)


def test_placeholders_match_their_kind_only():
    expected = {"id": "<hqid>", "at": "<time>", "n": "<int>", "t": "<text>"}
    assert matches(expected, example(expected))
    assert not matches("<int>", True)  # noqa: FBT003 - a boolean is what must not match
    assert not matches("<time>", "yesterday")
    assert not matches({"a": 1}, {"a": 1, "b": 2})
    assert not matches([1], [1, 1])
    assert not matches(1, True)  # noqa: FBT003 - a boolean is what must not match
