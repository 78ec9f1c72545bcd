"""Whatever is sent, the answer is JSON and never a 500."""

import copy
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from contract.support import load_pairs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server.support import Api

from runs_as_code.server import ServerOptions, create_app, dump_database, ensure_database
from runs_as_code.server.app import ENDPOINTS

IS_HEAVY = os.environ.get("SERVER_TESTS") == "heavy"
EXAMPLES = 3000 if IS_HEAVY else 150

# Bodies and parameters that are meant to be right, to be spoilt.
GOOD_BODIES = [
    (pair.request.method, pair.request.path, pair.request.body)
    for pair in load_pairs(pattern="**/*.yaml")
    if isinstance(pair.request.body, dict)
]
PARAMETERS = (
    "limit", "offset", "page", "closed", "milestoneIds", "archived", "include", "sortField",
    "sortOrder", "search", "tags", "tagsFilterOp", "priorities", "types", "draft", "folders",
    "recursive", "after", "count", "createdAfter", "createdBefore", "authorIds", "stepIds",
    "preconditionIds", "requirementIds", "templateTCaseIds", "configurationIds", "cf_browser",
    "cf_nothing",
)  # fmt: skip
VALUES = (
    "0", "1", "-1", "2", "asc", "desc", "title", "seq", "or", "and", "not", "true", "maybe",
    "tcaseCount", "folder", "tags", "path", "high", "9" * 25, "%", "'", '"', "\x00", "\U0001f600",
    "1,2", "standalone", "NaN", "1e3", "\u0661",
)  # fmt: skip

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\x00", "\ud800", "x" * 600, "low", "static", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
segments = st.sampled_from(["BD", "XX", "1", "0", "21", "-1", "9" * 30, "BD-021", "x", "é", "%"])
segments = segments | st.text(min_size=1, max_size=12)
queries = st.lists(
    st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES) | st.text(max_size=8)),
    max_size=4,
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    folder = Path(tempfile.mkdtemp(prefix="fuzz"))
    ensure_database(folder / "server.db")
    app = create_app(folder / "server.db", options=ServerOptions(title_scope="none"))
    with Api(app) as api:
        for number in range(3):
            api.make_run(f"Run {number}", ("static", "static_struct", "live")[number])
        yield api
    app.state.store.close()
    # Whatever came in by then, a dump of it is a seed.
    seed = folder / "dump.yaml"
    seed.write_text(dump_database(folder / "server.db"), encoding="utf-8")
    ensure_database(folder / "copy.db", seed)
    assert dump_database(folder / "copy.db") == seed.read_text(encoding="utf-8")
    shutil.rmtree(folder)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


@st.composite
def spoilt_bodies(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A recorded body with one or two of its places changed to anything."""
    method, path, body = draw(st.sampled_from(GOOD_BODIES))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(list(places(body))))
        value = draw(junk)
        if not place:
            return method, path, value
        at = body
        for part in place[:-1]:
            at = at[part]
        at[place[-1]] = value
    return method, path, body


def check(response: Any) -> None:
    assert response.status_code < 500, response.text
    if "attachment" not in response.headers.get("content-disposition", ""):
        assert response.headers["content-type"] == "application/json"
        found = response.json()
        if response.status_code >= 400:
            assert isinstance(found["message"], str)


fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzzed
@given(spoilt=spoilt_bodies())
def test_spoilt_bodies(api: Api, spoilt: tuple[str, str, Any]):
    method, path, body = spoilt
    content = json.dumps(body).encode()
    check(api.send(method, path, content=content))


@fuzzed
@given(endpoint=st.sampled_from(ENDPOINTS), parts=st.lists(segments, min_size=3), query=queries)
def test_any_path_and_parameters(
    api: Api, endpoint: Any, parts: list[str], query: list[tuple[str, str]]
):
    names = iter(parts)
    path = "/".join(
        quote(next(names, "BD"), safe="") if part.startswith("{") else part
        for part in endpoint.path.split("/")
    )
    check(api.send(endpoint.method, path or "/", params=query, content=b"{}"))


@fuzzed
@given(endpoint=st.sampled_from(ENDPOINTS), query=queries)
def test_parameters_of_known_things(api: Api, endpoint: Any, query: list[tuple[str, str]]):
    path = endpoint.path.replace("{project}", "BD").replace("{run}", "3")
    path = path.replace("{tcase}", "21").replace("{id}", "1")
    if endpoint.method == "GET":
        check(api.send("GET", path, params=query))


@fuzzed
@given(
    endpoint=st.sampled_from([item for item in ENDPOINTS if item.method != "GET"]),
    content=st.binary(max_size=60),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x", "text/html", ""]),
)
def test_any_bytes(api: Api, endpoint: Any, content: bytes, kind: str):
    path = endpoint.path.replace("{project}", "BD").replace("{run}", "3").replace("{tcase}", "21")
    if path.endswith("/close"):
        return  # takes any body by design
    check(api.send(endpoint.method, path, content=content, headers={"Content-Type": kind}))
