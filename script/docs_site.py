"""MkDocs hooks: files outside `docs/` that pages link to become pages, folders become navigation.

A link such as `../examples/01-quickstart/runs.yaml` works on a forge as it is. Here the file it
names goes into the site below `repository/` and the link is turned there: the site needs no
address of the repository, and a link that leads nowhere fails the strict build.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
EXAMPLES = ROOT / "examples"
OUTSIDE = "repository/"

LANGUAGES = {
    ".json": "json",
    ".py": "python",
    ".service": "ini",
    ".sh": "sh",
    ".timer": "ini",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    "Containerfile": "docker",
}
LEFT_BEHIND = frozenset({".qarun", "__pycache__", "plan.json"})
IMAGES = frozenset({".png", ".svg"})

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^(`{3,}).*?^\1`*$", re.DOTALL | re.MULTILINE)


class Links(Treeprocessor):
    """Turns the links of one page, before MkDocs resolves and checks them."""

    page = ""

    def run(self, root: Element) -> None:
        """Look at every link and image."""
        for element in root.iter():
            key = {"a": "href", "img": "src"}.get(element.tag, "")
            if link := element.get(key):
                element.set(key, turned(self.page, link))


class LinksExtension(Extension):
    """Brings `Links` into the Markdown of every page."""

    def __init__(self) -> None:
        super().__init__()
        self.links = Links()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 the name is Markdown's
        """Run ahead of MkDocs' own processor, which has priority 0."""
        md.treeprocessors.register(self.links, "outside", 1)


EXTENSION = LinksExtension()


def on_config(config: MkDocsConfig) -> None:
    """Bring in the links, and put the pages of a folder where the navigation names `folder/*`."""
    config.markdown_extensions.append(EXTENSION)  # type: ignore[arg-type]  # instances are fine
    config.nav = [_expanded(entry) for entry in config.nav or ()]


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Add what pages link to outside `docs/`, and what that links to in turn."""
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    for path in sorted(_outside(texts)):
        uri = site_uri(path)
        content = page_of(path) if uri.endswith(".md") else (ROOT / path).read_bytes()
        in_site = InclusionLevel.NOT_IN_NAV  # the navigation may name it, and need not
        files.append(File.generated(config, uri, content=content, inclusion=in_site))


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Remember whose links come next; let a search find guides before decisions."""
    EXTENSION.links.page = page.file.src_uri
    if page.file.src_uri.startswith("decisions/"):
        page.meta.setdefault("search", {"boost": 0.5})
    return markdown


def turned(page: str, link: str) -> str:
    """Return a link as the site has it; what leads out of the repository stays as it is."""
    path = target(page, link)
    if path is None:
        return link
    relative = posixpath.relpath(site_uri(path), posixpath.dirname(page) or ".")
    return urlsplit(link)._replace(path=relative).geturl()


def target(page: str, link: str) -> str | None:
    """Return the path in the repository that a link of a page means; of a folder, its README."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return None
    here = page.removeprefix(OUTSIDE) if page.startswith(OUTSIDE) else DOCS + page
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), unquote(parts.path)))
    if path.startswith(".."):
        return None
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def site_uri(path: str) -> str:
    """Return where the site has a file of the repository."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    is_as_it_is = path.endswith(".md") or posixpath.splitext(path)[1] in IMAGES
    return OUTSIDE + path + ("" if is_as_it_is else ".md")


def page_of(path: str) -> str:
    """Return the page of a file: Markdown with the files beside it listed, else one block."""
    file = ROOT / path
    text = file.read_text("utf-8")
    if file.suffix != ".md":
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
        language = LANGUAGES.get(file.suffix or file.name, "text")
        head = f"---\nsearch: {{exclude: true}}\n---\n# `{path}`\n"
        return f"{head}\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
    beside = [each.relative_to(file.parent).as_posix() for each in _beside(file)]
    if not beside:
        return text
    listed = "\n".join(f"- [`{each}`]({each})" for each in beside)
    return f"{text.rstrip()}\n\n## Files\n\n{listed}\n"


def _beside(file: Path) -> Iterable[Path]:
    """Return the files of an example, which its README speaks of, without what commands left."""
    is_example = file.is_relative_to(EXAMPLES) and file.parent != EXAMPLES
    if file.name != "README.md" or not is_example:
        return ()
    found = (each for each in sorted(file.parent.rglob("*")) if each.is_file() and each != file)
    return (each for each in found if not LEFT_BEHIND & {*each.relative_to(ROOT).parts})


def _outside(texts: dict[str, str]) -> set[str]:
    """Return the files outside `docs/` that pages lead to, directly or through each other."""
    waiting = list(texts.items())
    found: set[str] = set()
    while waiting:
        page, text = waiting.pop()
        for path in _targets(page, text):
            if not path.startswith(DOCS) and path not in found and (ROOT / path).is_file():
                found.add(path)
                uri = site_uri(path)
                if uri.endswith(".md"):
                    waiting.append((uri, page_of(path)))
    return found


def _targets(page: str, text: str) -> Iterator[str]:
    for link in LINK.findall(CODE.sub("", text)):
        if path := target(page, link):
            yield path


def _expanded(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {
        title: [_expanded(each) for each in value] if isinstance(value, list) else _pages(value)
        for title, value in entry.items()
    }


def _pages(value: str) -> str | list[str | dict[str, str]]:
    if not value.endswith("/*"):
        return value
    folder = value.removesuffix("/*")
    names = sorted(path.name for path in (ROOT / DOCS / folder).glob("[!R]*.md"))
    return [f"{folder}/README.md", *(f"{folder}/{name}" for name in names)]
