"""A manifest written to cost as much as possible ends soon and small, with a place and a rule."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runs_as_code.manifest import loading, read_manifests, source

ROOT = Path(__file__).resolve().parents[2]
HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\nserver: embedded\n"
RUN = "    title: T{n}\n    type: live\n    queryPlans: [{{folders: [1]}}]\n"
MAX_SECONDS = 12.0  # of processor time, on a machine that is busy and slow
MAX_MEGABYTES = 420

MEASURE = """\
import json, re, resource, sys, time
from pathlib import Path
from runs_as_code.manifest import read_manifests

def peak():
    # What `getrusage` says is inherited from the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

started = time.process_time()
read = read_manifests(sys.argv[1:])
json.dump({
    "seconds": time.process_time() - started,
    "megabytes": peak(),
    "rules": sorted({d.rule for d in read.diagnostics}),
    "size": sum(len(d.message) + len(d.hint) + len(d.expected) for d in read.diagnostics),
}, sys.stdout)
"""


def runs(number: int, lines: str = RUN) -> str:
    return "runs:\n" + "".join(f"  k{n}:\n{lines.format(n=n)}" for n in range(number))


def one(value: str) -> str:
    return f"runs:\n  k:\n    title: x\n    type: live\n    queryPlans: {value}\n"


BOMBS: dict[str, tuple[Callable[[], str], str]] = {
    "unknown keys": (
        lambda: "runs: {}\n" + "".join(f"u{n}: 1\n" for n in range(1_000_000)),
        "too-many-values",
    ),
    "fewer unknown keys": (
        lambda: "runs: {}\n" + "".join(f"u{n}: 1\n" for n in range(240_000)),
        "unknown-key",
    ),
    "items": (lambda: one("[{folders: [" + "1," * 15_000_000 + "]}]"), "too-many-values"),
    "wrong items": (lambda: one("[" + "1," * 240_000 + "]"), "wrong-type"),
    "runs": (
        lambda: "runs: {" + "".join(f"{n:x}: {{}}," for n in range(1_300_000)) + "}\n",
        "too-many-values",
    ),
    "a title aliased": (
        lambda: (
            f"runs:\n  k: {{title: &t '{'x' * 16_000}'}}\n"
            + "".join(f"  k{n}: {{title: *t}}\n" for n in range(100_000))
        ),
        "too-many-values",
    ),
    "a default for many": (
        lambda: f"defaults:\n  description: '{'x' * 16_000}'\n" + runs(20_000),
        "description-too-long",
    ),
    "a text of 10 MB": (lambda: one("x" * 10_000_000), "text-too-long"),
    "a key of 10 MB": (lambda: f"runs:\n  ? {'x' * 10_000_000}\n  : 1\n", "text-too-long"),
    "an alias of 10 MB": (lambda: f"runs: *{'x' * 10_000_000}\n", "unknown-alias"),
    "a tag of 10 MB": (lambda: f"runs: !{'x' * 10_000_000} x\n", "unknown-tag"),
    "tag directives": (
        lambda: (
            "".join(f"%TAG !e{n}! tag:example.com,2000:\n" for n in range(600_000)) + "--- {}\n"
        ),
        "yaml-syntax",
    ),
    "depth": (lambda: "runs: " + "[" * 10_000_000, "too-deep"),
    "open quotes": (lambda: 'runs: "' + "\\n" * 10_000_000, "yaml-syntax"),
    "a ring of clones": (
        lambda: (
            "runs:\n"
            + "".join(
                f"  k{n}: {{title: T{n}, cloneFrom: k{(n + 1) % 20_000}}}\n" for n in range(20_000)
            )
        ),
        "clone-cycle",
    ),
    "unknown sources": (lambda: runs(20_000, "    title: T{n}\n    cloneFrom: no{n}\n"), ""),
    "one title": (lambda: runs(20_000, RUN.replace("T{n}", "T")), "duplicate-title"),
    "merges": (
        lambda: (
            "x: &x {" + ",".join(f"k{n}: 1" for n in range(100_000)) + "}\n"
            "runs:\n  k: {<<: [" + "*x," * 1_000 + "]}\n"
        ),
        "too-many-values",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_soon_and_small(name: str, tmp_path: Path):
    make, rule = BOMBS[name]
    path = tmp_path / "m.yaml"
    text = make()
    path.write_text(text if text.startswith("%") else HEAD + text, "utf-8")
    command = [sys.executable, "-c", MEASURE, str(path)]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=90
    )
    measured = json.loads(ended.stdout)
    assert measured["rules"]
    assert rule in ("", *measured["rules"])
    assert measured["seconds"] < MAX_SECONDS
    assert measured["megabytes"] < MAX_MEGABYTES
    assert measured["size"] < 300_000


def test_a_hundred_thousand_ordinary_runs_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ordinary = (
        "    title: T{n}\n    description: What it is for.\n    type: live\n"
        "    milestone: Sprint 24\n    assignee: ann@example.com\n    queryPlans:\n"
        "      - folders: [Checkout, Cart/Discounts]\n        tags: [smoke]\n"
        "        priorities: [high]\n"
    )
    monkeypatch.setattr(loading, "MAX_VALUES", loading.MAX_VALUES // 100)
    monkeypatch.setattr(loading, "MAX_ITEMS", loading.MAX_ITEMS // 100)
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + runs(1_000, ordinary), "utf-8")
    (manifest,) = read_manifests([path]).manifests
    assert len(manifest.runs) == 1_000


def test_many_files_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs_as_code.manifest.read.MAX_TOTAL_BYTES", 1_000)
    assert source.MAX_BYTES < source.MAX_TOTAL_BYTES
    for number in range(10):
        text = HEAD.replace("web-team", f"team-{number}") + "runs: {}\n"
        (tmp_path / f"m{number}.yaml").write_text(text + "#" * 200, "utf-8")
    read = read_manifests([tmp_path])
    assert {d.rule for d in read.diagnostics} == {"file-too-large"}
    assert 0 < len(read.manifests) < 5
