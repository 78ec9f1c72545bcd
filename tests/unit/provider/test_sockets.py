"""The client over real sockets on this machine: what httpx says when lines break."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from unit.provider.support import run

from runs_as_code.errors import UnknownOutcomeError, UnreachableError
from runs_as_code.model.provider import RunFields
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.timing import Timing

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
EMPTY = b'{"runs":[]}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + EMPTY


async def no_sleep(_seconds: float) -> None:
    return None


def timing(**changes: float) -> Timing:
    return Timing(sleep=no_sleep, later=lambda _delay, action: action(), **changes)


class Counted:
    """A server that handles each connection as told, and counts the requests it saw."""

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                await self.handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def use(self, job: Callable[[QaSphereClient], Awaitable[object]], **times: float):
        server = await asyncio.start_server(self, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with server, QaSphereClient(url, "t", timing=timing(**times)) as client:
            return await job(client)


async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def cut(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(REPLY[:-4])
    await writer.drain()
    writer.close()


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def noise(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    await writer.drain()


async def reply(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(REPLY)
    await writer.drain()


def clone(client: QaSphereClient) -> Awaitable[object]:
    return client.project("BD").clone_run(1, RunFields("T", "D"))


def listed(client: QaSphereClient) -> Awaitable[object]:
    return client.project("BD").list_runs()


@pytest.mark.parametrize("handle", [drop, cut, silence, noise])
def test_a_broken_line_makes_a_write_unknown_and_sends_it_once(handle):
    server = Counted(handle)
    with pytest.raises(UnknownOutcomeError):
        run(server.use(clone, read=0.2))
    assert server.requests == 1


@pytest.mark.parametrize("handle", [drop, cut, silence, noise])
def test_a_broken_line_makes_a_read_try_again(handle):
    server = Counted(handle)
    with pytest.raises(UnreachableError) as caught:
        run(server.use(listed, read=0.2))
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert server.requests == 4


def test_one_connection_serves_many_calls():
    connections = 0

    async def accept(reader, writer):
        nonlocal connections
        connections += 1
        await server(reader, writer)

    async def many(client):
        for _ in range(5):
            await client.project("BD").list_runs()

    async def main():
        listener = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with listener, QaSphereClient(url, "t", timing=timing()) as client:
            await many(client)

    server = Counted(reply)
    run(main())
    assert (server.requests, connections) == (5, 1)


def test_a_closed_port_says_refused_and_asks_the_right_question():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"

        async def main():
            async with QaSphereClient(url, "t", timing=timing()) as client:
                await clone(client)

        with pytest.raises(UnreachableError, match="connection refused") as caught:
            run(main())
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert "is the server running" in caught.value.hint


def test_https_to_a_server_without_it_is_told_apart():
    async def speak_plainly(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main():
        server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, QaSphereClient(url, "t", timing=timing(connect=2.0)) as client:
            await listed(client)

    with pytest.raises(UnreachableError, match="no encrypted connection"):
        run(main())


def test_a_proxy_of_the_environment_does_not_see_calls_to_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = Counted(reply)
    run(server.use(listed))
    assert server.requests == 1
