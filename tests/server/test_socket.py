"""The same app on a real port, through the fixture that users get."""

import json
import socket
import subprocess
import sys

import httpx
import pytest

from runs_as_code import server
from runs_as_code.server import Fault, RunningServer, listen

RUN = {"title": "A run", "type": "live", "queryPlans": [{"folderIds": [2]}]}


@pytest.fixture
def client(qasphere_server: RunningServer):
    headers = {"Authorization": f"ApiKey {qasphere_server.key}", "Content-Type": "application/json"}
    with httpx.Client(base_url=qasphere_server.api, headers=headers, trust_env=False) as client:
        yield client


def test_a_client_uses_it_over_a_socket(client: httpx.Client):
    assert client.post("/project/BD/run", json=RUN).json() == {"id": 1}
    # The official client sends a JSON content type without a body.
    assert client.post("/project/BD/run/1/close").json() == {"message": "Run closed"}
    assert client.get("/project/BD/run?closed=true").json()["closed"] == 1
    assert client.get("/nowhere").json() == {"message": "Not found"}
    assert client.get("/users", headers={"Authorization": ""}).status_code == 401
    assert client.get("/nowhere").headers["content-type"] == "application/json"


def test_files_come_back_over_a_socket(client: httpx.Client, qasphere_server: RunningServer):
    files = {"file": ("a.txt", b"content", "text/plain")}
    headers = {"Authorization": client.headers["authorization"]}
    with httpx.Client(headers=headers, trust_env=False) as plain:
        made = plain.post(f"{qasphere_server.api}/file", files=files).json()
        assert plain.get(made["url"]).content == b"content"


@pytest.mark.qasphere(title_scope="none", seed="empty")
def test_the_marker_sets_options(client: httpx.Client, qasphere_server: RunningServer):
    assert client.get("/project").json() == {"projects": []}
    assert qasphere_server.environ == {
        "QAS_URL": qasphere_server.url,
        "QAS_TOKEN": qasphere_server.key,
    }


def test_other_users_have_keys_too(client: httpx.Client, qasphere_server: RunningServer):
    headers = {"Authorization": f"Bearer {qasphere_server.key_for('vera@example.com')}"}
    assert client.get("/users", headers=headers).status_code == 403


@pytest.mark.parametrize("kind", ["lost-before", "lost-after", "reset"])
def test_connections_really_end(
    client: httpx.Client,
    qasphere_server: RunningServer,
    kind: str,
    capfd: pytest.CaptureFixture[str],
):
    qasphere_server.faults.add(Fault(kind, "POST *", times=1))
    with pytest.raises(httpx.TransportError):
        client.post("/project/BD/run", json=RUN)
    runs = client.get("/project/BD/run").json()["runs"]
    assert [run["title"] for run in runs] == ([] if kind == "lost-before" else ["A run"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.qasphere(board="local")
def test_nobody_claims_to_come_from_elsewhere(client: httpx.Client, qasphere_server: RunningServer):
    client.headers["X-Forwarded-For"] = "203.0.113.9"
    client.headers["X-Forwarded-Proto"] = "https"
    client.post("/project/BD/milestone", json={"title": "New"})
    assert client.get("/audit-logs").json()["events"][0]["ip"] == "127.0.0.1"
    assert client.get(f"{qasphere_server.url}/board").status_code == 200
    del client.headers["content-type"]
    made = client.post("/file", files={"file": ("a", b"1")}).json()
    assert made["url"].startswith(f"{qasphere_server.url}/files/")


NO_HTTP = (
    b"nonsense\r\n\r\n",
    b"GET /api/public/v0/project HTTP/1.1\r\nHost: x\r\nContent-Length: no\r\n\r\n",
    b"GET /api/public/v0/project HTTP/1.1\r\nHost : x\r\n\r\n",
    b"POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
)


def test_what_is_no_http_is_answered_with_json(
    qasphere_server: RunningServer, capfd: pytest.CaptureFixture[str]
):
    where = httpx.URL(qasphere_server.url)
    for sent in NO_HTTP:
        with socket.create_connection((where.host, where.port), timeout=10) as connection:
            connection.sendall(sent)
            answer = connection.makefile("rb").read()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"content-type: application/json\r\n" in head + b"\r\n"
        assert b"content-length: %d\r\n" % len(body) in head + b"\r\n"
        assert json.loads(body) == {"message": "Invalid HTTP request received"}
    assert capfd.readouterr() == ("", "")


def test_answers_are_not_delayed():
    with listen(port=0) as sock:
        assert sock.proto == socket.IPPROTO_TCP


def test_who_learns_the_port_may_connect_before_anybody_serves():
    with listen(port=0) as sock, socket.create_connection(sock.getsockname(), timeout=5) as early:
        assert early.getpeername() == sock.getsockname()


def test_a_taken_port_is_an_error_of_the_system():
    with listen(port=0) as first, pytest.raises(OSError, match="in use"):
        listen(port=first.getsockname()[1])


def test_the_plugin_imports_nothing_heavy():
    program = (
        "import sys, runs_as_code.server.pytest_plugin\n"
        "print([m for m in ('sqlalchemy', 'starlette', 'uvicorn', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_every_public_name_can_be_imported():
    assert all(getattr(server, name) is not None for name in server.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        server.nothing  # noqa: B018 - the access itself is what must fail
