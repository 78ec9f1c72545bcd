"""Stories in the documentation: what a page tells its reader to type is done, and compared.

A page, or a section of one, is a story: it begins in an empty folder with the demo project.

- A block with a title, ```` ```yaml title="runs.yaml" ````, is written to that file; a `diff` with
  a title changes the file: its ` ` and `-` lines must stand in it, once.
- In a `console` block each line after `$ ` is typed. The lines below it are what is shown; `...`
  alone on a line stands for any lines. `echo $?` shows how the last command ended, and must do so
  where that was not 0.
- A comment, `<!-- people: record 2 -->`, is what somebody does in the web page.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from click.testing import CliRunner
from scenarios.webpage import edit_run
from server.support import Api

from runs_as_code.cli.program import program
from runs_as_code.server import create_app, create_key

PIECE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[\w-]*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n"
    r"(?P<text>.*?)^(?P=fence)$|^<!-- people: (?P<people>.*?) -->$",
    re.DOTALL | re.MULTILINE,
)
SHELL = re.compile(r"[|<>;&$`]")
# What is another one each day or for each version of the program.
CHANGING = re.compile(
    r"sha256:[0-9a-f]{64}|\b20\d\d-\d\d-\d\d(?:T[\d:.]+Z)?|127\.0\.0\.1:\d+|in \d+\.\d\ds\b"
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
IS_UPDATING = "UPDATE_GOLDEN" in os.environ


@dataclass(frozen=True, slots=True)
class Piece:
    """A block or a comment of a page; `at` is where its text begins."""

    language: str
    title: str
    text: str
    at: int


def pieces(text: str) -> list[Piece]:
    """Return the blocks and comments of a text, in order."""
    return [
        Piece("people", "", found["people"], found.start())
        if found["people"] is not None
        else Piece(found["language"], found["title"] or "", found["text"], found.start("text"))
        for found in PIECE.finditer(text)
    ]


def sections(text: str) -> dict[str, str]:
    """Return the sections of a page that hold a `console` block, by heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {head: part for head, part in pairs if "```console" in part}


@dataclass(slots=True)
class Story:
    """A reader at work in one folder, on one database."""

    folder: Path
    database: Path
    code: int = 0
    digest: str = ""
    typed: list[str] = field(default_factory=list)

    def do(self, text: str) -> str:
        """Do everything a text says, in order; return it with what was said where none is shown."""
        done, at = "", 0
        for piece in pieces(text):
            if piece.language == "people":
                self._somebody(piece.text)
            elif piece.language == "console":
                done += text[at : piece.at] + self._type(piece.text)
                at = piece.at + len(piece.text)
            elif piece.language == "diff" and piece.title:
                change(self.folder / piece.title, piece.text)
            elif piece.title:
                path = self.folder / piece.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(piece.text, "utf-8")
        assert IS_UPDATING or self.code == 0, (
            f"`{self.typed[-1]}` ended with {self.code}, which is not shown"
        )
        return done + text[at:]

    def _type(self, text: str) -> str:
        """Type the commands of a block; with UPDATE_GOLDEN, return it with what they said."""
        done = ""
        for typed, shown in commands(text):
            command = " ".join(typed.replace("\\\n", " ").split())
            is_asked = command == "echo $?"
            assert is_asked or IS_UPDATING or self.code == 0, (
                f"`{self.typed[-1]}`: {self.code} is not shown"
            )
            self.typed.append(command)
            if is_asked:
                said, self.code = f"{self.code}\n", 0
            else:
                said = self._run(command)
            now = updated(shown, said) if IS_UPDATING else shown
            assert_shown(command, now, said)
            done += f"$ {DIGEST.sub(self.digest, typed) if IS_UPDATING else typed}\n{now}"
        return done

    def _run(self, command: str) -> str:
        command = DIGEST.sub(self.digest, command)
        if command.startswith("qarun ") and not SHELL.search(command):
            result = CliRunner(env=self._environ()).invoke(program, shlex.split(command)[1:])
            said, self.code = result.output, result.exit_code
        else:
            ended = subprocess.run(
                ["sh", "-c", command],
                cwd=self.folder,
                env={**os.environ, **self._environ()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=False,
            )
            said, self.code = ended.stdout, ended.returncode
        assert "Traceback" not in said, said
        self.digest = (DIGEST.findall(said) or [self.digest])[-1]
        return said

    def _environ(self) -> dict[str, str]:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return {"QARUN_DATABASE": str(self.database), "PATH": path}

    def _somebody(self, what: str) -> None:
        """Do what a person does: `verb run`, and what the verb needs."""
        verb, run, rest = (*what.split(" ", 2), "")[:3]
        app = create_app(self.database)
        try:
            with Api(app, create_key(self.database, "ann@example.com")) as api:
                if verb == "create":
                    api.make_run(plans=[{"folderIds": [int(run)]}], **yaml.safe_load(rest))
                elif verb == "record":
                    for case in list(api.members(int(run)))[: int(rest) if rest else None]:
                        api.result(int(run), case)
                elif verb == "close":
                    api.close_run(int(run))
                elif verb == "edit":
                    edit_run(app, int(run), yaml.safe_load(rest))
                else:
                    raise LookupError(what)
        finally:
            app.state.store.close()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Return each command of a block, as it is typed, with what the page shows below it."""
    head, *typed = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not head, f"a block begins with a command: {head!r}"
    for part in typed:
        lines = part.split("\n")
        count = 1 + next(i for i, line in enumerate(lines) if not line.endswith("\\"))
        yield "\n".join(lines[:count]), "\n".join(lines[count:])


def updated(shown: str, said: str) -> str:
    """Return what a page should show: what was said, unless it leaves out lines on purpose."""
    if "\n...\n" in f"\n{shown}" or agrees(shown, said):
        return shown
    blank = "\n" if shown.endswith("\n\n") else ""
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines()) + blank


def assert_shown(command: str, shown: str, said: str) -> None:
    """Compare what a page shows with what was said."""
    assert agrees(shown, said), f"`{command}` said:\n{said}\nthe page shows:\n{shown}"


def agrees(shown: str, said: str) -> bool:
    """Return whether two texts are the same but for trailing white space and what changes."""
    wanted, lines = (
        [CHANGING.sub("*", line.rstrip()) for line in text.strip("\n").split("\n")]
        for text in (shown, said)
    )
    return matches(wanted, lines)


def matches(wanted: list[str], lines: list[str]) -> bool:
    """Return whether lines are as wanted, where a line `...` stands for any number of them."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in wanted
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def change(path: Path, diff: str) -> None:
    """Change a file by a diff without line numbers."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        if not lines:
            continue
        before = "".join(line[1:] or "\n" for line in lines if line[0] in " -\n")
        after = "".join(line[1:] or "\n" for line in lines if line[0] in " +\n")
        text = path.read_text("utf-8")
        assert text.count(before) == 1, f"{path.name} holds {text.count(before)} times:\n{before}"
        path.write_text(text.replace(before, after), "utf-8")
