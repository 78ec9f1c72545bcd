"""The embedded server on a port, with counts.

`python bench/counted.py DATABASE RATE LATENCY JITTER` prints its port, and on SIGTERM how many
requests of which kind it answered with which status.
JITTER is the longest random time on the way to the server, in seconds, as LATENCY is.
"""

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import uvicorn

from runs_as_code.server import ServerOptions, create_app, listen


class Counted:
    """An ASGI app around another one that counts its answers, and makes requests late."""

    def __init__(self, app: Any, jitter: float = 0.0) -> None:
        self.counts: Counter[str] = Counter()
        self._app = app
        self._jitter = jitter
        self._random = random.Random(1)  # noqa: S311 -- no secret, and the same in each run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        last = scope.get("path", "").rpartition("/")[2]

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.counts[f"{scope['method']} {last}"] += 1
                self.counts[str(message["status"])] += 1
            await send(message)

        if self._jitter:
            await asyncio.sleep(self._random.uniform(0, self._jitter))
        await self._app(scope, receive, note)


def main(database: str, rate: str, latency: str, jitter: str) -> None:
    """Serve until SIGTERM."""
    options = ServerOptions(rate=int(rate), latency=float(latency))
    counted = Counted(create_app(Path(database), options=options), float(jitter))
    config = uvicorn.Config(counted, log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    with listen(port=0) as listening:
        print(listening.getsockname()[1], flush=True)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            print(json.dumps(counted.counts), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main(*sys.argv[1:])
