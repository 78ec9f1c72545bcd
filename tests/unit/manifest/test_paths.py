"""Files and folders as they are given; what is said names them as they were given."""

import os
import sys
from pathlib import Path

import pytest

from runs_as_code.manifest import read_manifests, source

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: {owner}\n"


def manifest(owner="web-team", runs="{}", more=""):
    return HEAD.format(owner=owner) + more + f"runs: {runs}\n"


def closed(*keys):
    return "{" + ", ".join(f"{key}: {{state: closed}}" for key in keys) + "}"


def adopting(key, title, run_id=1):
    return (
        f"{{{key}: {{title: {title}, adopt: {{run: {run_id}}}, milestone: null, assignee: null}}}}"
    )


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def rules(result):
    return [diagnostic.rule for diagnostic in result.diagnostics]


def files(result):
    return [manifest.file for manifest in result.manifests]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("missing.yaml", "file-not-found"),
        ("missing/m.yaml", "file-not-found"),
        ("m.yaml/deeper.yaml", "file-unreadable"),
        ("nul\0.yaml", "file-unreadable"),
        ("nul\0/m.yaml", "file-unreadable"),
        ("x" * 5000, "file-unreadable"),
        ("empty", "folder-without-manifests"),
    ],
)
def test_a_path_that_gives_nothing_is_one_error(path, rule):
    write("m.yaml", manifest())
    Path("empty").mkdir()

    result = read_manifests(["m.yaml", path])

    assert rules(result) == [rule]
    assert result.diagnostics[0].location.file == path
    assert files(result) == ["m.yaml"]


def test_a_file_without_permission_is_one_error(monkeypatch):
    write("m.yaml", manifest())
    real_open = open

    def refuse(path, *arguments, **options):
        if path == "m.yaml":
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)

    (diagnostic,) = read_manifests(["m.yaml"]).diagnostics

    assert diagnostic.rule == "file-unreadable"
    assert "Permission denied" in diagnostic.message


def test_a_folder_without_permission_is_one_error(monkeypatch):
    Path("f").mkdir()

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)

    assert rules(read_manifests(["f"])) == ["file-unreadable"]


def test_a_folder_means_its_manifests(tmp_path):
    for name in ("b.yaml", "a.yml", "C.YAML", ".hidden.yaml", "notes.txt", "m.yaml~"):
        write(f"f/{name}", manifest("owner-" + name[0].lower().replace(".", "x")))
    write("f/.qarun/x.yaml", "not read")
    write("f/inner/x.yaml", "not read")
    Path("f/folder.yaml").mkdir()

    assert files(read_manifests(["f"])) == ["f/C.YAML", "f/a.yml", "f/b.yaml"]
    assert files(read_manifests(["./f/"]))[0] == "./f/C.YAML"
    assert files(read_manifests([tmp_path / "f"]))[0] == str(tmp_path / "f" / "C.YAML")


def test_what_is_no_manifest_in_a_folder_is_an_error():
    write("f/a.yaml", manifest())
    write("f/compose.yaml", "services: {}\n")

    result = read_manifests(["f"])

    assert set(rules(result)) == {"missing-key", "unknown-key"}
    assert files(result) == ["f/a.yaml"]


def test_a_file_given_twice_counts_once():
    write("f/a.yaml", manifest(runs=closed("one")))
    Path("link.yaml").symlink_to("f/a.yaml")

    result = read_manifests(
        ["f/a.yaml", "./f/a.yaml", "f", "link.yaml", Path("f/a.yaml").resolve()]
    )

    assert files(result) == ["f/a.yaml"]
    assert result.diagnostics == ()


def test_files_keep_the_order_given_and_diagnostics_are_sorted():
    write("z.yaml", manifest("one", "1"))
    write("a.yaml", manifest("two", "1", "prune: x\n"))
    write("c.yaml", manifest("three"))
    write("b.yaml", manifest("four"))

    result = read_manifests(["z.yaml", "c.yaml", "missing", "a.yaml", "b.yaml"])

    assert [str(d.location) for d in result.diagnostics] == [
        "a.yaml:4:8", "a.yaml:5:7", "missing:1:1", "z.yaml:4:7",
    ]  # fmt: skip
    assert files(result) == ["c.yaml", "b.yaml"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(source, "MAX_BYTES", 1024 * 1024)
    text = manifest() + "#" * (1024 * 1024)
    write("m.yaml", text)
    write("fits.yaml", text[: 1024 * 1024])

    result = read_manifests(["m.yaml", "fits.yaml"])

    assert rules(result) == ["file-too-large"]
    assert "1 MiB" in result.diagnostics[0].message
    assert files(result) == ["fits.yaml"]


def test_ten_megabytes_of_anything_are_refused_with_a_place():
    write("m.yaml", "garbage of no meaning\n" * (10 * 1024 * 1024 // 22))

    (diagnostic,) = read_manifests(["m.yaml"]).diagnostics

    assert diagnostic.rule == "wrong-type"


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files on POSIX only")
def test_a_pipe_can_be_read_as_from_a_shell():
    reader, writer = os.pipe()
    os.write(writer, manifest().encode())
    os.close(writer)

    result = read_manifests([f"/dev/fd/{reader}"])
    os.close(reader)

    assert files(result) == [f"/dev/fd/{reader}"]


def test_the_same_key_in_two_files_names_both_places():
    write("a.yaml", manifest(runs=closed("one", "two")))
    write("b.yaml", manifest(runs=closed("two")))

    (diagnostic,) = read_manifests(["a.yaml", "b.yaml"]).diagnostics

    assert diagnostic.rule == "duplicate-run"
    assert str(diagnostic.location) == "b.yaml:4:8"
    assert "a.yaml:4:30" in diagnostic.message


@pytest.mark.parametrize(
    "other",
    [
        manifest("other-team", closed("one")),
        manifest(runs=closed("one")).replace("BD", "XY"),
        manifest(runs=closed("one"), more="server: embedded\n"),
    ],
)
def test_another_owner_project_or_server_may_use_the_key(other):
    write("a.yaml", manifest(runs=closed("one")))
    write("b.yaml", other)

    assert read_manifests(["a.yaml", "b.yaml"]).diagnostics == ()


def test_the_same_title_of_two_owners_names_both_places():
    write("a.yaml", manifest("one", adopting("x", "'Käse und  Brot'", 1)))
    write("b.yaml", manifest("two", adopting("y", '"KA\\u0308SE und brot "', 2)))
    write("c.yaml", manifest("two", adopting("z", "Käse und Brot", 3)).replace("BD", "XY"))

    (diagnostic,) = read_manifests(["a.yaml", "b.yaml", "c.yaml"]).diagnostics

    assert diagnostic.rule == "duplicate-title"
    assert diagnostic.location.file == "b.yaml"
    assert "a.yaml:4:8" in diagnostic.message


def test_server_addresses_and_codes_are_compared_without_case():
    more = "server: https://A.example.com/\n"
    write("a.yaml", manifest(runs=closed("one"), more=more))
    write("b.yaml", manifest(runs=closed("one"), more=more.lower().replace("/\n", "\n")))

    assert rules(read_manifests(["a.yaml", "b.yaml"])) == ["duplicate-run"]


def test_previous_keys_and_adopted_runs_are_seen_across_files():
    write("a.yaml", manifest(runs="{a: {state: closed, adopt: {run: 1}, previousKeys: [b, x]}}"))
    write("b.yaml", manifest(runs="{b: {state: closed, adopt: {run: 1}, previousKeys: [x, a]}}"))

    result = read_manifests(["a.yaml", "b.yaml"])

    assert rules(result) == [
        "bad-previous-key",
        "adopted-twice",
        "bad-previous-key",
        "bad-previous-key",
    ]


def test_a_file_with_errors_still_counts_for_the_others():
    write("a.yaml", manifest(runs=closed("one"), more="prune: x\n"))
    write("b.yaml", manifest(runs=closed("one")))

    assert set(rules(read_manifests(["a.yaml", "b.yaml"]))) == {"unknown-value", "duplicate-run"}


def test_two_files_without_project_do_not_clash():
    text = "apiVersion: qarun/v1\nowner: one\nruns: {a: {state: closed}}\n"
    write("a.yaml", text)
    write("b.yaml", text)

    assert rules(read_manifests(["a.yaml", "b.yaml"])) == ["missing-key", "missing-key"]
