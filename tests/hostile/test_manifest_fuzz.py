"""Whatever bytes a manifest holds, reading it ends, says so in bounded words, and never raises."""

from pathlib import Path

import pytest
from hostile.texts import HOSTILE_TEXT, harm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs_as_code import __version__
from runs_as_code.manifest import read_manifests
from runs_as_code.manifest.findings import MAX_SHOWN
from runs_as_code.report.document import diagnostics_to_json
from runs_as_code.report.findings import render_diagnostics
from runs_as_code.report.jsontext import dump_json
from runs_as_code.report.style import PLAIN

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\nserver: embedded\n"
# Words of the format in wrong places find more than noise does.
TOKENS = st.one_of(
    st.sampled_from(
        (
            "apiVersion: qarun/v1\n",
            "project: BD\n",
            "owner: web-team\n",
            "server: ",
            "defaults:\n  ",
            "runs:\n  ",
            "k: ",
            "title: ",
            "description: ",
            "type: live\n    ",
            "queryPlans: [{folders: [",
            "]}]\n    ",
            "cloneFrom: k\n    ",
            "adopt: {run: ",
            "previousKeys: [",
            "replaceTitle: '{revision}'\n    ",
            "users: {",
            "limits: {close: ",
        )
    ),
    st.sampled_from(
        ("&a ", "*a ", "<<: ", "<<: *a\n", "!!str ", "!!int ", "!x ", "%TAG ! tag:x,1:\n", "? ")
    ),
    st.sampled_from(("\n", "\n  ", "\n    ", "\t", "\r", "\r\n", "'", '"', "|\n", ">-\n", "# ")),
    st.sampled_from(("[", "]", "{", "}", ",", ":", "-", "- ", "---\n", "...\n", "\ufeff", "\x00")),
    st.sampled_from((r'"\ud800"', r'"\x1b"', r'"\0"', "1e999", "-0", "0x1F", "9" * 400, "null")),
    HOSTILE_TEXT,
)
TEXTS = st.lists(TOKENS, max_size=40).map("".join)
FILES = st.one_of(
    st.binary(max_size=200),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: (HEAD + text).encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: text.replace("\n", "\r\n").encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: text.encode("utf-16", "surrogatepass")),
    TEXTS.map(lambda text: text.encode("utf-32-le", "surrogatepass")),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "m.yaml"


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=FILES)
def test_any_bytes_are_a_manifest_or_bounded_harmless_words(file: Path, data: bytes):
    file.write_bytes(data)
    read = read_manifests([file])
    assert len(read.manifests) <= 1
    assert len(read.diagnostics) <= MAX_SHOWN + 1
    assert read.manifests or read.diagnostics
    text = render_diagnostics(read.diagnostics, PLAIN)
    document = dump_json(diagnostics_to_json(read.diagnostics, tool_version=__version__))
    assert len(document) < (MAX_SHOWN + 2) * 8_000
    assert harm(text) == []
    assert harm(document) == []


@settings(max_examples=150)
@given(title=HOSTILE_TEXT, description=HOSTILE_TEXT, key=HOSTILE_TEXT)
def test_hostile_values_in_a_proper_file(file: Path, title: str, description: str, key: str):
    run = {"title": title, "description": description, key: key, "milestone": title}
    lines = "".join(f"    {_yaml(name)}: {_yaml(value)}\n" for name, value in run.items())
    file.write_text(f"{HEAD}runs:\n  {_yaml(key)}:\n{lines}", "utf-8")
    read = read_manifests([file])
    assert harm(render_diagnostics(read.diagnostics, PLAIN)) == []


def _yaml(text: str) -> str:
    """Return a text in double quotes as YAML reads it back; half a character stays an escape."""
    plain = text.encode("utf-8", "backslashreplace").decode().replace("\\", "\\\\")
    plain = plain.replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'
