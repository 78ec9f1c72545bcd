"""A saved plan of the embedded server is for the database it was made on, and for no other."""

import json
import shutil
from pathlib import Path

import pytest
from cli.support import HEAD, ONE, TWO, Ended, call, edit_plan, titles, write

from runs_as_code.planning.fingerprint import plan_digest
from runs_as_code.report.document import plan_from_json
from runs_as_code.server import ensure_database

PRUNING = f"{HEAD}prune: close\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_database: Path) -> Path:
    """A working folder whose `qa` holds a manifest, and a database with a run to be pruned."""
    monkeypatch.chdir(tmp_path)
    place(Path("qa"), demo_database)
    return tmp_path


def place(folder: Path, demo_database: Path) -> None:
    """Make a folder with two applied runs, of which only one is still declared."""
    (folder / ".qarun").mkdir(parents=True)
    shutil.copy(demo_database, folder / ".qarun" / "embedded.db")
    manifest = write(folder / "web.yaml", TWO, PRUNING)
    assert call("apply", "--auto-approve", "-f", manifest).code == 0
    write(manifest, ONE, PRUNING)


def database(folder: str = "qa") -> Path:
    return Path(folder) / ".qarun" / "embedded.db"


def save(*more: str | Path) -> None:
    assert call("plan", "-f", "qa", "--out", "plan.json", *more).code == 0


def edit(**values: object) -> None:
    """Edit the saved plan, and its checksum with it."""
    edit_plan(Path("plan.json"), **values)


def forge(**values: object) -> None:
    """Edit the saved plan, and its digest and checksum with it."""
    plan = json.loads(Path("plan.json").read_text("utf-8")) | values
    edit(**values, digest=plan_digest(plan_from_json(plan)[0]))


def is_refused(ended: Ended, code: int, words: str) -> bool:
    assert ended.code == code
    assert words in ended.err
    return len(titles(database())) == 2


def test_a_plan_finds_its_database_again(folder: Path):
    save()

    assert call("apply", "plan.json").code == 0
    assert titles(database()) == ["Smoke of the week"]


def test_a_copy_of_the_file_is_the_same_database(folder: Path):
    """As where one job plans, and another applies with what the first one left."""
    save()
    shutil.move("qa", "elsewhere")

    assert call("apply", "plan.json", "--database", database("elsewhere")).code == 0
    assert titles(database("elsewhere")) == ["Smoke of the week"]


def test_a_database_made_anew_in_its_place_is_another(folder: Path):
    save()
    database().rename("old.db")
    ensure_database(database())
    write(Path("qa/web.yaml"), TWO, PRUNING)
    assert call("apply", "--auto-approve", "-f", "qa").code == 0

    ended = call("apply", "plan.json")

    assert is_refused(ended, 6, "the plan was made on another database than `qa/.qarun")
    assert "nothing was written" in ended.err
    assert call("apply", "plan.json", "--database", "old.db").code == 0


def test_other_files_in_the_plan_lead_nowhere_else(folder: Path, demo_database: Path):
    shutil.copytree("qa", "b")
    save()
    edit(files=["b/web.yaml"])

    assert call("apply", "plan.json").code == 0
    assert len(titles(database("b"))) == 2
    assert len(titles(database())) == 1


@pytest.mark.parametrize("name", ["folder", "id"])
def test_an_edited_database_is_refused(folder: Path, name: str):
    shutil.copytree("qa", "b")
    save()
    found = json.loads(Path("plan.json").read_text("utf-8"))["database"]
    edit(database=found | {name: "b"})

    assert is_refused(call("apply", "plan.json"), 64, "its actions are not those of its digest")
    assert len(titles(database("b"))) == 2


def test_a_plan_that_says_no_database_is_refused(folder: Path):
    save()
    forge(database=None)

    ended = call("apply", "plan.json", "--database", database())

    assert is_refused(ended, 6, "the plan was made on another database")


@pytest.mark.parametrize("name", ["none", "x" * 300, "nul\0"])
def test_a_folder_that_can_not_be_is_refused(folder: Path, name: str):
    save()
    forge(database={"folder": name, "id": "x"})

    assert is_refused(call("apply", "plan.json"), 64, "is not here")


def test_a_named_database_has_to_be_named_again(folder: Path):
    save("--database", database())

    assert is_refused(call("apply", "plan.json"), 64, "that `--database` named")
    ended = call("apply", "plan.json", "--database", "none.db")
    assert is_refused(ended, 64, "its file `none.db` is not here")
    assert not Path("none.db").exists()
    assert call("apply", "plan.json", "--database", database()).code == 0


def test_an_expected_digest_is_of_one_database(folder: Path, demo_database: Path):
    save()
    digest = json.loads(Path("plan.json").read_text("utf-8"))["digest"]
    shutil.copytree("qa", "b")

    ended = call("apply", "--expect-digest", digest, "-f", "b")
    assert ended.code == 6
    assert len(titles(database("b"))) == 2
    assert call("apply", "--expect-digest", digest, "-f", "qa").code == 0


def test_a_plan_for_a_server_on_the_net_names_no_database(folder: Path, serve):
    address = serve()
    assert call("plan", "-f", "qa", "--server", address, "--out", "plan.json").code == 0
    assert json.loads(Path("plan.json").read_text("utf-8"))["database"] is None
