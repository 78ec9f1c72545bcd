"""The frame around the commands: help, version, usage errors, how errors end a call."""

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli.support import call, run, start

from runs_as_code import __version__
from runs_as_code.cli import reading
from runs_as_code.cli.console import Console
from runs_as_code.cli.ending import end_of
from runs_as_code.cli.program import COMMANDS, program
from runs_as_code.errors import ExitCode, StaleError, UnreachableError, UsageError
from runs_as_code.report.applied import EXITS

NO_SPACE = "error: standard output can't be written to: No space left on device"


def test_the_help_lists_every_command_in_its_own_words():
    help_text = call("--help").out
    for name, words in COMMANDS.items():
        module = importlib.import_module(f"runs_as_code.cli.{name.replace('-', '_')}")
        assert module.command.name == name
        assert module.command.get_short_help_str(200) == words
        assert f"  {name}" in help_text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_explains_itself(name: str):
    ended = call(name, "--help")
    assert ended.code == 0
    command = program.get_command(click.Context(program), name)
    assert command is not None
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "plan"]])
def test_the_version_is_the_same_with_and_without_click(arguments: list[str]):
    ended = run(*arguments)
    assert (ended.code, ended.out, ended.err) == (0, f"qarun {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a command is missing"),
        (["plam"], "no command `plam`; did you mean `plan`?"),
        (["xyzzy"], "no command `xyzzy`\n"),
        (["--bad"], "no such option '--bad'"),
        (["plan", "--bad"], "no such option '--bad'"),
        (["plan", "surplus"], "unexpected extra argument"),
        (["plan", "-f"], "requires an argument"),
        (["plan", "--rate", "many"], "'many'"),
        (["plan", "--approve-closes", "-1"], "-1"),
        (["plan", "--format", "xml"], "'xml'"),
        (["apply", "--expect-digest", "abc"], "64 hex digits"),
        (["show"], "missing argument 'PLAN.json'"),
        (["serve", "--port", "99999"], "99999"),
    ],
)
def test_wrong_use_ends_with_64(arguments: list[str], message: str):
    ended = call(*arguments)
    assert (ended.code, ended.out) == (64, "")
    assert ended.err.startswith("error: ")
    assert message in ended.err
    assert "hint: `qarun" in ended.err


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "list"])
def test_without_a_manifest_the_usage_is_explained(command: str):
    ended = call(command)
    assert ended.code == 64
    assert "no manifest given, and there is no `qarun.yaml` in this folder" in ended.err
    assert "hint: name a file or a folder: `-f PATH`" in ended.err


def test_the_table_of_exit_codes_is_complete():
    ended = call("exit-codes")
    assert ended.code == 0
    table = dict(line.split(maxsplit=1) for line in ended.out.splitlines())
    assert list(table) == [str(code.value) for code in ExitCode]
    assert all(table[str(code.value)].startswith(words) for code, words in EXITS.items())


def test_a_bug_is_an_internal_error_without_a_traceback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "read_manifests", lambda _paths: 1 // 0)
    ended = call("plan", "-f", "x.yaml")
    assert ended.code == 1
    assert "error: internal error: ZeroDivisionError: " in ended.err
    assert "hint: please report it, with what `--debug` adds to this" in ended.err


def test_debug_shows_the_traceback_of_a_bug(capsys: pytest.CaptureFixture[str]):
    code = end_of(ExceptionGroup("tasks", [ValueError("\x1b[31mbad")]), Console(is_debug=True))
    shown = capsys.readouterr().err
    assert code == 1
    assert "ExceptionGroup: tasks" in shown
    assert r"error: internal error: ValueError: \x1b[31mbad" in shown


def test_a_bug_that_holds_a_key_shows_none_of_those_found_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    work = tmp_path / "work"
    work.mkdir()
    (work / ".env").write_text("QAS_TOKEN=first-canary-0000\n")
    (tmp_path / ".qaspherecli").write_text("QAS_TOKEN=second-canary-0000\n")
    monkeypatch.chdir(work)
    environ = {"QAS_TOKEN": "third-canary-0000", "QARUN_NOTIFY_URL": "https://a.example/canary4"}
    said = f"first-canary-0000 second-canary-0000 {' '.join(environ.values())}"
    end_of(ValueError(said), Console(is_debug=True, environ=environ))
    shown = capsys.readouterr().err
    assert "internal error: ValueError: (secret) (secret) (secret) (secret)" in shown
    assert "canary" not in shown


def test_errors_come_out_of_their_groups_once(capsys: pytest.CaptureFixture[str]):
    same = [UnreachableError("no answer", hint="wait"), UnreachableError("no answer", hint="wait")]
    group = ExceptionGroup("a", [ExceptionGroup("b", same)])
    assert end_of(group, Console()) == ExitCode.UNREACHABLE
    assert capsys.readouterr().err == "error: no answer\nhint: wait\n"


def test_errors_of_several_kinds_have_no_common_code():
    group = ExceptionGroup("a", [StaleError("old"), UsageError("wrong")])
    assert end_of(group, Console()) == ExitCode.ERROR


def test_a_bug_among_errors_is_still_a_bug(capsys: pytest.CaptureFixture[str]):
    assert end_of(ExceptionGroup("a", [StaleError("old"), KeyError("k")]), Console()) == 1
    assert "internal error: KeyError: 'k'" in capsys.readouterr().err


def test_a_keyboard_interrupt_outside_of_the_loop_ends_with_130(monkeypatch: pytest.MonkeyPatch):
    def interrupt(_paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "read_manifests", interrupt)
    assert call("plan", "-f", "x.yaml").code == 130


def test_a_reader_that_goes_away_is_no_error():
    with start("exit-codes") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.wait()
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("exit-codes >&-", "error: standard output is closed"),
        ("exit-codes >/dev/full", NO_SPACE),
        ("--version >/dev/full", NO_SPACE),
        ("plan --help >/dev/full", NO_SPACE),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")
def test_a_stdout_that_takes_nothing_is_an_error(redirection: str, message: str):
    line = f"exec {sys.executable} -m runs_as_code {redirection}"
    result = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_http_comes_without_a_command_line_of_its_own():
    code = (
        "import sys, runs_as_code.provider.client as c; print(c.httpx.get, 'rich' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("<function get ")
    assert ended.stdout.endswith(" False\n")
