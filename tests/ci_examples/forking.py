"""Starts `qarun` quickly: a process that has imported it already forks for each call.

The steps under test call `qarun` some thirty times; most of that time would be spent on imports.
"""

import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

MODULES = (
    "cli.program", "cli.apply", "cli.drift", "cli.plan", "cli.publications", "cli.reconcile",
    "cli.validate", "provider.client", "report.outputs.html",
)  # fmt: skip

CALLER = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({place!r})
    call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [len(call).to_bytes(4, "big")], [0, 1, 2])
    line.sendall(call)
    said = line.recv(1)
sys.exit(said[0] if said else 70)
"""


def serve(place: str) -> None:
    """Answer calls until the process is ended."""
    for name in MODULES:
        importlib.import_module(f"runs_as_code.{name}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen(8)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                _answer(line)
            line.close()


def _answer(line: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, given, _, _ = socket.recv_fds(line, 4, 3)
    size = int.from_bytes(head, "big")
    call = b""
    while len(call) < size:
        call += line.recv(size - len(call))
    arguments, folder, environ = json.loads(call)
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False)
        for number, mode in enumerate(("r", "w", "w"))
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["qarun", *arguments]
    line.sendall(bytes([_run()]))
    os._exit(0)


def _run() -> int:
    from runs_as_code.cli import main  # noqa: PLC0415  imported long ago
    from runs_as_code.engine import freezing  # noqa: PLC0415  the same

    if "THAWED" in os.environ:  # another time, at which no freeze window lasts
        freezing._window_at = lambda _windows, _moment: None
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def install(program: Path, place: str) -> None:
    """Write the `qarun` that calls the process at `place`."""
    program.write_text(CALLER.format(python=sys.executable, place=place))
    program.chmod(0o755)


if __name__ == "__main__":
    serve(sys.argv[1])
