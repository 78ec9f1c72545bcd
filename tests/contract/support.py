"""Read the recorded pairs of requests and responses that client and server are both held to.

One file an endpoint: those that `qarun` calls or fills a server with under `pairs/`, all others
under `pairs/more/`. In a body, `<time>`, `<hqid>`, `<int>` and `<text>` stand for any value of that
kind; `example` puts one in, for tests that need a concrete reply.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

BASE = "/api/public/v0"
PAIRS = Path(__file__).parent / "pairs"

_PATTERNS = {
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "<hqid>": re.compile(r"[1-9A-HJ-NP-Za-km-z]{9}_[1-9A-HJ-NP-Za-km-z]{13}"),
    "<text>": re.compile(r"(?s).+"),
}
_EXAMPLES: dict[str, Any] = {
    "<time>": "2024-01-01T00:00:00.000Z",
    "<hqid>": "1CEPaUhgH_Tvt2LZygwVRQa",
    "<text>": "text",
    "<int>": 1,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One request, path below the API's base; `role` picks the key (absent: the owner's)."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    raw: str | None = None
    files: tuple[tuple[str, tuple[str, bytes, str]], ...] = ()
    role: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A request and the response it must get, after the requests in `before` were made."""

    file: str
    endpoint: str
    name: str
    source: str
    before: tuple[Message, ...]
    request: Message
    status: int
    body: Any

    @property
    def id(self) -> str:
        return f"{self.file}: {self.name}"


def load_pairs(endpoint: str | None = None, pattern: str = "*.yaml") -> list[Pair]:
    """Return pairs, or those of one endpoint, e.g. `POST /project/{project}/run`.

    The pattern `**/*.yaml` takes in the endpoints that `qarun` does not use.
    """
    pairs = []
    for path in sorted(PAIRS.glob(pattern)):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        pairs += [_read_pair(path.stem, document["endpoint"], item) for item in document["pairs"]]
    return [pair for pair in pairs if endpoint in {None, pair.endpoint}]


def _read_pair(file: str, endpoint: str, item: dict[str, Any]) -> Pair:
    return Pair(
        file=file,
        endpoint=endpoint,
        name=item["name"],
        source=item["source"],
        before=tuple(_read_message(entry) for entry in item.get("before", ())),
        request=_read_message(item["request"]),
        status=item["response"]["status"],
        body=item["response"]["body"],
    )


def _read_message(item: dict[str, Any]) -> Message:
    method, path = item["call"].split(" ", 1)
    return Message(
        method=method,
        path=path,
        query=item.get("query", {}),
        body=item.get("body"),
        raw=item.get("raw"),
        files=tuple(
            (part["field"], (part["name"], part["content"].encode(), part["type"]))
            for part in item.get("files", ())
        ),
        role=item.get("as"),
        header=item.get("authorization"),
    )


def matches(expected: Any, found: Any) -> bool:
    """Say whether a body is as recorded, key for key, with placeholders standing for values."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and expected.keys() == found.keys()
            and all(matches(expected[key], found[key]) for key in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(matches(*both) for both in zip(expected, found, strict=True))
        )
    if expected == "<int>":
        return isinstance(found, int) and not isinstance(found, bool)
    if isinstance(expected, str) and expected in _PATTERNS:
        return isinstance(found, str) and _PATTERNS[expected].fullmatch(found) is not None
    return type(expected) is type(found) and expected == found


def example(body: Any) -> Any:
    """Return a recorded body with a concrete value for every placeholder."""
    if isinstance(body, dict):
        return {key: example(value) for key, value in body.items()}
    if isinstance(body, list):
        return [example(item) for item in body]
    return _EXAMPLES.get(body, body) if isinstance(body, str) else body
