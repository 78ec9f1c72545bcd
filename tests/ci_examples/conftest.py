"""A served project with keys, a repository on a forge, and runners without anybody's settings."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ci_examples.forge import PACKAGE, ROOT, Repository, install
from ci_examples.runner import Site

from runs_as_code.server import ServerOptions, create_key, ensure_database, listen, make_server


@dataclass(frozen=True)
class Service:
    """The embedded server on a port, as people see it in the web page."""

    address: str
    database: Path
    keys: dict[str, str]

    def runs(self) -> dict[str, dict[str, Any]]:
        """Return the live runs by title."""
        found = self._call("GET", "/run")["runs"]
        return {run["title"]: run for run in found}

    def open_titles(self) -> list[str]:
        return sorted(title for title, run in self.runs().items() if run["closedAt"] is None)

    def close(self, title: str) -> None:
        self._call("POST", f"/run/{self.runs()[title]['id']}/close")

    def make(self, title: str) -> None:
        """Make a run as a person would, without a marker."""
        plans = [{"folderIds": [1]}]
        self._call("POST", "/run", {"title": title, "type": "live", "queryPlans": plans})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.address}/api/public/v0/project/BD{path}"
        headers = {"Authorization": f"Bearer {self.keys['ann']}"}
        with httpx.Client(trust_env=False) as client:
            return client.request(method, url, headers=headers, json=body).raise_for_status().json()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    database = tmp_path / "service.db"
    ensure_database(database)
    with ExitStack() as stack:
        sock = stack.enter_context(listen(port=0))
        server = make_server(database, ServerOptions(require_key=True))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)  # noqa: FBT003 -- not ours
        keys = {name: create_key(database, f"{name}@example.com") for name in ("ann", "vera")}
        yield Service(f"http://127.0.0.1:{sock.getsockname()[1]}", database, keys)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")


@pytest.fixture
def repository(tmp_path: Path, identity: None) -> Repository:
    return Repository(tmp_path)


@pytest.fixture(scope="session")
def qarun() -> Iterator[str]:
    """The place of the process that starts `qarun`; short, as names of sockets must be."""
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/qarun"
        program = Path(__file__).with_name("forking.py")
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            [sys.executable, program, place], stdout=subprocess.PIPE, env=environ
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield place
            process.terminate()


@pytest.fixture
def programs(tmp_path: Path, qarun: str) -> Callable[[Path], Path]:
    def make(forge: Path) -> Path:
        install(tmp_path / "bin", forge, qarun)
        return tmp_path / "bin"

    return make


@pytest.fixture
def site(
    tmp_path: Path, service: Service, repository: Repository, programs: Callable[[Path], Path]
) -> Site:
    return Site(
        origin=repository.origin,
        folder=tmp_path / "jobs",
        programs=programs(repository.forge),
        variables={"QAS_URL": service.address, "QARUN_PACKAGE": PACKAGE},
        secrets={"QAS_TOKEN_READ": service.keys["vera"]},
        environments={
            "qa-sphere": {"QAS_TOKEN": service.keys["ann"]},
            "qa-sphere-approval": {"QAS_TOKEN": service.keys["ann"]},
        },
        reviewed=frozenset({"qa-sphere-approval"}),
    )
