"""The embedded server answers every recorded request as recorded."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.support import BASE, Message, Pair, example, load_pairs, matches

from runs_as_code.server import ServerOptions, create_app, create_key, ensure_database
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


async def exchange(app: Any, database: Path, pair: Pair) -> httpx.Response:
    async def send(message: Message) -> httpx.Response:
        header = message.header
        if header is None:
            header = f"Bearer {create_key(database, EMAILS[message.role])}"
        content: dict[str, Any] = {"json": message.body} if message.body is not None else {}
        if message.files:
            content = {"files": message.files}
        if message.raw is not None:
            content = {"content": message.raw.encode()}
        return await client.request(
            message.method,
            BASE + message.path,
            params=message.query,
            headers={"Authorization": header},
            **content,
        )

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:
        for message in pair.before:
            assert (await send(message)).is_success, message
        return await send(pair.request)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "demo.db"
    ensure_database(path)
    return path


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_the_server_answers_as_recorded(pair: Pair, demo: Path, tmp_path: Path):
    database = Path(shutil.copy(demo, tmp_path / "server.db"))
    app = create_app(database, options=ServerOptions(require_key=True))
    response = asyncio.run(exchange(app, database, pair))
    app.state.store.close()
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
