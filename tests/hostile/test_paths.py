"""Links, pipes, devices and folders in place of files: nothing hangs, nothing else is written."""

import os
import sys
import time
from pathlib import Path

import pytest
from cli.support import ONE, TWO, Ended, call, run, write

from runs_as_code.cli import writing
from runs_as_code.manifest import opening, read_manifests
from runs_as_code.server import DatabaseError, ensure_database

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture
def place(tmp_path: Path, database: Path) -> Path:
    """A folder with a manifest and everything that is no file."""
    write(tmp_path / "m.yaml")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("precious", "utf-8")
    return tmp_path


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "GRACE_STEPS", 3)
    monkeypatch.setattr(opening, "GRACE_STEP", 0.01)
    monkeypatch.setattr(opening, "SILENCE", 0.05)


def untouched(place: Path) -> bool:
    names = sorted(path.name for path in (place / "outside").iterdir())
    return names == ["precious"] and (place / "outside" / "precious").read_text() == "precious"


def plan(place: Path, *arguments: str | Path) -> Ended:
    ended = call("plan", "-f", place / "m.yaml", *arguments)
    assert "internal error" not in ended.err
    assert untouched(place)
    return ended


# --- what is written


@pytest.mark.parametrize("target", ["outside/precious", "outside/new"])
def test_a_link_is_replaced_and_not_followed(target: str, place: Path):
    link = place / "plan.json"
    link.symlink_to(target)
    assert plan(place, "--out", link).code == 0
    assert not link.is_symlink()
    assert call("show", link).code == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pipe", 1),
        ("folder", 64),
        ("folder/", 64),
        ("/dev/full", 1),
        ("x" * 300, 1),
        ("m.yaml/x", 64),
        ("nowhere/x", 64),
        ("x" * 300 + "/x", 64),
        ("loop/x", 64),
    ],
)
def test_what_can_not_be_written_to_is_said(name: str, code: int, place: Path):
    ended = plan(place, "--out", place / name)
    assert ended.code == code
    assert "error: " in ended.err


def test_a_link_in_a_circle_is_replaced(place: Path):
    assert plan(place, "--out", place / "loop").code == 0
    assert (place / "loop").is_file()


def test_a_link_to_a_pipe_or_device_is_replaced_unless_it_is_the_systems(place: Path):
    (place / "link").symlink_to("/dev/full")
    assert plan(place, "--out", place / "link").code == 0
    assert not (place / "link").is_symlink()
    ended = run("plan", "-f", place / "m.yaml", "--out", "/dev/stdout", "--format", "json")
    assert ended.code == 0
    assert ended.out.count('"kind": "qarun.plan"') == 2


def test_a_pipe_with_a_reader_gets_the_plan(place: Path):
    reader = os.open(place / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert plan(place, "--out", place / "pipe").code == 0
    assert b'"kind": "qarun.plan"' in os.read(reader, 1_000_000)
    os.close(reader)


@pytest.mark.parametrize("refused", [PermissionError(13, "Permission denied"), OSError(30, "RO")])
def test_a_folder_that_takes_no_file(
    refused: OSError, place: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(**_options: object) -> tuple[int, str]:
        raise refused

    # The tests may run as root, whom no mode of a folder stops.
    monkeypatch.setattr(writing.tempfile, "mkstemp", refuse)
    ended = plan(place, "--out", place / "plan.json")
    assert ended.code == 1
    assert str(refused.strerror) in ended.err


def test_nothing_is_left_behind_when_the_disk_is_full(place: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(path.name for path in place.iterdir())
    monkeypatch.setattr(writing.os, "fsync", fail)
    assert plan(place, "--out", place / "plan.json").code == 1
    assert sorted(path.name for path in place.iterdir()) == before


# --- what is read


@pytest.mark.parametrize("command", [["plan", "-f"], ["validate", "-f"], ["show"], ["apply"]])
@pytest.mark.parametrize(
    "name", ["pipe", "folder", "loop", "/dev/zero", "/dev/full", "/dev/tty", "x" * 300, "m.yaml/x"]
)
@pytest.mark.usefixtures("hasty")
def test_what_is_no_file_is_refused_at_once(command: list[str], name: str, place: Path):
    ended = call(*command, place / name)
    assert ended.code in (3, 64)
    assert "internal error" not in ended.err
    assert untouched(place)


@pytest.mark.usefixtures("hasty")
def test_a_pipe_whose_writer_says_nothing_more_is_given_up(place: Path):
    reader = os.open(place / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(place / "pipe", os.O_WRONLY)
    os.write(writer, b"apiVersion: ")
    os.close(reader)
    ended = call("validate", "-f", place / "pipe")
    os.close(writer)
    assert ended.code == 3
    assert "silent" in ended.out


def test_a_pipe_that_is_written_to_is_read_to_its_end(place: Path):
    text = (place / "m.yaml").read_bytes()
    reader, writer = os.pipe()
    if os.fork() == 0:  # pragma: no cover -- the child only writes
        os.close(reader)
        for start in range(0, len(text), 7):
            os.write(writer, text[start : start + 7])
        os._exit(0)
    os.close(writer)
    (manifest,) = read_manifests([f"/dev/fd/{reader}"]).manifests
    os.close(reader)
    os.wait()
    assert [spec.key for spec in manifest.runs] == ["smoke"]


@pytest.mark.usefixtures("hasty")
def test_pipes_and_links_in_a_folder_are_errors_of_their_own(place: Path):
    folder = place / "qa"
    write(folder / "a.yaml")
    os.mkfifo(folder / "b.yaml")
    (folder / "c.yaml").symlink_to("c.yaml")
    (folder / "d.yaml").symlink_to("nowhere")
    (folder / "e.yaml").symlink_to("/dev/zero")
    read = read_manifests([folder])
    wrong = {Path(d.location.file).stem for d in read.diagnostics if d.severity == "error"}
    assert wrong == {"b", "c", "d", "e"}


def test_a_link_in_a_circle_does_not_hide_a_forgotten_neighbour(place: Path):
    folder = place / "qa"
    given = write(folder / "a.yaml")
    write(folder / "b.yaml", TWO.replace("smoke:", "other:"))
    (folder / "c.yaml").symlink_to("c.yaml")
    os.mkfifo(folder / "d.yaml")
    assert [one.file for one in read_manifests([given]).left_out] == [str(folder / "b.yaml")]


def test_a_folder_of_ten_thousand_files(tmp_path: Path):
    head = (write(tmp_path / "m.yaml")).read_text("utf-8")
    folder = tmp_path / "qa"
    folder.mkdir()
    for number in range(10_000):
        text = head.replace("smoke:", f"k{number}:").replace("Smoke", f"Smoke {number}")
        (folder / f"{number}.yaml").write_text(text, "utf-8")
    started = time.process_time()
    assert len(read_manifests([folder / "0.yaml"]).left_out) == 9_999
    assert len(read_manifests([folder]).manifests) == 10_000
    assert time.process_time() - started < 30


# --- the embedded database


@pytest.mark.parametrize(
    "name", ["pipe", "folder", "loop", "/dev/full", "/dev/zero", "x" * 300, "m.yaml/x", "m.yaml"]
)
def test_a_database_that_is_none_is_refused(name: str, place: Path):
    before = (place / "m.yaml").read_text("utf-8")
    ended = plan(place, "--database", place / name)
    assert ended.code == 1
    assert (place / "m.yaml").read_text("utf-8") == before
    served = call("serve", "--port", "0", "--database", place / name)
    assert served.code == 1
    assert "internal error" not in served.err


def test_a_database_behind_a_link_that_leads_nowhere_is_not_made(place: Path):
    (place / "link.db").symlink_to("outside/new.db")
    assert plan(place, "--database", place / "link.db").code == 1
    with pytest.raises(DatabaseError):
        ensure_database(place / "link.db")
    assert untouched(place)


@pytest.mark.parametrize("part", [".qarun", ".qarun/embedded.db"])
@pytest.mark.parametrize("target", ["outside", "outside/new"])
def test_the_usual_database_is_not_looked_for_behind_a_link(part: str, target: str, place: Path):
    for path in (place / ".qarun/embedded.db", place / ".qarun"):
        path.unlink() if path.is_file() else path.rmdir()
    (place / part).parent.mkdir(exist_ok=True)
    (place / part).symlink_to(place / target)
    ended = plan(place)
    assert ended.code in (1, 64)
    assert "link" in ended.err
    assert call("apply", "-f", place / "m.yaml", "--auto-approve").code in (1, 64)
    assert untouched(place)


def test_a_database_that_is_a_link_by_choice_is_used(place: Path):
    (place / "link.db").symlink_to(place / ".qarun" / "embedded.db")
    assert plan(place, "--database", place / "link.db").code == 0


def test_paths_with_dots_are_what_they_say(place: Path):
    inner = place / "folder"
    write(inner / "m.yaml", ONE)
    ended = call("plan", "-f", inner / "m.yaml", "--out", inner / ".." / "plan.json")
    assert ended.code == 0
    assert (place / "plan.json").is_file()
    assert untouched(place)
