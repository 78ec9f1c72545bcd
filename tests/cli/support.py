"""What the tests of the command line share: manifests, databases to look into, calls."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from runs_as_code.cli import serve as serving
from runs_as_code.cli.program import program
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider.embedded import embedded_client
from runs_as_code.report.document import CHECKSUM, checksum_of
from runs_as_code.server import ServerOptions, create_app

Process = subprocess.Popen[str]

CANARY = "tst0000001.1CKCEtestJYyckc3zYtest.canarycanarycanarycanary"

HEAD = """\
apiVersion: qarun/v1
project: BD
owner: web-team
server: embedded
lint: {disable: [run-has-milestone, run-has-assignee, ongoing-suite-live, fixed-set-static]}
"""

ONE = """\
runs:
  smoke:
    title: Smoke of the week
    type: live
    queryPlans: [{folders: [1]}]
"""

TWO = (
    ONE
    + """\
  review:
    title: Menu review
    type: static_struct
    queryPlans: [{folders: [6]}]
"""
)


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def call(*arguments: str | Path, typed: str | None = None, **environ: str) -> Ended:
    """Run `qarun` in this process."""
    result = CliRunner(env=environ).invoke(program, [str(a) for a in arguments], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return Ended(result.exit_code, result.stdout, result.stderr)


def whole_program() -> click.Context:
    """Return the context of the whole program, to be the parent of a command's.

    A command keeps the help option that its first context gave it, for as long as it lives.
    """
    return click.Context(program, info_name="qarun", **program.context_settings)


class IdleServer:
    """A server that ends at once."""

    should_exit = False

    def run(self, **_: object) -> None:
        pass


def note_servers(monkeypatch: pytest.MonkeyPatch) -> list[ServerOptions]:
    """Note what `qarun serve` would serve, and let it return at once."""
    seen: list[ServerOptions] = []

    def make(_database: Path, options: ServerOptions) -> IdleServer:
        seen.append(options)
        return IdleServer()

    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    monkeypatch.setattr(serving, "make_server", make)
    return seen


def start(*arguments: str | Path, **environ: str) -> Process:
    """Start `qarun` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "runs_as_code", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
    )


def read_until(process: Process, words: str) -> str:
    """Read what a process says on stderr, until the end of the line with these words; return it.

    No byte more is taken: `communicate` would not see what a buffer of ours holds.
    """
    assert process.stderr is not None
    seen = bytearray()
    while not (seen.endswith(b"\n") and words.encode() in seen):
        byte = os.read(process.stderr.fileno(), 1)
        assert byte, seen.decode()
        seen += byte
    return seen.decode()


def run(*arguments: str | Path, **environ: str) -> Ended:
    """Run `qarun` as a process of its own."""
    with start(*arguments, **environ) as process:
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return Ended(process.returncode, out, err)


def edit_plan(path: Path, **values: Any) -> None:
    """Change a saved plan so that its checksum fits all the same."""
    plan = json.loads(path.read_text("utf-8")) | values
    path.write_text(json.dumps(plan | {CHECKSUM: checksum_of(plan)}), "utf-8")


def write(path: Path, runs: str = ONE, head: str = HEAD) -> Path:
    """Write a manifest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + runs, "utf-8")
    return path


def rows(database: Path) -> list[tuple[int, str, bool]]:
    """Return id, title and openness of every run in a database, none where there is none."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT id, title, closed_at IS NULL FROM run ORDER BY id"
        return [(row[0], row[1], bool(row[2])) for row in connection.execute(query)]


def titles(database: Path) -> list[str]:
    """Return the titles of the open runs."""
    return [title for _, title, is_open in rows(database) if is_open]


def make_run(database: Path, title: str, description: str = "") -> int:
    """Make a run as a person would, without a marker."""

    async def make() -> int:
        async with embedded_client(create_app(database)) as client:
            fields = RunFields(title, description)
            return await client.project("BD").create_run(
                fields, "live", (ResolvedPlan(folder_ids=(1,)),)
            )

    return asyncio.run(make())
