"""Whatever a plan file holds, reading it gives a plan that can be shown, or one short sentence."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile.texts import HOSTILE_TEXT, harm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs_as_code import __version__
from runs_as_code.errors import StaleError, UsageError
from runs_as_code.model.plan import Plan
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report import jsontext
from runs_as_code.report.document import plan_from_json, plan_to_json, read_plan
from runs_as_code.report.jsontext import dump_json, parse_json
from runs_as_code.report.style import PLAIN
from runs_as_code.report.text import render_plan

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FULL = json.loads((GOLDEN / "plan-full.json").read_text("utf-8"))

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**62, 2**66),
    st.sampled_from([0, -1, 2**63 - 1, -(2**63), 1e5]),
    HOSTILE_TEXT,
    st.sampled_from(
        ["make", "close", "create", "replace-by-clone", "qarun.plan", "1.0", "", "::x"]
    ),
    st.just([]),
    st.just({}),
    st.lists(HOSTILE_TEXT, max_size=2),
)


def read(content: bytes) -> Plan | None:
    """Read a plan as the commands do; what is refused must be said in a few harmless words."""
    said = ""
    try:
        # Not `read_plan`: whoever edits a file can give it a checksum that fits.
        plan, _ = plan_from_json(parse_json(content))
    except (UsageError, StaleError) as error:
        said = error.message
    if said:
        assert len(said) < 500
        return None
    text = render_plan(plan, digest=plan_digest(plan), style=PLAIN, show_unmanaged=True)
    assert harm(text) == []
    written = dump_json(plan_to_json(plan, digest=plan_digest(plan), tool_version=__version__))
    assert harm(written) == []
    assert read_plan(written.encode()) == (plan, plan_digest(plan))
    return plan


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a document."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


PLACES = places(FULL)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES, st.booleans()), min_size=1, max_size=4))
def test_a_plan_that_was_tampered_with(changes: list[tuple[tuple[Any, ...], Any, bool]]):
    data = copy.deepcopy(FULL)
    for path, value, is_removed in changes:
        try:
            holder = data
            for step in path[:-1]:
                holder = holder[step]
            if is_removed:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    read(json.dumps(data).encode())


@settings(max_examples=200)
@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]), HOSTILE_TEXT)
def test_hostile_texts_in_a_plan(path: tuple[Any, ...], text: str):
    data = copy.deepcopy(FULL)
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    if not isinstance(holder[path[-1]], str):
        return
    holder[path[-1]] = text
    read(json.dumps(data).encode())


@settings(max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=300),
        HOSTILE_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")),
        HOSTILE_TEXT.map(lambda text: json.dumps({"kind": "qarun.plan", "x": text}).encode()),
        st.lists(st.sampled_from('[]{}",:0-.eE \\ntrue\x00\ufeff'), max_size=60).map(
            lambda pieces: "".join(pieces).encode()
        ),
    )
)
def test_any_bytes(content: bytes):
    read(content)


@settings(max_examples=100)
@given(st.integers(0, 40_000), st.integers(0, 40_000), st.binary(max_size=8))
def test_a_plan_with_a_hole(start: int, length: int, filling: bytes):
    content = (GOLDEN / "plan-full.json").read_bytes()
    read(content[:start] + filling + content[start + length :])


LARGE: dict[str, Callable[[], bytes]] = {
    "objects": lambda: b"[" + b"{}," * 5_000_000 + b"{}]",
    "lists": lambda: b"[" + b"[]," * 5_000_000 + b"[]]",
    "numbers": lambda: b"[" + b"0," * 15_000_000 + b"0]",
    "texts": lambda: b"[" + b'"ab",' * 13_000_000 + b'"ab"]',
    "members": lambda: b'{"a":1' + b',"a":1' * 13_000_000 + b"}",
    "depth": lambda: b"[" * 2_000_000,
    "depth of objects": lambda: b'{"a":' * 500_000,
    "a number": lambda: b"1" * 10_000_000,
    "a float": lambda: b"1." + b"1" * 10_000_000,
    "a text": lambda: b'"' + b"x" * 30_000_000 + b'"',
    "an open text": lambda: b'"' + b"\\u0000" * 3_000_000,
    "nothing": lambda: b" " * 30_000_000,
    "zeros": lambda: b"\0" * 30_000_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_a_huge_file_is_refused(name: str):
    assert read(LARGE[name]()) is None


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jsontext, "MAX_BYTES", 1_000)
    assert read(b" " * 1_001) is None
