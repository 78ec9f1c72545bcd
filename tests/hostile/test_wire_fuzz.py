"""Whatever a server answers, decoding gives values that hold, or one bounded harmless sentence."""

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hostile.texts import HOSTILE_TEXT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.provider.support import TOKEN, Script, live_run, ok, run

from runs_as_code.errors import BadResponseError, QarunError
from runs_as_code.model.live import Listing, NamesNeeded
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider import wire, wire_names

Parse = Callable[[str, bytes], Any]

PARSERS: dict[str, Parse] = {
    "listing": lambda label, body: wire.parse_listing(label, body, is_filtered=False),
    "run cases": wire.parse_run_cases,
    "run case": wire.parse_run_case,
    "new id": wire.parse_new_id,
    "acknowledgement": wire.parse_acknowledgement,
    "projects": wire_names.parse_projects,
    "project": wire_names.parse_project,
    "milestones": wire_names.parse_milestones,
    "tags": wire_names.parse_tags,
    "folders": wire_names.parse_folder_page,
    "cases": wire_names.parse_test_case_page,
    "case": wire_names.parse_test_case,
    "users": wire_names.parse_users,
    "me": wire_names.parse_me,
}
CASE = {
    "id": "1CE",
    "seq": 1,
    "title": "T",
    "status": "open",
    "version": 1,
    "folder": {"title": "F"},
}
RESULT = {"id": 1, "status": "passed", "comment": "c", "author": {"email": "e"}, "timeTaken": 5}
GOOD = {
    "runs": [live_run(1), live_run(2)],
    "open": 2,
    "closed": 0,
    "tcases": [CASE],
    "results": [RESULT],
    "projects": [{"id": "1", "code": "BD", "title": "T"}],
    "milestones": [{"id": 1, "title": "M", "archivedAt": None}],
    "tags": [{"id": 1, "title": "t"}],
    "data": [{"id": 1, "title": "F", "parentId": 0, "seq": 1}],
    "total": 1,
    "users": [{"id": 1, "email": "a@b.c"}],
    "user": {"id": 1, "email": "a@b.c"},
    "id": "1CE",
    "code": "BD",
    "title": "T",
    "version": 1,
    "priority": "high",
    "isLatestVersion": True,
    "seq": 1,
}
NUMBERS = st.sampled_from(
    [0, -1, 2**63, 10**400, 1.5, 1e308, float("inf"), float("-inf"), float("nan"), -0.0]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, HOSTILE_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "title", "statusCounts", "project", "runs", "all", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    VALUES.map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode("utf-16")),
    VALUES.map(lambda value: b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=True).encode()),
)


def spots(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = []
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += spots(value, (*path, key))
    return found


SPOTS = spots(GOOD)


def parse_all(body: bytes) -> None:
    for parse in PARSERS.values():
        said = ""
        try:
            parse("GET /x", body)
        except BadResponseError as error:
            said = error.message
        assert len(said) < 1_000
        assert said.isprintable()


@settings(max_examples=200)
@given(BODIES)
def test_any_body(body: bytes):
    parse_all(body)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(SPOTS), VALUES), min_size=1, max_size=3))
def test_a_reply_with_wrong_members(changes: list[tuple[tuple[Any, ...], Any]]):
    data = copy.deepcopy(GOOD)
    for path, value in changes:
        try:
            holder: Any = data
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    parse_all(json.dumps(data).encode())


@pytest.mark.parametrize("spent", ["Infinity", "-Infinity", "NaN", "1e999", "1e300", "9" * 4_000])
def test_a_time_span_without_bound_is_refused(spent: str):
    body = json.dumps({"runs": [live_run()]}).replace("61000", spent)
    with pytest.raises(BadResponseError, match="timeSpent"):
        wire.parse_listing("GET /run", body.encode(), is_filtered=False)


@pytest.mark.parametrize("text", ['"id": 9223372036854775808', f'"title": "{"x" * 1_048_577}"'])
def test_numbers_and_texts_are_bounded(text: str):
    key = text.split('"')[1]
    data = live_run(**{key: 0})
    body = json.dumps({"runs": [data]}).replace(f'"{key}": 0', text, 1)
    with pytest.raises(BadResponseError, match=key):
        wire.parse_listing("GET /run", body.encode(), is_filtered=False)


GROWING: dict[str, Callable[[], bytes]] = {
    "objects": lambda: b'{"runs":[' + b"{}," * 4_000_001 + b"{}]}",
    "lists": lambda: b'{"runs":[' + b"[]," * 4_000_001 + b"[]]}",
    "numbers": lambda: b'{"runs":[' + b"0," * 12_000_001 + b"0]}",
    "depth": lambda: b"[" * 3_000_000,
    "depth of objects": lambda: b'{"a":' * 1_000_000,
    "a number": lambda: b"9" * 5_000_000,
}


@pytest.mark.parametrize("name", GROWING)
def test_a_reply_that_grows_in_memory_is_refused(name: str):
    body = GROWING[name]()
    for parser in ("listing", "tags"):
        with pytest.raises(BadResponseError):
            PARSERS[parser]("GET /x", body)


# --- the same through the client: statuses, headers and bodies as a server likes


HEADERS = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "Location", "Content-Type", "Set-Cookie", "Content-Encoding", "X", "Date"]
    ),
    st.one_of(
        st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30),
        st.sampled_from(
            [
                "gzip",
                "br, gzip",
                "9" * 4_400,
                "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
                "Mon, 01 Jan 2020 00:00:00 +99999999999999",
                "a=b; expires=Mon, 99 99 99999999999999",
                "http://[::1",
                f"https://{TOKEN}@evil.example/",
                "//evil.example",
            ]
        ),
    ),
    max_size=3,
)
ANSWERS = st.tuples(
    st.sampled_from(
        [200, 201, 204, 206, 301, 302, 307, 400, 401, 403, 404, 409, 422, 429, 500, 599]
    ),
    HEADERS,
    BODIES,
)
CALLS: dict[str, Callable[[Any], Any]] = {
    "list": lambda project: project.list_runs(),
    "cases": lambda project: project.list_run_cases(1),
    "names": lambda project: project.load_catalog(
        NamesNeeded(tags=True, milestones=True, folders=True, tcases=("BD-1",), users=("a@b.c",)),
        Listing(()),
    ),
    "create": lambda project: project.create_run(
        RunFields("T", "D"), "live", (ResolvedPlan(folder_ids=(1,)),)
    ),
    "close": lambda project: project.close_run(1),
}


def leaves(error: BaseException) -> list[BaseException]:
    inner = getattr(error, "exceptions", None)
    return [leaf for each in inner for leaf in leaves(each)] if inner else [error]


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CALLS)), ANSWERS)
def test_any_answer_is_a_value_or_an_error_of_ours(name: str, answer: tuple[int, Any, bytes]):
    status, headers, body = answer
    raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]

    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=raw, stream=httpx.ByteStream(body))

    script = Script(respond)
    errors: list[BaseException] = []
    try:
        run(CALLS[name](script.project()))
    except (QarunError, BaseExceptionGroup) as error:
        errors = leaves(error)
    for leaf in errors:
        assert isinstance(leaf, QarunError), repr(leaf)
        assert len(leaf.message) < 4_000
        assert leaf.message.isprintable()
        assert TOKEN not in leaf.message + leaf.hint
    assert sum(script.pauses) <= 600


def test_pages_without_end_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs_as_code.provider.directory.MAX_ENTRIES", 5_000)
    numbers = iter(range(1, 10_000_000))

    def page(_request: httpx.Request) -> httpx.Response:
        folders = [{"id": next(numbers), "title": "F", "parentId": 0} for _ in range(1_000)]
        return ok({"data": folders, "total": 10**9})

    script = Script(page)
    needed = NamesNeeded(folders=True)
    with pytest.raises((BadResponseError, BaseExceptionGroup)) as caught:
        run(script.project().load_catalog(needed, Listing(())))
    assert "more than 5000 entries" in str([leaf.args for leaf in leaves(caught.value)])
    assert len(script.requests) < 10
