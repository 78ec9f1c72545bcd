"""Keys, roles, the rate limit, and what every error looks like."""

import asyncio
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from server.conftest import Start
from server.support import BASE, Api

from runs_as_code.server import Fault, ServerOptions, create_app, create_key
from runs_as_code.server.web import limits

RUN = {"title": "A run", "type": "live", "queryPlans": [{"folderIds": [2]}]}
CASE = {"title": "A case", "folderId": 1, "type": "standalone", "priority": "low"}


@pytest.mark.parametrize("scheme", ["ApiKey", "Bearer", "bearer"])
def test_both_schemes_are_accepted(start: Start, database: Path, scheme: str):
    key = create_key(database, "vera@example.com")
    headers = {"Authorization": f"{scheme} {key}"}
    me = start(require_key=True).get("/users/me", headers=headers)
    assert me["user"]["email"] == "vera@example.com"
    assert me["user"]["role"] == "viewer"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic abc", "x" * 5000])
def test_without_a_valid_key_nothing_is_shown(start: Start, header: str | None):
    headers = {} if header is None else {"Authorization": header}
    answer = start(require_key=True).get("/project", 401, headers=headers)
    assert answer == {"message": "Invalid or missing API key"}


def test_in_process_no_key_acts_as_the_owner(api: Api):
    assert api.get("/users/me")["user"]["role"] == "owner"


def test_keys_are_stored_hashed(database: Path):
    key = create_key(database, "ann@example.com")
    tenant, key_id, token = key.split(".")
    with sqlite3.connect(database) as connection:
        stored = str(connection.execute("SELECT * FROM api_key").fetchall())
    connection.close()
    assert key_id in stored
    assert token not in stored
    assert tenant


@pytest.mark.parametrize(
    ("email", "allowed"),
    [
        ("vera@example.com", {"read"}),
        ("bob@example.com", {"read", "run"}),
        ("ann@example.com", {"read", "run", "case"}),
        ("adam@example.com", {"read", "run", "case", "admin"}),
        ("owner@example.com", {"read", "run", "case", "admin"}),
    ],
)
def test_roles_decide(start: Start, email: str, allowed: set[str]):
    api = start(email)
    calls = {
        "read": [("GET", "/project/BD/run", None)],
        "run": [
            ("POST", "/project/BD/run", RUN),
            ("POST", "/project/BD/run/clone", {"runId": 1, "title": "c"}),
            ("POST", "/project/BD/run/1/tcase/21/result", {"status": "passed"}),
            ("POST", "/project/BD/run/1/log", {"comment": "c"}),
            ("POST", "/project/BD/run/1/close", None),
        ],
        "case": [
            ("POST", "/project/BD/tcase", CASE),
            ("PATCH", "/project/BD/tcase/1", {"title": "x"}),
            ("POST", "/project/BD/milestone", {"title": "m"}),
            ("POST", "/project/BD/tcase/folder/bulk", {"folders": [{"path": ["x"]}]}),
        ],
        "admin": [
            ("GET", "/users", None),
            ("GET", "/audit-logs", None),
            ("POST", "/project", {"code": "ZZ", "title": "Other"}),
        ],
    }
    for kind, requests in calls.items():
        for method, path, body in requests:
            response = api.send(method, path, json=body)
            if kind in allowed:
                assert response.is_success, (path, response.text)
            else:
                assert response.status_code == 403, (path, response.text)
                assert response.json() == {"message": "Insufficient permissions"}


def test_the_rate_limit_is_per_key(start: Start, database: Path):
    api = start("ann@example.com", rate=5)
    statuses = [api.send("GET", "/users/me").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = api.send("GET", "/users/me")
    assert refused.json() == {"message": "Too many requests, please try again later."}
    other = {"Authorization": f"ApiKey {create_key(database, 'bob@example.com')}"}
    assert api.send("GET", "/users/me", headers=other).status_code == 200


def test_unknown_paths_and_methods_answer_json(api: Api):
    assert api.get("/nowhere", 404) == {"message": "Not found"}
    assert api.get("!/", 404) == {"message": "Not found"}
    assert api.get("/project/", 404) == {"message": "Not found"}
    refused = api.send("PUT", "/project/BD/run")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    deleted = api.send("DELETE", "/project/BD/run")
    assert (deleted.status_code, deleted.json()) == (404, {"message": "Not found"})
    assert "allow" not in deleted.headers


def test_whatever_breaks_outside_an_endpoint_is_json_too(database: Path):
    app = create_app(database, options=ServerOptions(has_user_ids=False))

    async def fail(_request: object) -> None:
        raise ZeroDivisionError

    app.router.add_route("/api/broken", fail)  # type: ignore[arg-type]  # it never answers
    with Api(app) as api:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.get("/api/broken")

        answer = asyncio.run(ask())
        assert api.get("/users/me")["user"]["id"] == 1
    assert (answer.status_code, answer.json()) == (500, {"message": "internal server error"})
    app.state.store.close()


def test_the_last_words_of_a_stopped_server_are_json(database: Path):
    slow = Fault("slow", "GET /users", seconds=60)
    app = create_app(database, options=ServerOptions(faults=(slow,)))
    scope = {"type": "http", "method": "GET", "path": f"{BASE}/users", "headers": []}
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def stop() -> None:
        task = asyncio.create_task(app(scope | {"query_string": b""}, send, send))  # type: ignore[arg-type]  # nothing is received
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop())
    app.state.store.close()
    assert [message.get("status") for message in sent] == [503, None]
    assert sent[1]["body"] == b'{"message":"the server is shutting down"}'


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(api: Api):
    async def nothing():
        raise AssertionError("the body was asked for")
        yield b""

    for path in ("/project", "/file"):
        headers = {"Content-Length": "9" * 12, "Content-Type": "multipart/form-data; boundary=x"}
        answer = api.send("POST", path, content=nothing(), headers=headers)
        assert answer.status_code == 413


def test_the_limit_forgets_keys_that_were_guessed(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    limit = limits.RateLimit(20)
    for number in range(3000):
        assert limit.admits(str(number))
    assert [limit.admits("mine") for _ in range(21)] == [True] * 20 + [False]
    assert len(limit._seen) == 3001
    clock[0] += 1.5
    assert limit.admits("mine")
    assert len(limit._seen) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "EOF"),
        (b"{", "unexpected end of JSON input"),
        (b'{"title": "x', "unexpected end of JSON input"),
        (b"<html>", "invalid character '<' looking for beginning of value"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b'{"title": NaN}', "invalid character 'N' looking for beginning of value"),
        (b"[]", "json: cannot unmarshal array into Go value of type CreateRunRequest"),
        (b"[" * 100_000, "exceeded max depth"),
    ],
)
def test_a_broken_body_is_named_the_way_go_does(api: Api, content: bytes, message: str):
    response = api.send("POST", "/project/BD/run", content=content)
    assert (response.status_code, response.json()) == (400, {"message": message})


def test_a_number_too_long_is_refused(api: Api):
    digits = b"9" * 5000
    response = api.send("POST", "/project/BD/run", content=b'{"milestoneId": ' + digits + b"}")
    assert response.status_code == 400
    response = api.send("POST", "/project/BD/run", content=b'{"milestoneId": 99999999999999999999}')
    assert response.status_code == 400


def test_a_body_too_large_is_refused(api: Api):
    response = api.send("POST", "/project/BD/run", content=b"x" * (8 * 1024 * 1024 + 1))
    assert response.status_code == 413
    assert response.json() == {"message": "http: request body too large"}


def test_half_a_surrogate_pair_is_replaced(api: Api):
    content = b'{"title": "a\\ud800b", "type": "live", "queryPlans": [{"folderIds": [2]}]}'
    assert api.send("POST", "/project/BD/run", content=content).status_code == 201
    assert api.run(1)["title"] == "a\ufffdb"


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=-1", "limit=9999999999999999999999", "closed=maybe", "milestoneIds=1,2"],
)
def test_bad_parameters_are_refused(api: Api, query: str):
    assert "message" in api.get(f"/project/BD/run?{query}", 400)


def test_a_failure_inside_is_json_too(start: Start, database: Path):
    api = start()
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TABLE result")
        connection.execute("DROP TABLE run")
    connection.close()
    assert api.get("/project/BD/run", 500) == {"message": "internal server error"}


def test_the_base_path_is_the_services_own(database: Path):
    paths = {route.path for route in create_app(database).routes}  # type: ignore[attr-defined]  # all are routes
    assert {path for path in paths if not path.startswith(BASE)} == {"/files/{id}"}
