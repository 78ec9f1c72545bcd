"""Whatever a file holds, reading it never fails; what is right comes back as it was."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runs_as_code.manifest import read_manifests
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.scalars import resolve_plain
from runs_as_code.manifest.text import has_marker, quote
from runs_as_code.model.desired import Name, RunType, State
from runs_as_code.model.source import Diagnostic
from runs_as_code.model.text import clash_form

PIECES = st.one_of(
    st.sampled_from(
        ["a", "b: ", "- ", "'", '"', "[", "]", "{", "}", ",", "? ", ": ", "|", ">-", "# "]
    ),
    st.sampled_from(
        ["&a ", "*a", "<<: ", "!!str ", "!x ", "---", "...", "%YAML 1.2", "null", "1e9"]
    ),
    st.sampled_from(
        ["\n", "\n  ", "\n    ", "\t", "\r\n", "\x00", "\x85", "\u2028", "\ufeff", "é", "😀"]
    ),
    st.sampled_from(["apiVersion: qarun/v1\n", "project: BD\n", "owner: web\n", "runs:\n  k:\n"]),
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
BYTES = st.one_of(
    st.binary(),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: text.encode("utf-16", "surrogatepass")),
)


@pytest.fixture(scope="session")
def random_file(tmp_path_factory):
    return tmp_path_factory.mktemp("random") / "m.yaml"


@given(data=BYTES)
def test_any_bytes_are_a_manifest_or_an_error(random_file, data):
    random_file.write_bytes(data)

    result = read_manifests([random_file])

    errors = [diagnostic for diagnostic in result.diagnostics if diagnostic.severity == "error"]
    assert bool(errors) != bool(result.manifests)
    for diagnostic in result.diagnostics:
        assert isinstance(diagnostic, Diagnostic)
        assert diagnostic.location.file == str(random_file)
        assert diagnostic.location.line >= 1
        assert diagnostic.location.column >= 1
        assert diagnostic.message


# libyaml keeps to YAML 1.1, where three more characters are line breaks and fold into a space.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(CHARACTERS, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(CHARACTERS, max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(st.sampled_from("abc"), JSON, min_size=1),
    st.booleans(),
    st.sampled_from([None, 0, 2, "\t"]),
)
def test_json_is_loaded_as_it_is(data, is_ascii, indent):
    findings = Findings("m.yaml")

    root = load(json.dumps(data, ensure_ascii=is_ascii, indent=indent), findings)

    if root is None:
        # JSON may hold unescaped what YAML never does: C1 controls and non-characters.
        assert findings.has_errors
    else:
        assert root == data
        assert not findings.has_errors


@given(st.dictionaries(st.sampled_from("abc"), JSON, min_size=1), st.booleans())
def test_dumped_yaml_is_loaded_as_it_was(data, is_flow):
    text = yaml.safe_dump(data, default_flow_style=is_flow)
    findings = Findings("m.yaml")

    root = load(text, findings)

    assert root == data
    assert not findings.has_errors


WORDS = st.text(
    "abcdefghijklmnop ÄÖÜäöü'\"#:,[]{}&*!|>%@`-0123456789", min_size=1, max_size=40
).filter(
    # PyYAML writes `1e0` without quotes: in YAML 1.1 it is a text.
    lambda text: (
        text.strip() == text and not has_marker(text) and not isinstance(resolve_plain(text), float)
    )
)
REFERENCES = st.one_of(st.integers(1, 10**10 - 1), WORDS)
FILTERS = {
    "folders": st.lists(REFERENCES, min_size=1, max_size=3, unique=True),
    "tags": st.lists(REFERENCES, min_size=1, max_size=3, unique=True),
    "priorities": st.lists(
        st.sampled_from(["low", "medium", "high"]), min_size=1, max_size=3, unique=True
    ),
}
LIVE_PLANS = st.fixed_dictionaries(
    {"folders": FILTERS["folders"]}, optional={key: FILTERS[key] for key in ("tags", "priorities")}
)
STATIC_PLANS = st.fixed_dictionaries({"tcases": FILTERS["tags"]}, optional=FILTERS)
FIELDS = {
    "description": st.none() | WORDS,
    "milestone": st.none() | REFERENCES,
    "assignee": st.none() | st.integers(1, 99) | st.just("ann@example.com"),
    "replace": st.sampled_from(["auto", "never", "always", "r7"]),
    "onClosed": st.sampled_from(["leave", "recreate"]),
    "closeWhen": st.sampled_from(["never", "complete"]),
    "ignoreChanges": st.lists(st.sampled_from(["title", "assignee"]), unique=True),
    "state": st.sampled_from(["open", "closed", "unmanaged"]),
}
SELECTIONS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("live"), "queryPlans": st.lists(LIVE_PLANS, min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["static", "static_struct"]),
            "queryPlans": st.lists(STATIC_PLANS, min_size=1, max_size=1),
        }
    ),
    st.fixed_dictionaries({"cloneFrom": st.fixed_dictionaries({"run": st.integers(1, 99)})}),
)
RUNS = st.builds(
    lambda fields, selection: {**fields, **selection},
    st.fixed_dictionaries({"title": WORDS}, optional=FIELDS),
    SELECTIONS,
)
KEYS = st.text("abcXYZ0189._@=,[]-", min_size=1, max_size=64)


@given(
    runs=st.dictionaries(KEYS, RUNS, max_size=5),
    style=st.sampled_from(["json", "block", "flow"]),
)
def test_valid_manifests_have_no_error_and_come_back(random_file, runs, style):
    # Titles are unique in a project.
    by_title = {clash_form(run["title"]): key for key, run in runs.items()}
    runs = {key: run for key, run in runs.items() if by_title[clash_form(run["title"])] == key}
    data = {"apiVersion": "qarun/v1", "project": "BD", "owner": "web-team", "runs": runs}
    if style == "json":
        text = json.dumps(data, ensure_ascii=False)
    else:
        options = {"default_flow_style": style == "flow", "sort_keys": False}
        text = yaml.safe_dump(data, allow_unicode=True, **options)
    random_file.write_text(text, encoding="utf-8")

    result = read_manifests([random_file])

    assert [d for d in result.diagnostics if d.severity == "error"] == []
    (manifest,) = result.manifests
    assert {spec.key: as_written(spec) for spec in manifest.runs} == {
        key: as_meant(run) for key, run in runs.items()
    }


def as_written(spec):
    """A run's most important fields, as the manifest had them."""
    plans = [
        {
            name: [each.value if isinstance(each, Name) else each for each in getattr(plan, name)]
            for name in ("tcases", "folders", "tags", "priorities")
            if getattr(plan, name)
        }
        for plan in spec.query_plans
    ]
    return {
        "title": spec.title,
        "description": spec.description,
        "milestone": spec.milestone and spec.milestone.value,
        "assignee": spec.assignee and spec.assignee.value,
        "type": spec.type,
        "queryPlans": plans,
        "cloneFrom": spec.clone_from and {"run": spec.clone_from.run_id},
        "state": spec.state,
        "replace": f"r{spec.replace.revision}"
        if spec.replace.revision
        else spec.replace.mode.value,
        "ignoreChanges": sorted(spec.ignore_changes),
    }


def as_meant(run):
    defaults = {
        "description": None,
        "milestone": None,
        "assignee": None,
        "type": None,
        "queryPlans": [],
        "cloneFrom": None,
        "state": "open",
        "replace": "auto",
        "ignoreChanges": [],
    }
    kept = {key: value for key, value in run.items() if key not in {"onClosed", "closeWhen"}}
    meant = {**defaults, **kept}
    meant["ignoreChanges"] = sorted(meant["ignoreChanges"])
    meant["type"] = meant["type"] and RunType(meant["type"])
    meant["state"] = State(meant["state"])
    return meant


@given(st.text())
def test_a_quoted_text_is_short_and_printable(text):
    quoted = quote(text)

    assert quoted.isprintable() or not text.isprintable()
    assert len(quoted) <= 62 * 6
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in quoted)


@given(st.text("[]qarunQARUN:&#;amp9lt<b>/ \n"))
def test_looking_for_markers_ends(text):
    assert has_marker(text + "[qarun:")
    assert has_marker(text.replace("<", "").replace("&", "") + "<i>&#91;</i>QaR<b>un:")
