"""`qarun serve` and `qarun` as processes of their own, and what is live between them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Ended:
    """How a call of `qarun` ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Site:
    """A served project: its address, and the keys of its people by role."""

    address: str
    keys: Mapping[str, str]

    def environ(self, role: str = "user") -> dict[str, str]:
        """Return the credentials as the official client finds them."""
        return {"QAS_URL": self.address, "QAS_TOKEN": self.keys[role]}

    def runs(self) -> list[dict[str, Any]]:
        """Return the live runs, oldest first, read by another client than ours."""
        url = f"{self.address}/api/public/v0/project/BD/run"
        headers = {"Authorization": f"ApiKey {self.keys['owner']}"}
        with httpx.Client(trust_env=False) as client:
            found = client.get(url, headers=headers).raise_for_status().json()["runs"]
        return sorted(found, key=lambda run: int(run["id"]))

    def titles(self) -> list[str]:
        """Return the titles of the open runs, sorted."""
        return sorted(run["title"] for run in self.runs() if run["closedAt"] is None)

    def post(self, path: str, body: Any = None) -> Any:
        url = f"{self.address}/api/public/v0/project/BD{path}"
        headers = {"Authorization": f"Bearer {self.keys['user']}"}
        with httpx.Client(trust_env=False) as client:
            return client.post(url, headers=headers, json=body).raise_for_status().json()


def start(*arguments: str | Path, **environ: str) -> Process:
    """Start `qarun`, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "runs_as_code", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


def finish(process: Process) -> Ended:
    """Wait for a process and return how it ended; it never shows a traceback."""
    with process:
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


def qarun(*arguments: str | Path, **environ: str) -> Ended:
    """Run `qarun` to its end."""
    return finish(start(*arguments, **environ))


@contextmanager
def serving(database: Path, *options: str) -> Iterator[Site]:
    """Serve a new database on a free port; read address and keys from what `serve` prints."""
    process = start("serve", "--port", "0", "--database", database, *options)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        people = [process.stdout.readline().split() for _ in range(5)]
        yield Site(address, {role: key for role, _, key in people})
    finally:
        process.send_signal(signal.SIGTERM)
        ended = finish(process)
        assert ended.code == 143, ended.err


def manifest(path: Path, runs: str, **more: str) -> Path:
    """Write a manifest for whatever server the environment names."""
    head = {"apiVersion": "qarun/v1", "project": "BD", "owner": "web-team", **more}
    lines = "".join(f"{key}: {value}\n" for key, value in head.items())
    path.write_text(f"{lines}runs:\n{runs}", "utf-8")
    return path


def run_lines(key: str, title: str, **more: str) -> str:
    """Return the lines of one live run over a folder."""
    fields = {"title": title, "type": "live", "queryPlans": "[{folders: [Menu]}]", **more}
    return f"  {key}:\n" + "".join(f"    {name}: {value}\n" for name, value in fields.items())


def many(count: int, **more: str) -> str:
    """Return the lines of many runs."""
    return "".join(run_lines(f"k{n:02}", f"Run {n:02}", **more) for n in range(count))
