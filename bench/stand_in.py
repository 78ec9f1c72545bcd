"""A stand-in for the service that costs next to nothing: stored replies over HTTP on loopback.

`python bench/stand_in.py RUNS.json` prints its port, takes creates as well, and on SIGTERM prints
how many requests it got. RUNS.json is the reply to the run list; without it there are no runs.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import workload

NO_RUNS = b'{"runs":[],"open":0,"closed":0}'
ROOTS_BEGIN = 1000
"""Ids of the folders on top; those below them are numbered as in the workload."""


class StandIn:
    """Answers what planning asks for, and keeps the runs that are created."""

    def __init__(self, runs: bytes) -> None:
        self.counts: Counter[str] = Counter()
        self._runs = runs
        self._made: list[dict[str, Any]] = []
        people = [{"id": i, "email": email} for i, email in enumerate(workload.USERS, 1)]
        self._replies = {
            "milestone": _encode({"milestones": _titled(workload.MILESTONES)}),
            "tag": _encode({"tags": _titled(workload.TAGS)}),
            "folders": _encode(_folders()),
            "me": _encode({"user": people[0]}),
            "users": _encode({"users": people}),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ")
                body = await reader.readexactly(_length(lines))
                reply = self._answer(method, target.partition("?")[0], body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(reply) + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, method: str, path: str, body: bytes) -> bytes:
        last = path.rpartition("/")[2]
        self.counts[f"{method} {last}"] += 1
        if last == "run":
            return self._create(json.loads(body)) if method == "POST" else self._list()
        if last == "seq":
            return _encode(_cases(json.loads(body)))
        return self._replies[last]

    def _list(self) -> bytes:
        return _encode({"runs": self._made}) if self._made else self._runs

    def _create(self, sent: dict[str, Any]) -> bytes:
        run_id = len(self._made) + 1
        counts = dict.fromkeys(("blocked", "failed", "passed", "skipped"), 0)
        row = {key: sent.get(key) for key in ("title", "description", "type", "milestoneId")}
        row |= {"id": run_id, "assignmentId": sent.get("assignmentId")}
        self._made.append(row | {"statusCounts": counts | {"all": 3, "open": 3}})
        return _encode({"id": run_id})


async def main(runs: bytes) -> None:
    """Serve until SIGTERM."""
    stand_in = StandIn(runs)
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0, limit=1 << 20)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    print(json.dumps(stand_in.counts))


def _length(lines: list[str]) -> int:
    headers = (line.partition(":") for line in lines[1:])
    return next((int(v) for name, _, v in headers if name.casefold() == "content-length"), 0)


def _encode(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _titled(names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"id": number, "title": name} for number, name in enumerate(names, 1)]


def _folders() -> dict[str, Any]:
    paths = [path.split("/") for path in workload.FOLDERS]
    roots = {area: ROOTS_BEGIN + i for i, area in enumerate(dict.fromkeys(p[0] for p in paths))}
    data = [{"id": number, "title": area, "parentId": 0} for area, number in roots.items()]
    data += [
        {"id": number, "title": part, "parentId": roots[area]}
        for number, (area, part) in enumerate(paths, 1)
    ]
    return {"data": data, "total": len(data)}


def _cases(sent: dict[str, Any]) -> dict[str, Any]:
    numbers = [int(marker.rpartition("-")[2]) for marker in sent["seqIds"]]
    window = numbers[sent["offset"] :][: sent["limit"]]
    data = [{"id": f"case-{number}", "seq": number} for number in window]
    return {"data": data, "total": len(numbers)}


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes() if sys.argv[1:] else NO_RUNS))
