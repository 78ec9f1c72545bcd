"""Posting notifications: again where that is of use, never naming the address."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from runs_as_code.errors import UsageError
from runs_as_code.provider.webhook import BUDGET, TRIES, Webhook

SECRET = "https://chat.example.com/hooks/T000/verysecret"


def send(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[str, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    async def nobody_waits(_seconds: float) -> None:
        return

    webhook = Webhook(SECRET, transport=httpx.MockTransport(handle), sleep=nobody_waits)
    return asyncio.run(webhook.send('{"a": 1}')), seen


def test_a_body_is_posted_once():
    problem, seen = send(lambda _request: httpx.Response(204))
    assert problem == ""
    (request,) = seen
    assert (request.method, str(request.url), request.content) == ("POST", SECRET, b'{"a": 1}')
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("status", "tries"), [(500, TRIES), (503, TRIES), (429, TRIES), (400, 1), (404, 1), (302, 1)]
)
def test_only_what_may_pass_is_tried_again(status, tries):
    headers = {"location": "https://elsewhere.example.com"}
    problem, seen = send(lambda _request: httpx.Response(status, headers=headers))
    assert problem == f"it answered {status}"
    assert len(seen) == tries


def test_a_receiver_that_comes_back_is_told():
    answers = iter([httpx.Response(500), httpx.Response(502), httpx.Response(200)])
    problem, seen = send(lambda _request: next(answers))
    assert (problem, len(seen)) == ("", 3)


def test_no_message_names_the_address():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no way to {request.url}", request=request)

    problem, seen = send(refuse)
    assert problem == "it can't be reached (ConnectError)"
    assert len(seen) == TRIES
    assert "verysecret" not in repr(Webhook(SECRET))


def test_a_receiver_that_never_answers_is_left_in_time(monkeypatch):
    monkeypatch.setattr("runs_as_code.provider.webhook.PATIENCE", 0.02)
    monkeypatch.setattr("runs_as_code.provider.webhook.BUDGET", 0.05)

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    webhook = Webhook(SECRET, transport=httpx.MockTransport(hang))
    problem = asyncio.run(webhook.send("{}"))
    assert problem == "no answer within 0.05 s"
    assert BUDGET > 10


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chat.example.com/secret",
        "ftp://chat.example.com/secret",
        "https:///secret",
        "https://chat.example.com:99999/secret",
        "https://chat.example.com/sec ret",
        "https://chat.example.com/sec\nret",
        "http://chat.example.com/secret",
    ],
)
def test_an_address_that_can_not_be_used_is_refused_without_being_quoted(url):
    with pytest.raises(UsageError) as error:
        Webhook(url)
    assert "chat" not in error.value.message
    assert "secret" not in error.value.hint.replace("is a secret", "")


def test_plain_http_needs_loopback_or_a_word():
    Webhook("http://127.0.0.1:1/x")
    Webhook("http://[::1]:1/x")
    Webhook("http://127.0.0.2:1/x")
    Webhook("http://hooks.localhost:1/x")
    Webhook("http://relay.internal/x", is_insecure_allowed=True)
