"""What Markdown files say outside the stories: links, commands and manifests in them are right."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest
from cli.support import whole_program
from docs.stories import pieces
from markdown_it import MarkdownIt

from runs_as_code.cli.program import COMMANDS, program
from runs_as_code.manifest import read_manifests

ROOT = Path(__file__).parents[2]
FOLDERS = (".", "bench", "docs", "docs/decisions", "tests/scenarios")
FILES = sorted(
    {
        *(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md")),
        *(path for path in (ROOT / "examples").rglob("*.md") if ".qarun" not in path.parts),
    }
)
MANIFEST = re.compile(r"^apiVersion: qarun/v1$", re.MULTILINE)
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    tokens = MARKDOWN.parse(path.read_text("utf-8"))
    texts = [
        "".join(part.content for part in after.children or () if part.type != "html_inline")
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]
    found: dict[str, int] = {}
    for text in texts:
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return frozenset(
        slug if not count else f"{slug}-{count}"
        for slug, last in found.items()
        for count in range(last + 1)
    )


def links(path: Path) -> Iterator[str]:
    for token in MARKDOWN.parse(path.read_text("utf-8")):
        for part in token.children or ():
            link = part.attrs.get("href") or part.attrs.get("src")
            if link and not re.match(r"[a-z]+:", str(link)):
                yield str(link)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(path: Path):
    for link in links(path):
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"`{link}` leads nowhere"
        assert found.is_relative_to(ROOT), f"`{link}` leads out of the repository"
        if anchor:
            assert anchor in anchors(found), f"`{link}` names no heading"


def calls(text: str) -> Iterator[str]:
    """Return the calls of `qarun` in the blocks of a shell, without what follows a pipe."""
    for piece in pieces(text):
        if piece.language in {"sh", "bash", "console"}:
            lines = piece.text.replace("\\\n", " ").splitlines()
            for line in lines:
                if found := re.match(r"(?:\$ )?qarun ([^|;&>#]*[^|;&>#\s])", line):
                    yield found[1]


def parse(call: str) -> None:
    """Read a call as the program does, and run nothing; `…` and capitals stand for anything."""
    command, *arguments = shlex.split(call)
    assert command in {*COMMANDS, "--version", "--help", "--help-all"}, command
    if command in COMMANDS:
        found = program.get_command(whole_program(), command)
        assert found is not None
        context = click.Context(found, info_name=command, parent=whole_program())
        found.make_parser(context).parse_args(args=[each for each in arguments if each != "…"])


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_call_is_one_the_program_knows(path: Path):
    for call in calls(path.read_text("utf-8")):
        try:
            parse(call)
        except (click.UsageError, AssertionError) as error:
            pytest.fail(f"`qarun {call}`: {error}")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_manifest_is_valid(path: Path, tmp_path: Path):
    manifest = tmp_path / "manifest.yaml"
    for piece in pieces(path.read_text("utf-8")):
        if piece.language == "yaml" and MANIFEST.search(piece.text):
            manifest.write_text(piece.text, "utf-8")
            result = read_manifests([manifest])
            errors = [each for each in result.diagnostics if each.severity == "error"]
            assert errors == []


def test_the_checks_find_something():
    assert {"apply"} < {call.split()[0] for path in FILES for call in calls(path.read_text())}
    assert any("#" in link for path in FILES for link in links(path))
    with pytest.raises(click.UsageError):
        parse("plan --no-such-option")
    with pytest.raises(AssertionError):
        parse("destroy")


def test_the_first_commands_of_the_readme_are_scripts():
    first = next(piece for piece in pieces((ROOT / "README.md").read_text()) if piece.text)
    named = [line.split()[0] for line in first.text.splitlines()]
    assert named == ["script/demo", "script/test"]
    assert all((ROOT / each).is_file() for each in named)
