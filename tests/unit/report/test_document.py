import json
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from golden import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from unit.report.strategies import APPLY_REPORTS, PLANS

from runs_as_code.errors import ExitCode, StaleError, UsageError
from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.codec import MAX_INTEGER
from runs_as_code.report.document import (
    diagnostics_to_json,
    list_to_json,
    plan_from_json,
    plan_to_json,
    read_plan,
    report_to_json,
)
from runs_as_code.report.jsontext import MAX_BYTES, dump_json, parse_json
from runs_as_code.report.safe import is_unsafe
from runs_as_code.report.style import PLAIN
from runs_as_code.report.text import render_plan

SCHEMAS = Path(__file__).parents[3] / "schemas"
VERSION = "0.1.0"


def document(plan=samples.FULL):
    return plan_to_json(plan, digest=samples.DIGEST, tool_version=VERSION)


def schema(name):
    return json.loads((SCHEMAS / f"{name}.v1.schema.json").read_text("utf-8"))


def closed(part):
    """The schema with every object closed, so that nothing is written that it does not describe."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    result = {key: closed(value) for key, value in part.items()}
    if result.get("type") == "object":
        result["additionalProperties"] = False
    return result


def check(name, data):
    Draft202012Validator(closed(schema(name))).validate(json.loads(dump_json(data)))


# --- round trip


@pytest.mark.parametrize(
    "plan",
    [samples.FULL, samples.EMPTY, samples.NOTHING, samples.REFUSED, samples.SEVERAL, samples.QUIET],
)
def test_a_plan_read_back_is_the_plan_and_renders_the_same(plan):
    read, digest = read_plan(dump_json(document(plan)).encode())
    assert read == plan
    assert digest == samples.DIGEST
    texts = [render_plan(p, digest=digest, style=PLAIN, verbose=True) for p in (plan, read)]
    assert texts[0] == texts[1]
    assert plan_digest(read) == plan_digest(plan)


def test_what_people_see_of_a_plan_can_not_be_edited_either():
    data = json.loads(dump_json(document()))
    read_plan(json.dumps(data).encode())  # laid out anew by another tool it is the same plan
    data["projects"][0]["changes"][0]["title"] += " and more"
    assert plan_digest(plan_from_json(data)[0]) == plan_digest(samples.FULL)
    with pytest.raises(UsageError, match="edited after it was saved"):
        read_plan(json.dumps(data).encode())


@given(PLANS)
@settings(max_examples=50)
def test_any_plan_survives_the_round_trip(plan):
    text = dump_json(document(plan))
    assert read_plan(text.encode())[0] == plan
    assert not [char for char in text if char != "\n" and is_unsafe(char)]


def test_the_same_plan_gives_the_same_bytes():
    first = dump_json(document())
    again, _ = read_plan(first.encode())
    assert dump_json(document(again)) == first
    assert first.endswith("}\n")
    assert "\r" not in first


def test_unknown_keys_and_newer_minor_versions_are_read():
    data = document()
    data |= {"formatVersion": "1.7", "future": {"deep": [1.5]}}
    data["projects"][0]["changes"][0] |= {"colour": "blue"}
    assert plan_from_json(data)[0] == samples.FULL


def test_derived_values_are_written_but_never_read():
    data = document()
    data["summary"] = {"changes": False}
    data["cost"]["seconds"] = 99
    for change in data["projects"][0]["changes"]:
        change["isWithheld"] = False
    assert plan_from_json(data)[0] == samples.FULL


# --- what is no plan, or no plan for us


@pytest.mark.parametrize(
    "data",
    [None, 3, "plan", [], [{}], {}, {"kind": "qarun.report"}, {"kind": ["qarun.plan"]}],
)
def test_what_is_no_plan_is_wrong_use(data):
    with pytest.raises(UsageError, match="no plan") as caught:
        plan_from_json(data)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_another_major_version_is_stale(version):
    with pytest.raises(StaleError, match=f"format version `{version}`") as caught:
        plan_from_json(document() | {"formatVersion": version, "projects": "anything"})
    assert caught.value.exit_code is ExitCode.STALE


@pytest.mark.parametrize(
    "version", [None, 1, 1.0, "1", "1.x", "", "1.0.0", "\u0661.0", "1." + "9" * 9]
)
def test_a_broken_version_is_said(version):
    with pytest.raises(UsageError, match=r"\$\.formatVersion"):
        plan_from_json(document() | {"formatVersion": version})


BROKEN = [
    (("digest",), "sha256:abc", "$.digest"),
    (("digest",), None, "$.digest"),
    (("createdAt",), 5, "$.createdAt`: expected a string, found a number"),
    (("projects",), {}, "$.projects`: expected an array, found an object"),
    (("projects", 0), None, "$.projects[0]`: expected an object, found null"),
    (("projects", 0, "server"), True, "$.projects[0].server`: expected a string, found true"),
    (("cost", "reads"), "1", "$.cost.reads`: expected an integer, found a string"),
    (("cost", "reads"), True, "$.cost.reads`: expected an integer, found true"),
    (("cost", "reads"), 1.0, "$.cost.reads`: expected an integer, found a number"),
    (("cost", "reads"), MAX_INTEGER + 1, "$.cost.reads`: expected an integer of at most 64 bits"),
    (("projects", 0, "changes", 1, "actions", 0, "kind"), "drop", ".actions[0].kind`: expected"),
    (("projects", 0, "changes", 1, "actions", 0, "kind"), ["make"], ".actions[0].kind`: expected"),
    (("projects", 0, "changes", 0, "outcome"), "explode", ".changes[0].outcome`: expected one of"),
    (("projects", 0, "changes", 0, "outcome"), {}, ".changes[0].outcome`: expected one of"),
    (("projects", 0, "changes", 0, "title"), "\ud800", ".title`: expected text, found half"),
    (("projects", 0, "changes", 0, "run", "counts", "all"), None, ".run.counts.all`: expected an"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), BROKEN)
def test_a_broken_plan_names_the_place(path, value, message):
    data = deepcopy(document())
    part = data
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(UsageError) as caught:
        plan_from_json(data)
    assert message in caught.value.message


def test_a_missing_key_names_the_place():
    data = document()
    del data["projects"][0]["changes"][1]["actions"][0]["marker"]
    with pytest.raises(UsageError, match=r"actions\[0\]\.marker`: expected a value, found nothing"):
        plan_from_json(data)


def test_an_older_plan_that_lacks_what_is_checked_today_is_stale():
    data = document() | {"formatVersion": "1.0"}
    assert plan_from_json(data)[0] == samples.FULL
    closes = [
        action
        for change in data["projects"][0]["changes"]
        for action in change["actions"]
        if action["kind"] == "close"
    ]
    del closes[0]["needsComplete"]
    with pytest.raises(StaleError, match=r"`1\.0`, which lacks .*needsComplete") as caught:
        plan_from_json(data)
    assert caught.value.exit_code is ExitCode.STALE


def test_an_unknown_value_of_a_newer_version_says_so():
    data = document() | {"formatVersion": "1.3"}
    data["projects"][0]["changes"][0]["reason"] = "full-moon"
    with pytest.raises(UsageError, match=r"made by a newer qarun \(format version `1\.3`\)"):
        plan_from_json(data)


# --- files that are no JSON


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON: .* at line 1, column 2"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1.5}', "no integer"),
        (b'{"a": NaN}', "no integer"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "can't be read"),
        (b"\x00\x01binary", "not JSON"),
    ],
)
def test_a_file_that_is_no_json_is_wrong_use(content, message):
    with pytest.raises(UsageError, match=message):
        read_plan(content)


def test_a_huge_file_is_refused_before_it_is_read():
    with pytest.raises(UsageError, match="larger than 128 MiB"):
        parse_json(bytes(MAX_BYTES + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(data, path=()):
    yield path
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*path, key))


PLACES = [path for path in places(document()) if path]


@given(st.sampled_from(PLACES), JSON | st.just("delete"))
@settings(max_examples=150)
def test_a_plan_with_anything_anywhere_is_read_or_refused_in_words(path, junk):
    data = deepcopy(document())
    part = data
    for step in path[:-1]:
        part = part[step]
    if junk == "delete":
        del part[path[-1]]
    else:
        part[path[-1]] = junk
    try:
        plan, digest = plan_from_json(data)
    except (UsageError, StaleError) as error:
        refusal = error.message
    else:
        refusal = ""
        assert render_plan(plan, digest=digest, style=PLAIN, show_unmanaged=True)
    assert not [char for char in refusal if is_unsafe(char)]


@given(st.binary(max_size=60) | JSON.map(lambda data: json.dumps(data).encode()))
def test_any_bytes_are_refused_in_words(content):
    with pytest.raises(UsageError):
        read_plan(content)


@given(st.data())
def test_a_plan_cut_off_or_overwritten_anywhere_never_crashes(data):
    content = bytearray(dump_json(document(samples.REFUSED)).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    with suppress(UsageError, StaleError):
        assert isinstance(read_plan(bytes(content)), tuple)


# --- schemas


@pytest.mark.parametrize("name", ["plan", "report", "list"])
def test_schemas_are_schemas_and_say_what_each_key_is(name):
    data = schema(name)
    Draft202012Validator.check_schema(data)
    assert data["$id"] == f"urn:qarun:schema:{name}:v1"
    silent = [
        key
        for part in [data, *data["$defs"].values()]
        for key, value in part.get("properties", {}).items()
        if not (value.get("title") and value.get("description"))
    ]
    assert silent == []


@given(PLANS)
@settings(max_examples=50)
def test_every_plan_keeps_to_its_schema(plan):
    data = json.loads(dump_json(document(plan)))
    errors = list(Draft202012Validator(closed(schema("plan"))).iter_errors(data))
    # Any integer is drawn, so only counts and revisions below their minimum may be refused.
    assert {error.validator for error in leaves(errors)} <= {"minimum"}


@given(APPLY_REPORTS)
@settings(max_examples=50)
def test_every_report_keeps_to_its_schema(report):
    data = json.loads(dump_json(report_to_json(report, tool_version=VERSION)))
    errors = list(Draft202012Validator(closed(schema("report"))).iter_errors(data))
    assert {error.validator for error in leaves(errors)} <= {"minimum"}


def leaves(errors):
    for error in errors:
        if not error.context:
            yield error
            continue
        # A branch of another kind is refused for its kind; the branch that was meant counts.
        branches = {}
        for part in error.context:
            branches.setdefault(part.schema_path[0], []).append(part)
        meant = [
            b for b in branches.values() if not any(p.validator in {"const", "type"} for p in b)
        ]
        for branch in meant or branches.values():
            yield from leaves(branch)


@pytest.mark.parametrize(
    "plan", [samples.FULL, samples.EMPTY, samples.NOTHING, samples.REFUSED, samples.SEVERAL]
)
def test_plans_are_valid(plan):
    check("plan", document(plan))


@pytest.mark.parametrize(
    "report",
    [samples.APPLIED, samples.FELL_SHORT, samples.INTERRUPTED, samples.NOTHING_APPLIED],
)
def test_reports_are_valid(report):
    check("report", report_to_json(report, tool_version=VERSION))


def test_lists_are_valid():
    check("list", list_to_json(samples.ROWS, tool_version=VERSION))
    check("list", list_to_json((), tool_version=VERSION))


def test_a_broken_document_is_refused_by_its_schema():
    data = document()
    del data["projects"][0]["changes"][1]["actions"][0]["marker"]
    assert not Draft202012Validator(schema("plan")).is_valid(json.loads(dump_json(data)))


# --- what pipelines look at


def test_summary_of_a_plan():
    summary = document()["summary"]
    assert summary["changes"] is True
    assert summary["withheld"] is True
    assert (summary["runsToMake"], summary["runsToClose"]) == (4, 4)
    assert document(samples.EMPTY)["summary"]["changes"] is False


def test_nothing_of_a_refused_project_counts_as_to_be_done():
    summary = document(samples.REFUSED)["summary"]
    assert (summary["runsToMake"], summary["runsToClose"], summary["refusals"]) == (0, 0, 1)


def test_report_has_run_and_url_by_key():
    data = report_to_json(samples.APPLIED, tool_version=VERSION)
    made = {
        row["key"]: (row["runId"], row["url"]) for row in data["results"] if row["kind"] == "make"
    }
    assert made["cart-smoke"] == (61, f"{samples.HOSTED}/project/BD/run/61")
    assert data["exitCode"] == 0


def test_list_has_key_run_and_url():
    row = list_to_json(samples.ROWS, tool_version=VERSION)["runs"][0]
    assert (row["key"], row["runId"], row["state"]) == ("checkout", 12, "open")
    assert row["url"].endswith("/run/12")


def test_diagnostics_say_whether_the_files_are_valid():
    data = diagnostics_to_json(samples.DIAGNOSTICS, tool_version=VERSION)
    assert data["summary"] == {"errors": 3, "warnings": 1, "isValid": False}
    assert diagnostics_to_json((), tool_version=VERSION)["summary"]["isValid"] is True
