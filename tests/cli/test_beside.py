"""A file beside the given one that may declare runs keeps them from being pruned."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cli.support import HEAD, call, titles, write

PRUNING = f"{HEAD}prune: close\n"
RUNS = "runs:\n  {key}: {{title: {key}, type: live, queryPlans: [{{folders: [1]}}]}}\n"


def conflict(file: Path) -> None:
    """Leave the marks of a merge above the runs."""
    write(file, file.read_text("utf-8").replace("runs:", "<<<<<<< HEAD\nruns:"), head="")


def latin(file: Path) -> None:
    """Save it in another encoding."""
    file.write_bytes("# prüfen\n".encode("latin-1") + file.read_bytes())


def none(_file: Path) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize(
    ("harm", "given"),
    [(conflict, "m/a.yaml"), (latin, "m/a.yaml"), (none, "current.yaml")],
    ids=["conflict", "encoding", "link"],
)
def test_its_runs_are_not_pruned(
    tmp_path: Path, database: Path, harm: Callable[[Path], None], given: str
):
    folder = tmp_path / "m"
    for name, key in (("a.yaml", "one"), ("b.yaml", "two")):
        write(folder / name, RUNS.format(key=key), PRUNING)
    (tmp_path / "current.yaml").symlink_to("m/a.yaml")
    where = ("--auto-approve", "--database", database)
    assert call("apply", "-f", folder, *where).code == 0
    harm(folder / "b.yaml")

    ended = call("apply", "-f", tmp_path / given, *where)

    assert ended.code == 5
    assert "prune-partial" in ended.all
    assert "m/b.yaml" in ended.all
    assert sorted(titles(database)) == ["one", "two"]
