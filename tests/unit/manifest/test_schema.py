"""The schema, its compiled half and the checks say the same."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runs_as_code.manifest import SWITCHABLE, load_schema, read_manifests, schema
from runs_as_code.manifest.document import Document
from runs_as_code.manifest.explain import StrictValidator, explain
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.schema import (
    ANNOTATIONS,
    SAID_BY_CHECKS,
    SHAPE_KEYWORDS,
    check_shape,
    shape,
)
from runs_as_code.model.desired import DEFAULT_REPLACE_TITLE, Limits

SCHEMA = load_schema("manifest.v1")
FULL = Draft202012Validator(SCHEMA)
SHAPE = StrictValidator(shape())


def subschemas(node, path="#"):
    """Every schema with its path; conditions are left out, they are no descriptions."""
    if not isinstance(node, dict):
        return
    yield path, node
    for name in ("properties", "$defs"):
        for key, part in node.get(name, {}).items():
            yield from subschemas(part, f"{path}/{name}/{key}")
    for name in ("items", "additionalProperties"):
        yield from subschemas(node.get(name), f"{path}/{name}")


ALL = dict(subschemas(SCHEMA))


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"]


def test_every_keyword_is_known_to_the_checks():
    for path, part in ALL.items():
        assert set(part) <= SHAPE_KEYWORDS | ANNOTATIONS | SAID_BY_CHECKS | {"$schema"}, path


def test_objects_are_closed():
    for path, part in ALL.items():
        if "object" in part.get("type", ()):
            rest = part["additionalProperties"]
            assert rest is False or ("$ref" in rest and "properties" not in part), path


def test_properties_are_described():
    for path, part in ALL.items():
        if re.search(r"/properties/\w+$", path):
            target = ALL[part["$ref"]] if "$ref" in part else part
            merged = {**target, **part}
            assert merged.get("title"), path
            assert merged.get("description"), path


def test_defaults_are_those_of_the_model():
    limits = SCHEMA["properties"]["limits"]["properties"]
    assert SCHEMA["$defs"]["replaceTitle"]["default"] == DEFAULT_REPLACE_TITLE
    assert Limits(limits["close"]["default"], limits["percent"]["default"]) == Limits()


def test_rules_that_can_be_switched_off_are_listed():
    items = SCHEMA["properties"]["lint"]["properties"]["disable"]["items"]

    assert items["enum"] == list(SWITCHABLE)


@pytest.mark.parametrize("path", [path for path, part in ALL.items() if "examples" in part])
def test_documented_examples_are_valid(path):
    part = ALL[path]
    validator = (
        FULL.evolve(schema={key: value for key, value in part.items() if key[0] != "$"})
        if path == "#"
        else FULL.evolve(schema=part)
    )
    for each in part["examples"]:
        assert list(validator.iter_errors(each)) == []


def test_the_example_manifest_is_read_without_a_word(read):
    for each in SCHEMA["examples"]:
        result = read(m=json.dumps(each))
        assert result.diagnostics == ()
        assert len(result.manifests[0].runs) == len(each["runs"])


def test_a_valid_file_costs_no_import_of_jsonschema(read):
    """It takes longer than reading a thousand runs."""
    read(m=json.dumps(SCHEMA["examples"][0]))
    program = (
        "import sys; from runs_as_code.manifest import read_manifests;"
        "assert not read_manifests(['m.yaml']).diagnostics;"
        "print({'jsonschema', 'difflib'} & set(sys.modules))"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout == "set()\n"


def test_an_unknown_schema_is_not_found():
    with pytest.raises(FileNotFoundError):
        load_schema("nothing")


def test_the_packaged_schema_is_preferred(monkeypatch, tmp_path):
    package = tmp_path / "runs_as_code"
    (package / "schemas").mkdir(parents=True)
    (package / "schemas" / "x.schema.json").write_text('{"title": "packaged"}', encoding="utf-8")
    monkeypatch.setattr(schema, "__file__", str(package / "manifest" / "schema.py"))

    assert load_schema("x") == {"title": "packaged"}


# --- random manifests, most of them nearly right

TEXTS = st.one_of(
    st.sampled_from(["", " ", "Checkout", "a/b", "/a", "yes", "BD-012", "ann@example.com", "k1"]),
    st.sampled_from(
        ["auto", "r2", "r0", "{title} {revision}", "{x}", "never", "complete", "title"]
    ),
    st.sampled_from(["live", "static", "open", "closed", "high", "keep", "embedded", "qarun/v1"]),
    st.sampled_from(["x" * 256, "x" * 513]),
)
SCALARS = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(-2, 10**11),
    st.sampled_from([0.0, 1.0, 1.5, -1.0, 1e12]),
)
JUNK = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.dictionaries(st.sampled_from(["run", "title", "x"]), SCALARS, max_size=2),
)


def value_of(part):
    """Values that fit a schema's shape, by and large."""
    part = {**part, **SCHEMA["$defs"][part["$ref"][8:]]} if "$ref" in part else part
    choices = [st.sampled_from(part["examples"])] if "examples" in part else []
    choices += [st.sampled_from(part["enum"])] if "enum" in part else []
    if "items" in part:
        choices.append(st.lists(value_of(part["items"]), max_size=2))
    if part.get("properties"):
        choices.append(object_of(part))
    return st.one_of(*choices, SCALARS) if choices else SCALARS


def object_of(part):
    known = {
        key: st.one_of(value_of(each), value_of(each), JUNK)
        for key, each in part["properties"].items()
    }
    right = {key: value_of(each) for key, each in part["properties"].items()}
    return st.one_of(
        st.fixed_dictionaries({}, optional=right),
        st.fixed_dictionaries({}, optional={**known, "unknown": SCALARS}),
    )


RUNS = object_of(SCHEMA["$defs"]["run"])
GOOD_RUN = {"title": "Sprint 24 checkout", "type": "live", "queryPlans": [{"folders": ["a"]}]}
NEARLY_RUNS = st.one_of(
    RUNS,
    RUNS.map(lambda run: {**GOOD_RUN, **run}),
    RUNS.map(lambda run: {**run, **GOOD_RUN}),
    st.sampled_from(sorted(SCHEMA["$defs"]["run"]["properties"])).flatmap(
        lambda key: value_of(SCHEMA["$defs"]["run"]["properties"][key]).map(
            lambda value: {**GOOD_RUN, key: value}
        )
    ),
)
HEAD = {"apiVersion": "qarun/v1", "project": "BD", "owner": "web-team"}
TOPS = {key: part for key, part in SCHEMA["properties"].items() if key != "runs"}
MANIFESTS = st.one_of(
    st.builds(
        lambda top, runs: {**HEAD, **top, "runs": runs},
        st.one_of(st.just({}), object_of({"properties": TOPS})),
        st.dictionaries(st.sampled_from(["k1", "k2", "bad key"]), NEARLY_RUNS, max_size=2),
    ),
    object_of({"properties": TOPS}),
)


def tree_of(data):
    root = load(json.dumps(data), Findings("m.yaml"))
    assert root == data
    return Document(root, Findings("m.yaml"))


@given(MANIFESTS)
@example({**HEAD, "runs": {}})
@example({**HEAD, "runs": {"a": None}})
@example({**HEAD, "runs": {"a": {**GOOD_RUN, "cloneFrom": {}}}})
@example({**HEAD, "limits": {"close": 1.0}, "runs": {"a": {**GOOD_RUN, "adopt": {"run": 1.5}}}})
def test_the_compiled_shape_accepts_what_jsonschema_accepts(data):
    if not data:
        return
    document = tree_of(data)

    check_shape(document)

    assert document.findings.has_errors == (not SHAPE.is_valid(data))


@given(MANIFESTS)
def test_every_refusal_is_explained(data):
    if not data:
        return
    findings = Findings("m.yaml")

    explain([("", tree_of(data).root, shape(), 0)], shape(), findings)

    assert findings.has_errors == (not SHAPE.is_valid(data))


@pytest.fixture(scope="session")
def random_file(tmp_path_factory):
    return tmp_path_factory.mktemp("random") / "m.yaml"


@given(data=MANIFESTS)
@example(data={**HEAD, "runs": {"a": {**GOOD_RUN, "type": "static", "protect": True}}})
def test_what_the_schema_refuses_is_an_error(random_file, data):
    """An editor that knows only the schema never shows red where `qarun` sees no error."""
    random_file.write_text(json.dumps(data), encoding="utf-8")

    result = read_manifests([random_file])

    if not FULL.is_valid(data):
        assert any(diagnostic.severity == "error" for diagnostic in result.diagnostics)
        assert result.manifests == ()
