"""Start a server of this folder in a process of its own, and ask it at the end what it counted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from measure import HERE


@dataclass(slots=True)
class Served:
    """A server that runs; `counts` are filled in when it has ended."""

    url: str
    counts: dict[str, int] = field(default_factory=dict)


@contextmanager
def served(script: str, *arguments: str) -> Iterator[Served]:
    """Run a script that prints its port first and its counts last."""
    command = [sys.executable, str(HERE / script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:  # never, with a pipe
            raise RuntimeError(script)
        server = Served(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        try:
            yield server
        finally:
            process.terminate()
            last = process.stdout.read().splitlines()[-1:]
            server.counts |= json.loads(last[0]) if last else {}
