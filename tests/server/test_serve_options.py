"""What `qarun serve` says before it serves: keys, warnings, refusals."""

import os
from pathlib import Path

import pytest
from cli.support import call, note_servers

from runs_as_code.server import ServerOptions


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerOptions]:
    return note_servers(monkeypatch)


@pytest.mark.usefixtures("served")
def test_an_empty_file_gets_keys_as_a_missing_one_does(tmp_path: Path):
    (tmp_path / "s.db").touch()
    arguments = ("serve", "--port", "0", "--database", tmp_path / "s.db")
    assert len(call(*arguments).out.splitlines()) == 6
    assert len(call(*arguments).out.splitlines()) == 1


@pytest.mark.usefixtures("served")
def test_a_key_is_made_on_request_for_a_new_database_too(tmp_path: Path):
    arguments = ("serve", "--port", "0", "--seed", "empty", "--database")
    ended = call(*arguments, tmp_path / "s.db", "--new-key", "owner@example.com")
    lines = ended.out.splitlines()[1:]
    assert [line.split()[1] for line in lines] == ["owner@example.com"] * 2
    assert len({line.split()[2] for line in lines}) == 2
    ended = call(*arguments, tmp_path / "t.db", "--new-key", "nobody@example.com")
    assert (ended.code, "`nobody@example.com`" in ended.err) == (1, True)


@pytest.mark.usefixtures("served")
def test_a_seed_that_is_not_used_is_named(tmp_path: Path):
    arguments = ("serve", "--port", "0", "--database", tmp_path / "s.db")
    assert "not used" not in call(*arguments, "--seed", "empty").err
    assert "is there already, so `--seed` is not used" in call(*arguments, "--seed", "demo").err
    assert "not used" not in call(*arguments).err


def test_what_the_service_lacks_is_said(served: list[ServerOptions], tmp_path: Path):
    given = ("serve", "--port", "0", "--database", tmp_path / "s.db")
    call(*given, "--without", "user-ids")
    call(*given, "--without", "audit-logs", "--without", "user-ids")
    call(*given)
    found = [(options.has_user_ids, options.has_audit_logs) for options in served]
    assert found == [(False, True), (False, False), (True, True)]


def test_an_empty_host_is_not_every_address(tmp_path: Path):
    ended = call("serve", "--host", "", "--port", "0", "--database", tmp_path / "s.db")
    assert ended.code == 1
    assert "`--host` is empty" in ended.err
    assert not (tmp_path / "s.db").exists()


@pytest.mark.parametrize("arguments", [(), ("--dump",)])
def test_nothing_is_looked_for_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / ".qarun").symlink_to("other")
    ended = call("serve", "--port", "0", *arguments)
    assert "is a link" in ended.err
    assert ended.code in (1, 64)
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("name", ["loop.db", "nowhere.db", "folder.db", "x" * 300, "pipe.db"])
@pytest.mark.parametrize("arguments", [(), ("--dump",)])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str, arguments: tuple[str, ...]):
    (tmp_path / "loop.db").symlink_to("loop.db")
    (tmp_path / "nowhere.db").symlink_to("outside/new.db")
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    ended = call("serve", "--port", "0", "--database", tmp_path / name, *arguments)
    assert ended.code == 1
    assert "internal error" not in ended.err
    assert not (tmp_path / "outside").exists()
