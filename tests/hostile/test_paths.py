"""Links, pipes, devices and folders in place of files: nothing hangs, nothing else is written."""

import os
import sys
import time
from pathlib import Path

import pytest
from cli.support import ONE, TWO, Ended, call, run, titles, write

from runs_as_code.cli import writing
from runs_as_code.engine import places
from runs_as_code.engine.connecting import folder_of
from runs_as_code.errors import QarunError
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


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as one of devices: a test must not be able to break the real one."""
    folder = tmp_path / "dev"
    folder.mkdir()
    monkeypatch.setattr(places, "DEVICES", frozenset({str(folder)}))
    return folder


@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_standard_output_is_written_to_and_not_replaced_where_it_is_a_file(
    mode: str, devices: Path, tmp_path: Path
):
    log = tmp_path / "log"
    log.write_text("before\n")
    link = devices / "stdout"
    with log.open(mode) as stream:
        stream.write(b"text\n")
        stream.flush()
        link.symlink_to(f"/proc/self/fd/{stream.fileno()}")
        for path in (link, Path(f"/dev/fd/{stream.fileno()}"), devices / ".." / "dev" / "stdout"):
            writing.write_file(path, "plan\n")
        stream.write(b"more\n")
    assert link.is_symlink()
    began = {"wb": "", "ab": "before\n"}[mode]
    assert log.read_text() == f"{began}text\nplan\nplan\nplan\nmore\n"
    assert [path.name for path in devices.iterdir()] == ["stdout"]


def test_nothing_is_made_or_replaced_among_devices(devices: Path, tmp_path: Path):
    (devices / "file").write_text("before\n")
    (devices / "link").symlink_to(tmp_path / "target")
    (devices / "circle").symlink_to("circle")
    (tmp_path / "target").write_text("before\n")
    for name in ("file", "link"):
        writing.write_file(devices / name, "plan\n")
    assert (devices / "link").is_symlink()
    assert (tmp_path / "target").read_text() == (devices / "file").read_text() == "before\nplan\n"
    for name in ("new", "circle"):
        with pytest.raises(QarunError):
            writing.write_file(devices / name, "plan\n")
    assert not (devices / "new").exists()


@pytest.mark.parametrize("number", ["999999", "9" * 40, "one"])
def test_an_open_file_that_there_is_not_is_said(number: str, place: Path):
    ended = plan(place, "--out", f"/dev/fd/{number}")
    assert ended.code == 1
    assert "No such file" in ended.err


def test_an_open_file_that_is_only_read_is_said(place: Path):
    with (place / "outside" / "precious").open() as stream:
        assert plan(place, "--out", f"/proc/self/fd/{stream.fileno()}").code == 1


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
    found = [Path(one.file).stem for one in read_manifests([given]).left_out]
    assert found == ["b", "c", "d"]


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


def piped(text: str) -> str:
    """Return the name of a pipe that holds a text, as a shell hands one over."""
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    return f"/dev/fd/{reader}"


def test_a_manifest_from_a_pipe_has_its_database_in_the_working_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    text = (place / "m.yaml").read_text("utf-8")
    for command in (["plan", "--out", "plan.json"], ["apply", "--auto-approve"], ["list"]):
        name = piped(text)
        assert call(*command, "-f", name).code == 0
        os.close(int(name.rpartition("/")[2]))
    assert "Smoke of the week" in titles(place / ".qarun" / "embedded.db")


def test_a_saved_plan_of_a_pipe_finds_the_same_database(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    name = piped((place / "m.yaml").read_text("utf-8"))
    assert call("plan", "-f", name, "--out", "plan.json").code == 0
    os.close(int(name.rpartition("/")[2]))
    assert call("apply", "plan.json", "--auto-approve").code == 0
    assert "Smoke of the week" in titles(place / ".qarun" / "embedded.db")


@pytest.mark.parametrize(
    ("first", "folder"),
    [
        (None, "."),
        ("m.yaml", "."),
        ("qa/m.yaml", "qa"),
        ("qa/gone.yaml", "qa"),
        ("gone/m.yaml", "gone"),
        ("qa/pipe", "."),
        ("qa/link", "."),
        ("/dev/stdin", "."),
        ("/dev/fd/63", "."),
        ("/proc/self/fd/0", "."),
        ("qa/\0.yaml", "qa"),
    ],
)
def test_the_database_lies_beside_a_file_and_nothing_else(
    first: str | None, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "qa" / "m.yaml")
    os.mkfifo(tmp_path / "qa" / "pipe")
    (tmp_path / "qa" / "link").symlink_to("pipe")
    assert folder_of(first) == Path(folder)


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
