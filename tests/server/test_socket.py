"""The same app on a real port, through the fixture that users get."""

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
