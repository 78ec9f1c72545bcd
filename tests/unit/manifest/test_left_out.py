"""What lies beside a given file and was not given: manifests, what may be one, and what is none."""

import os
from pathlib import Path

import pytest

from runs_as_code.manifest import read_manifests, source
from runs_as_code.model.desired import LeftOut

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: {owner}\n"
CONFLICT = "<<<<<<< HEAD\n  milestone: Sprint 23\n=======\n  milestone: Sprint 24\n>>>>>>> b\n"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
---
kind: ConfigMap
data:
  web.yaml: |
    apiVersion: qarun/v1
    owner: web-team
"""
OURS = (LeftOut("f/b.yaml", "web-team", "BD"),)
ALL = (LeftOut("f/b.yaml", "api-team", "BD"), *OURS)


def manifest(owner="web-team", runs="{}", more=""):
    return HEAD.format(owner=owner) + more + f"runs: {runs}\n"


def closed(*keys):
    return "{" + ", ".join(f"{key}: {{state: closed}}" for key in keys) + "}"


def write(path: str, content: str | bytes) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("f/a.yaml", manifest(runs=closed("one")))
    write("f/z.yaml", manifest("api-team", runs=closed("one")))


def left_out(*paths: str) -> tuple[LeftOut, ...]:
    """Read the files of two owners, or those given, and return what was left out."""
    result = read_manifests(paths or ("f/a.yaml", "f/z.yaml"))
    assert result.diagnostics == ()
    return result.left_out


def test_manifests_beside_a_given_file_are_found():
    write("f/same.yml", manifest(runs=closed("two")).replace("BD", "bd"))
    write("f/invalid.yaml", manifest(runs="3"))
    write("f/other-owner.yaml", manifest("other"))
    write("f/other-project.yaml", manifest().replace("BD", "XY"))
    write("f/reversed.yaml", "runs: {}\n" + manifest(runs="").replace("runs: \n", ""))
    write("f/inner/same.yaml", manifest())

    found = left_out("f/a.yaml")

    assert found == (
        LeftOut("f/invalid.yaml", "web-team", "BD"),
        LeftOut("f/other-project.yaml", "web-team", "XY"),
        LeftOut("f/reversed.yaml", "web-team", "BD"),
        LeftOut("f/same.yml", "web-team", "bd"),
    )
    given = [f"f/{name}" for name in ("a.yaml", *(left.file[2:] for left in found))]
    assert read_manifests(given).left_out == ()


def test_a_folder_leaves_nothing_out():
    assert left_out("f") == ()
    assert left_out("f/a.yaml", "f") == ()


def test_a_file_in_this_folder_has_its_neighbours_too(monkeypatch: pytest.MonkeyPatch):
    write("f/b.yaml", manifest(runs=closed("two")))
    monkeypatch.chdir("f")

    assert left_out("a.yaml") == (LeftOut("b.yaml", "web-team", "BD"),)


@pytest.mark.parametrize(
    "content",
    [
        manifest(runs=closed("two"), more=f"defaults:\n{CONFLICT}"),
        manifest(runs=closed("two"), more="defaults:\n\tmilestone: Sprint 23\n"),
        manifest(more='defaults: {description: "Prüf"}\n').encode("latin-1"),
        manifest().encode("utf-16"),
        manifest().encode("utf-16-le"),
        manifest(more='defaults: {description: "\a"}\n')[:-9] + "\n",
        manifest().replace("owner: web", "owner: [web"),
        manifest().replace("apiVersion: qarun/v1\n", ""),
        manifest().replace("apiVersion: qarun/v1", "apiVersion: qarn/v1"),
        manifest().replace("apiVersion: qarun/v1\n", f"{CONFLICT}\n"),
        manifest("other") + "---\n" + manifest(),
        manifest("other") + "owner: web-team\n",
        "owner: web-team: [\n",
        '{"apiVersion": "qarun\\/v1", "owner": "web-team", "project": "BD", "runs": {"two":',
        manifest("web\\x2dteam").replace("web\\x2dteam", '"web\\x2dteam"'),
    ],
    ids=[
        *("conflict", "tab", "latin-1", "utf-16", "utf-16-without-mark", "control"),
        *("bracket", "no-version", "other-version", "version-in-conflict", "second-document"),
        *("owner-twice", "owner-only", "json-cut-off", "escaped"),
    ],
)
def test_a_broken_manifest_counts_for_its_owner(content: str | bytes):
    write("f/b.yaml", content)

    assert set(OURS) <= set(left_out())


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n",
        "\0",
        b"\0GITCRYPT\0\x05\x1e\x8f\x01",
        manifest().replace("owner: web-team\n", ""),
        manifest().replace("web-team", "3"),
        manifest(more="defaults: [").replace("owner: web-team\n", ""),
        manifest(more="defaults: [").replace("owner: web-team", "owner: *team"),
        "apiVersion: qarun/v1\nproject: BD\nown",
        "runs: {",
        "runs:\n  two: {title: Two, type: live}\n",
    ],
    ids=[
        *("cut-off", "blank", "nul", "encrypted", "no-owner", "owner-is-a-number"),
        *("broken-without-owner", "broken-with-alias", "cut-off-in-owner"),
        *("only-broken-runs", "only-runs"),
    ],
)
def test_what_does_not_say_whose_it_is_counts_for_every_owner(content: str | bytes):
    write("f/b.yaml", content)

    assert left_out() == ALL


def test_what_does_not_say_its_project_counts_for_each_given_one():
    write("g/a.yaml", manifest(runs=closed("one")).replace("BD", "XY"))
    write("f/b.yaml", manifest().replace("project: BD\n", ""))

    found = left_out("f/a.yaml", "f/z.yaml", "g/a.yaml")

    assert found == (*OURS, LeftOut("f/b.yaml", "web-team", "XY"))


@pytest.mark.parametrize(
    "content",
    [
        "owner: web-team\nproject: BD\n",
        "on: push\njobs:\n  qa:\n    steps:\n      - run: qarun apply -f qa/web.yaml # web-team\n",
        "spec:\n  inputs: {}\n---\nqa:\n  image: acme/qarun:1\n  variables: {OWNER: web-team}\n",
        "services:\n  qa: {image: qarun/qarun, labels: {owner: web-team}}\n",
        "{{ if .Values.qa }}\nkind: Job\nmetadata:\n  labels:\n    owner: web-team\n{{ end }}\n",
        CONFIG_MAP,
        "name: qarun\nruns:\n  using: composite\n  steps: [{run: qarun plan}]\n",
        "runs:\n  steps:\n    - run: [\n",
        "users: []\nprojects: [{code: BD, runs: [{title: web-team}]}]\n",
        "- hosts: web-team\n",
        "- hosts: web-team\n  vars: [\n",
        "# an empty file of qarun, to be filled by web-team\n",
        'labels: {owner: web-team, name: "Prüf qarun"}\n'.encode("latin-1"),
        "labels: {owner: web-team, name: qarun}\n".encode("utf-16"),
        manifest("other", more="defaults: [\n"),
        manifest("web-team2", more="defaults: [\n"),
    ],
    ids=[
        *("half", "github", "gitlab", "compose", "helm", "config-map", "action"),
        *(
            "broken-action",
            "seed",
            "ansible",
            "broken-ansible",
            "comment",
            "latin-1",
            "utf-16",
            "broken-of-another",
            "longer-owner",
        ),
    ],
)
def test_what_is_clearly_something_else_does_not_count(content: str | bytes):
    write("f/b.yaml", content)

    assert left_out() == ()


@pytest.mark.parametrize("target", ["nowhere", "b.yaml", "/dev/null", "pipe"])
def test_what_can_not_be_read_counts_for_every_owner(target: str):
    os.mkfifo("f/pipe")
    Path("f/b.yaml").symlink_to(target)

    assert left_out() == ALL


def test_what_vanishes_meanwhile_does_not_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "_yaml_files", lambda _folder: ["a.yaml", "b.yaml", "z.yaml"])

    assert left_out() == ()


def test_a_folder_that_can_not_be_listed_may_hold_anything(monkeypatch: pytest.MonkeyPatch):
    def scandir(_folder: str) -> None:
        raise PermissionError

    monkeypatch.setattr(source.os, "scandir", scandir)

    assert left_out("f/a.yaml") == (LeftOut("f", "web-team", "BD"),)


def test_a_file_named_by_a_link_has_two_folders():
    write("f/b.yaml", manifest(runs=closed("two")))
    write("links/c.yaml", manifest(runs=closed("three")))
    Path("links/current.yaml").symlink_to("../f/a.yaml")

    found = left_out("links/current.yaml")

    assert [left.file for left in found] == ["f/b.yaml", "links/c.yaml"]


def test_a_link_in_a_given_folder_leads_to_another():
    write("f/b.yaml", manifest(runs=closed("two")))
    Path("links").mkdir()
    Path("links/current.yaml").symlink_to("../f/a.yaml")

    assert left_out("links") == OURS


def test_a_folder_that_is_a_link_is_its_target():
    write("f/b.yaml", manifest(runs=closed("two")))
    Path("g").symlink_to("f")

    assert left_out("g/a.yaml") == (LeftOut("g/b.yaml", "web-team", "BD"),)


def test_links_between_files_of_one_folder_leave_nothing_out():
    Path("f/b.yaml").symlink_to("a.yaml")

    assert left_out() == ()
