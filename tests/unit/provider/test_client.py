import asyncio

import httpx
import pytest
from unit.provider.support import TOKEN, URL, Script, ok, run

from runs_as_code import __version__
from runs_as_code.errors import AccessError, UnreachableError, UsageError
from runs_as_code.provider import client as client_module
from runs_as_code.provider.client import QaSphereClient
from runs_as_code.provider.timing import Timing
from runs_as_code.provider.wire_names import Project

EMPTY = ok({"runs": []})


@pytest.mark.parametrize("suffix", ["", "/", "//", "/api/public/v0", "/api/public/v0/"])
def test_requests_go_below_the_path_of_the_api(suffix):
    script = Script(EMPTY)
    run(script.client(URL + suffix).project("BD").list_runs())
    assert str(script.requests[0].url) == f"{URL}/api/public/v0/project/BD/run"


def test_headers():
    script = Script(EMPTY)
    run(script.project().list_runs())
    headers = script.requests[0].headers

    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["user-agent"] == f"qarun/{__version__}"


def test_no_key_no_header():
    script = Script(EMPTY)
    run(script.client("embedded", None).project("BD").list_runs())
    assert "authorization" not in script.requests[0].headers


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "schlüssel", "\x1b"])
def test_a_key_that_can_not_be_a_key_is_refused(token):
    with pytest.raises(AccessError) as caught:
        QaSphereClient(URL, token)
    assert "QAS_TOKEN" in caught.value.hint


@pytest.mark.parametrize("url", ["http://qa.example.com", "http://10.0.0.1:8000"])
def test_plain_http_is_refused(url):
    with pytest.raises(UsageError) as caught:
        QaSphereClient(url, TOKEN)
    assert "--insecure-http" in caught.value.hint
    QaSphereClient(url, TOKEN, insecure_http=True)


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:18933", "embedded"])
def test_plain_http_on_this_machine_is_fine(url):
    QaSphereClient(url, TOKEN)


def test_calls_are_counted_by_project_and_together():
    script = Script(httpx.ReadTimeout("slow"), EMPTY)
    client = script.client()

    async def main():
        first, second = client.project("AA"), client.project("BB")
        await first.list_runs()
        await second.list_runs()
        await client.list_projects()
        return first.calls, second.calls

    script.steps[2:] = [EMPTY, ok({"projects": None})]
    assert run(main()) == (2, 1)
    assert client.calls == 4


def test_projects():
    project = {"id": "1CE", "code": "BD", "title": "Bistro", "archivedAt": "2024-01-01T00:00:00Z"}
    script = Script(ok({"projects": [project]}))
    assert run(script.client().list_projects()) == (
        Project("1CE", "BD", "Bistro", is_archived=True),
    )


def test_a_reply_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(client_module, "LARGEST_REPLY", 1 << 20)
    script = Script(httpx.Response(200, content=b" " * (2 << 20)))
    with pytest.raises(UnreachableError, match="over 1 MiB"):
        run(script.project().list_runs())
    assert len(script.requests) == 1


def test_a_request_that_takes_too_long_as_a_whole_is_ended():
    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b" "
                await asyncio.sleep(0.01)

    script = Script(lambda _request: httpx.Response(200, stream=Dripping()))
    timing = Timing(total=0.05, sleep=script.sleep)
    project = script.client(timing=timing, rate=0).project("BD")
    with pytest.raises(UnreachableError, match=r"within 0\.05 s"):
        run(project.list_runs())


def test_connections_are_used_again_and_closed():
    script = Script(EMPTY)
    client = script.client()

    async def main():
        async with client:
            project = client.project("BD")
            for _ in range(5):
                await project.list_runs()
            one_after_the_other = len(client._lines)
            await asyncio.gather(*(project.list_runs() for _ in range(5)))
        return one_after_the_other

    assert run(main()) == 1
    assert client._lines == []
