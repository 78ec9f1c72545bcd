"""Real processes of `qarun` against a real socket, with the ground's wire behind it."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from torture.faults import Answer
from torture.ground import Ground, brief_for
from torture.plants import PLANTED
from torture.wire import Call

from runs_as_code.server import listen

FACTOR = 20.0
PATIENCE = 2.0
LONGEST_SECONDS = 120
SIGNAL_SECONDS = 0.3
BUSY_SECONDS = 1.0  # what a busy machine, or the pacing, puts between a decision and its request
_ROOT = Path(__file__).parents[2]
_LAUNCHER = Path(__file__).with_name("hasty.py")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Exit:
    """How a process ended."""

    who: str
    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        """The report that it printed as JSON; None where it came to none."""
        start = self.out.find("{")
        return json.loads(self.out[start:]) if start >= 0 else None


@dataclass
class Service:
    """A ground on a port; processes are started from here."""

    ground: Ground
    address: str
    loop: asyncio.AbstractEventLoop
    _running: list["Running"] = field(default_factory=list)

    def start(
        self,
        manifests: Sequence[Document],
        *arguments: str,
        may_race: bool = False,
        approvals: Document | None = None,
        command: str = "apply",
    ) -> "Running":
        """Start an apply as a process of its own."""
        who = self.ground.name()
        given = self.ground.write(manifests, self.address)
        brief = brief_for(manifests, approvals or {}, may_race=may_race, queue=BUSY_SECONDS)
        self.ground.ledger.brief(who, brief)
        files = [part for path in given for part in ("-f", str(path))]
        wanted = ["--auto-approve", "--format", "json"] if command == "apply" else []
        return self._popen(who, [command, *files, "--rate", "0", *wanted, *arguments])

    def start_plain(self, manifests: Sequence[Document], *line: str) -> "Running":
        """Start any command line; what it does is judged by these manifests."""
        who = self.ground.name()
        self.ground.ledger.brief(who, brief_for(manifests, {}, queue=BUSY_SECONDS))
        return self._popen(who, list(line))

    def quiet(self) -> None:
        """Wait until everything that the server took is carried out."""
        asyncio.run_coroutine_threadsafe(self.ground.wire.quiet(), self.loop).result(60)

    def do(self, deed: Callable[[], Any]) -> Any:
        """Let a person do something now."""
        return asyncio.run_coroutine_threadsafe(deed(), self.loop).result(60)

    def stop_all(self) -> None:
        """End what is still running."""
        for running in self._running:
            running.end()

    def _popen(self, who: str, line: list[str]) -> "Running":
        environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
        paths = os.pathsep.join((str(_ROOT), str(_ROOT / "tests")))
        environ |= {"QAS_URL": self.address, "QAS_TOKEN": who, "PYTHONPATH": paths}
        bug = os.environ.get(PLANTED) or "-"
        out, err = (self.ground.folder / f"{who}.{end}" for end in ("out", "err"))
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                [sys.executable, str(_LAUNCHER), str(FACTOR), str(PATIENCE), bug, *line],
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                cwd=self.ground.folder,
                env=environ,
            )
        running = Running(who, process, out, err)
        self._running.append(running)
        return running


@dataclass
class Running:
    """A process under way."""

    who: str
    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def wait(self) -> Exit:
        """Wait for its end."""
        code = self.process.wait(LONGEST_SECONDS)
        return Exit(self.who, code, self.out.read_text("utf-8"), self.err.read_text("utf-8"))

    def end(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@dataclass
class Killer:
    """Sends a signal to a process at one of its calls, before or after that is carried out."""

    ground: Ground
    running: Running
    number: int
    is_carried_out: bool
    what: signal.Signals = signal.SIGKILL
    is_of_writes: bool = False
    is_done: bool = False
    seen: int = 0
    chosen: Call | None = None

    async def before(self, call: Call) -> None:
        """Choose the call, and send it before the call is carried out."""
        if call.who != self.running.who or (self.is_of_writes and not call.is_write):
            return
        self.seen += 1
        if self.seen == self.number:
            self.chosen = call
            if not self.is_carried_out:
                await self._send()

    async def after(self, call: Call, _answer: Answer) -> None:
        """Send it when the call was carried out and nobody was told."""
        if call is self.chosen and self.is_carried_out:
            await self._send()

    async def _send(self) -> None:
        self.is_done = True
        if self.what is signal.SIGKILL:
            self.ground.wire.kill(self.running.who)
        self.running.process.send_signal(self.what)
        if self.what is signal.SIGKILL:
            await asyncio.to_thread(self.running.process.wait)
        else:
            await asyncio.sleep(SIGNAL_SECONDS)  # nobody tells when a handler has run


@contextmanager
def serving(ground: Ground) -> Iterator[Service]:
    """Put a ground on a free port of the loopback."""
    ground.wire.client_patience = 2 * PATIENCE + 1
    started: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()
    with listen(port=0) as sock:
        config = uvicorn.Config(ground.wire, log_level="critical", access_log=False, lifespan="off")
        server = uvicorn.Server(config)

        async def serve() -> None:
            started.put(asyncio.get_running_loop())
            await server.serve(sockets=[sock])

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        service = Service(ground, f"http://127.0.0.1:{sock.getsockname()[1]}", started.get())
        try:
            yield service
        finally:
            service.stop_all()
            server.should_exit = True
            server.force_exit = True
            thread.join()
