"""What a terminal gets: the question, the bar, symbols; on a real pseudo-terminal and in pieces."""

import io
import os
import sys
from pathlib import Path

import pytest
from cli.support import TWO, rows, run, write

from runs_as_code.cli.console import Console
from runs_as_code.cli.progress import Progress, showing_progress
from runs_as_code.errors import ExitCode
from runs_as_code.model.actions import MakeRun
from runs_as_code.model.events import ActionFinished, ActionStarted, ApplyStarted
from runs_as_code.model.report import ActionResult, Status

MAKE = MakeRun("smoke", 1, "[marker]", "Smoke", "", "live")
RESULT = ActionResult("embedded", "BD", "web-team", MAKE, Status.DONE, run_id=1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_on_a_terminal_apply_asks_and_shows_a_bar(tmp_path: Path, database: Path):
    import pty  # noqa: PLC0415 -- Windows has none

    manifest = write(tmp_path / "m.yaml", TWO)
    environ = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "runs_as_code", "apply", "-f", str(manifest)]
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover -- the child becomes another program
        os.execve(sys.executable, command, environ)  # noqa: S606 -- our own program
    seen = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # what Linux says when the other side has gone
            break
        if not part:
            break
        was_asked = b"accepted" in seen
        seen += part
        if b"accepted" in seen and not was_asked:
            os.write(terminal, b"yes\n")
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = seen.decode()
    assert code == 0, text
    assert "\x1b[1mPlan: 2 to create\x1b[0m" in text
    assert "Apply these 2 actions to project BD on embedded?" in text
    assert "2/2" in text
    assert len(rows(database)) == 2


def test_stdout_that_is_not_utf8_gets_ascii_and_escapes(tmp_path: Path, database: Path):
    runs = TWO.replace("Menu review", "Menü ✓").replace("folders: [6]", "folders: [Nowhere]")
    manifest = write(tmp_path / "m.yaml", runs)
    ended = run("plan", "-f", manifest, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.code == 0
    assert ended.out.isascii()
    assert r"Men\xfc \u2713" in ended.out
    assert "\n#   review" in ended.out


def test_an_interruption_says_what_was_not_started():
    said: list[str | None] = []
    progress = Progress(Console(), lambda _event, line: said.append(line))
    progress.listener(ApplyStarted(5))
    progress.listener(ActionStarted(RESULT.server, RESULT.project, RESULT.owner, MAKE))
    progress.listener(ActionFinished(RESULT))
    # The same key of another owner, and on another server, is another action.
    progress.listener(ActionStarted(RESULT.server, RESULT.project, "other-team", MAKE))
    progress.listener(ActionStarted("https://qa.example.com", RESULT.project, RESULT.owner, MAKE))
    progress.stop(ExitCode.SIGTERM)
    assert progress.stop_signal.requested is ExitCode.SIGTERM
    assert said[-1] == "Interrupted: finishing what is under way; 2 actions not started"


def test_a_terminal_that_goes_away_does_not_stop_an_apply():
    def vanish(_event: object, _line: object) -> None:
        raise BrokenPipeError

    Progress(Console(), vanish).listener(ApplyStarted(3))


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with showing_progress(Console(environ={"TERM": "dumb"})) as progress:
        progress.listener(ApplyStarted(3))
    assert sys.stderr.getvalue() == "Applying 3 actions\n"


@pytest.mark.parametrize("closed", [None, "closed"])
def test_without_a_stderr_nothing_is_said_and_nothing_fails(closed, monkeypatch):
    stream = io.StringIO() if closed else None
    if stream:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    console = Console()
    console.warn("odd")
    console.fail("wrong", "do it right")
    assert not console.can_ask
    assert not console.message_style.is_colored


@pytest.mark.parametrize(
    ("value", "is_pipeline"),
    [("", False), ("0", False), ("false", False), ("1", True), ("x", True)],
)
def test_ci_says_whether_this_is_a_pipeline(value: str, *, is_pipeline: bool):
    assert Console(environ={"CI": value}).is_pipeline is is_pipeline
