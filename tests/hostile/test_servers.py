"""A hostile server can neither hang, fill, deceive nor rob whoever talks to it."""

import gzip
import json
import tracemalloc
import zlib
from pathlib import Path

import httpx
import pytest
from cli.support import HEAD, ONE, Ended, call, run, write
from hostile.servers import listening, pouring, refusing_writes, reply, saying
from hostile.texts import KEY, NASTY, harm
from unit.provider.support import Script
from unit.provider.support import run as await_

from runs_as_code.errors import QarunError, UnknownOutcomeError, UnreachableError
from runs_as_code.model.provider import RunFields
from runs_as_code.provider import client as client_module
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.timing import Timing

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
QUICK = Timing(read=2.0, total=2.0, later=lambda _delay, action: action())
SMALL = 4 * 1024 * 1024


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write(tmp_path / "m.yaml", head=HEAD.replace("server: embedded\n", ""))


def said(ended: Ended) -> Ended:
    assert harm(ended.out) == []
    assert harm(ended.err) == []
    assert KEY not in ended.all
    assert "internal error" not in ended.all
    assert len(ended.all) < 20_000
    return ended


def commands(manifest: Path, address: str) -> list[Ended]:
    environ = {"QAS_URL": address, "QAS_TOKEN": KEY}
    return [
        said(call("plan", "-f", manifest, **environ)),
        said(call("list", "-f", manifest, "--debug-http", **environ)),
        said(call("apply", "-f", manifest, "--auto-approve", "--debug", **environ)),
        said(call("apply", "-f", manifest, "--auto-approve", "--format", "json", **environ)),
        said(call("drift", "-f", manifest, **environ)),
        *(
            said(call("reconcile", "-f", manifest, "--once", "--log-format", form, **environ))
            for form in ("text", "json")
        ),
    ]


@pytest.mark.parametrize("status", ["200 OK", "400 No", "401 No", "403 No", "404 No", "418 Tea"])
@pytest.mark.usefixtures("quick_retries")
def test_hostile_messages_are_shown_as_what_they_are(status: str, manifest: Path):
    text = " ".join(NASTY)
    bodies = [json.dumps({"message": text}), text, json.dumps({"runs": text}), f"<html>{text}"]
    answers = iter([reply(body, status) for body in bodies * 40])
    with listening(lambda line, _head: line.sendall(next(answers))) as server:
        for ended in commands(manifest, server.address) + commands(manifest, server.address):
            assert ended.code in (1, 4, 9)


@pytest.mark.parametrize("text", NASTY)
def test_hostile_messages_to_a_write(text: str, manifest: Path):
    answer = reply(json.dumps({"message": f"{text} {KEY} {text}"}), "400 Bad Request")
    environ = {"QAS_TOKEN": KEY}
    with listening(refusing_writes(answer)) as server:
        for output in ("text", "json"):
            arguments = ["apply", "-f", manifest, "--auto-approve", "--format", output]
            ended = said(call(*arguments, QAS_URL=server.address, **environ))
            assert ended.code in (1, 7)


@pytest.mark.usefixtures("quick_looks")
def test_a_hostile_conflict_names_no_run_that_is_not_there(manifest: Path):
    message = "x\n::error::conflicting run id: 99999999999999999"
    answer = reply(json.dumps({"message": message}), "409 Conflict")
    with listening(refusing_writes(answer)) as server:
        arguments = ["apply", "-f", manifest, "--auto-approve"]
        assert said(call(*arguments, QAS_URL=server.address, QAS_TOKEN=KEY)).code != 0


HEADERS = {
    "reason with the key": reply("{}", f"400 Bearer {KEY}"),
    "reason with escapes": reply("{}", "400 \x1b[31m::error::"),
    "retry-after beyond time": reply(
        "{}", "503 No", "Retry-After: Mon, 01 Jan 99999999999999999999 00:00:00 GMT\r\n"
    ),
    "retry-after beyond zones": reply(
        "{}", "429 No", "Retry-After: Mon, 01 Jan 2020 00:00:00 +99999999999999\r\n"
    ),
    "cookie beyond time": reply("{}", "400 No", "Set-Cookie: a=b; expires=01-Jan-99999999999\r\n"),
    "location with a key": reply("", "302 Found", f"Location: https://{KEY}@x/{KEY}?t={KEY}\r\n"),
    "location of half an address": reply("", "302 Found", "Location: http://[::1\r\n"),
    "key spelled in numbers": reply(
        '{"message": "' + "".join(f"\\u{ord(char):04x}" for char in KEY) + '"}', "400 No"
    ),
    "key in the body": reply(json.dumps({"message": f"invalid {KEY}"}), "401 No"),
    "key in HTML": reply(f"<html>Bearer {KEY}</html>"),
    "many headers": reply("{}", headers="X-Y: z\r\n" * 50_000),
    "a long header": reply("{}", headers=f"X-Y: {'z' * 1_000_000}\r\n"),
    "endless interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000,
    "no HTTP": b"\x16\x03\x01\x00\r\n\r\n",
    "two lengths": reply("{}", headers="Content-Length: 9999\r\n"),
    "negative length": reply("{}", length=-1),
    "too short a length": reply('{"runs": []}', length=3),
    "too long a length": reply("{}", length=10**12),
    "a status of none": b"HTTP/1.1 999999 x\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.usefixtures("quick_retries")
def test_hostile_headers(name: str, manifest: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs_as_code.provider.client.DEFAULT_TIMING", QUICK)
    monkeypatch.setattr("runs_as_code.provider.retry.TRIES", 1)

    def answer(line, _head):
        line.sendall(HEADERS[name])
        line.close()

    with listening(answer) as server:
        environ = {"QAS_URL": server.address, "QAS_TOKEN": KEY}
        ended = said(call("plan", "-f", manifest, "--debug", "--debug-http", **environ))
    assert ended.code in (1, 4, 9)


# --- redirects


def test_the_key_does_not_follow_a_redirect(manifest: Path):
    with listening(saying(reply("{}"))) as other:
        for status in ("301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"):
            for target in (other.address, f"//127.0.0.1:{other.port}", f"{other.address}/{KEY}"):
                answer = reply("", status, f"Location: {target}/api/public/v0/project/BD/run\r\n")
                with listening(saying(answer)) as server:
                    environ = {"QAS_URL": server.address, "QAS_TOKEN": KEY}
                    ended = said(call("plan", "-f", manifest, **environ))
                    assert ended.code == 1
                    assert "redirects to" in ended.err
                    assert all(KEY in head for head in server.heads)
        assert other.heads == []


@pytest.mark.parametrize("source", ["environment", "file"])
def test_the_key_goes_to_no_other_server_than_its_own(source: str, manifest: Path, tmp_path: Path):
    environ = {"QAS_URL": "https://mine.example", "QAS_TOKEN": KEY}
    if source == "file":
        text = "".join(f"{name}={value}\n" for name, value in environ.items())
        (tmp_path / ".env").write_text(text, "utf-8")
        environ = {}
    with listening(saying(reply("{}"))) as server:
        ended = said(call("plan", "-f", manifest, "--server", server.address, **environ))
        assert ended.code == 4
        assert server.heads == []


@pytest.mark.parametrize(
    "address", ["http://example.com", "http://10.0.0.1", "http://[2001:db8::1]"]
)
def test_plain_http_beyond_this_machine_is_refused(address: str, manifest: Path):
    ended = said(call("plan", "-f", manifest, QAS_URL=address, QAS_TOKEN=KEY))
    assert ended.code == 64
    assert "not encrypted" in ended.err


# --- size and time


def client_of(address: str) -> QaSphereClient:
    return QaSphereClient(address, KEY, timing=QUICK, rate=0)


def list_runs(address: str) -> None:
    async def main() -> None:
        async with client_of(address) as client:
            await client.project("BD").list_runs()

    await_(main())


def create_run(address: str) -> None:
    async def main() -> None:
        async with client_of(address) as client:
            await client.project("BD").clone_run(1, RunFields("T", "D"))

    await_(main())


ENDLESS = {
    "chunks": pouring(CHUNKED, b"10000\r\n" + b" " * 65_536 + b"\r\n"),
    "a length beyond reach": pouring(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"[" * 65_536
    ),
    "no length": pouring(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 65_536),
    "headers": pouring(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 1_000),
    "one header": pouring(b"HTTP/1.1 200 OK\r\nX-Y: ", b"z" * 65_536),
    "interim answers": pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "trailers": pouring(CHUNKED + b"0\r\n", b"X-Y: z\r\n" * 1_000),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.usefixtures("quick_retries")
def test_an_answer_without_end_ends(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "LARGEST_REPLY", SMALL)
    monkeypatch.setattr("runs_as_code.provider.retry.TRIES", 1)
    with listening(ENDLESS[name]) as server:
        with pytest.raises(UnreachableError):
            list_runs(server.address)
        with pytest.raises(UnknownOutcomeError):
            create_run(server.address)
        assert len(server.heads) == 2


@pytest.mark.parametrize("part", [b" ", b"1\r\n \r\n"])
def test_an_answer_that_drips_is_given_up(part: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs_as_code.provider.retry.TRIES", 1)
    dripping = pouring(CHUNKED, part, pause=0.05)
    with listening(dripping) as server, pytest.raises(UnreachableError):
        list_runs(server.address)


def bomb(megabytes: int, bits: int = 31) -> bytes:
    """Return blanks, compressed; `bits` 31 makes gzip, 15 deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    blanks = b" " * (1024 * 1024)
    return b"".join(packer.compress(blanks) for _ in range(megabytes)) + packer.flush()


def encoded(content: bytes, encoding: str) -> bytes:
    return reply(content, headers=f"Content-Encoding: {encoding}\r\n")


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "br", "zstd", "gzip, deflate", "x", "gzip,gzip,gzip"]
)
def test_an_encoding_that_nobody_asked_for_is_not_read(encoding: str):
    answer = encoded(gzip.compress(bomb(64)), encoding)
    with listening(saying(answer)) as server:
        with pytest.raises(UnreachableError, match="encoded as nobody asked"):
            list_runs(server.address)
        assert len(server.heads) == 1
        assert "Accept-Encoding: gzip, deflate\r\n" in server.heads[0]


@pytest.mark.parametrize(("encoding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_what_a_bomb_becomes_is_bounded(encoding: str, bits: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "LARGEST_REPLY", SMALL)
    answer = encoded(bomb(256, bits), encoding)
    tracemalloc.start()
    with listening(saying(answer)) as server, pytest.raises(UnreachableError, match="over 4 MiB"):
        list_runs(server.address)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One part as it was received may grow a thousandfold before it is counted.
    assert peak < 160 * 1024 * 1024


@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", gzip.compress(b'{"runs": []}', mtime=0)[:-14]],
    ids=["none at all", "cut off"],
)
@pytest.mark.usefixtures("quick_retries")
def test_a_damaged_encoding_is_no_answer(content: bytes):
    with listening(saying(encoded(content, "gzip"))) as server:
        with pytest.raises(QarunError):
            list_runs(server.address)
        with pytest.raises(UnknownOutcomeError):
            create_run(server.address)


def test_an_encoded_answer_is_read():
    with listening(saying(encoded(gzip.compress(b'{"runs": [], "open": 0}'), "gzip"))) as server:
        list_runs(server.address)


def test_an_error_of_a_library_is_a_fault_of_the_answer():
    script = Script(lambda _request: (_ for _ in ()).throw(UnicodeError("x")))
    with pytest.raises(UnknownOutcomeError):
        await_(script.project().clone_run(1, RunFields("T", "D")))
    assert len(script.requests) == 1


def test_cookies_are_neither_kept_nor_sent():
    answers = httpx.Response(200, json={"runs": []}, headers={"Set-Cookie": "a=b; Path=/"})
    script = Script(answers)

    async def main() -> None:
        project = script.project()
        await project.list_runs()
        await project.list_runs()

    await_(main())
    assert [request.headers.get("cookie") for request in script.requests] == [None, None]


def test_a_process_lives_through_a_hostile_server(tmp_path: Path):
    manifest = write(tmp_path / "m.yaml", ONE, HEAD.replace("server: embedded\n", ""))
    text = json.dumps({"message": " ".join(NASTY) + KEY})
    with listening(
        saying(reply(text, "400 No", "Set-Cookie: a=b; expires=01-Jan-99999999999\r\n"))
    ) as server:
        environ = {"QAS_URL": server.address, "QAS_TOKEN": KEY}
        ended = said(run("plan", "-f", manifest, "--debug", "--debug-http", **environ))
    assert ended.code == 1
    assert "Warning" not in ended.err
