"""Looks through built pages for anything that a browser would fetch from elsewhere.

`script/docs` runs it on the site. Links that a reader may follow are fine; what loads by itself is
not: fonts, styles, scripts, images, frames, forms.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s;]+)""", re.IGNORECASE)
LOADING = frozenset({"action", "background", "data", "formaction", "poster", "src", "srcset"})
HARMLESS_LINKS = frozenset({"alternate", "canonical", "license", "next", "prev"})
# What makes the theme's script load a library or ask a forge, and what makes a page move on.
WAKING = ("mermaid", "md-source")


class Page(HTMLParser):
    """Collects what one page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at every attribute of an element."""
        self._open = tag
        values = {name: value or "" for name, value in attrs}
        self.found += _loaded(tag, values)
        self.found += IN_STYLE.findall(values.get("style", ""))
        woken = set(WAKING) & {*values.get("class", "").split()}
        self.found += (f'class="{name}"' for name in woken)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 the name is the interface
        """Leave a style or a script."""
        self._open = ""

    def handle_data(self, data: str) -> None:
        """Look into styles; scripts of a page may fetch nothing either."""
        if self._open == "style":
            self.found += IN_STYLE.findall(data)
        elif self._open == "script":
            self.found += re.findall(r"""["'](https?://[^"']+)""", data)


def _loaded(tag: str, values: dict[str, str]) -> Iterator[str]:
    for name in LOADING & values.keys():
        parts = values[name].split(",") if name == "srcset" else [values[name]]
        yield from (part.strip() for part in parts if ELSEWHERE.match(part))
    is_loading = tag == "link" and not HARMLESS_LINKS & {*values.get("rel", "").split()}
    if is_loading and ELSEWHERE.match(values.get("href", "")):
        yield values["href"]
    if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
        yield values.get("content", "")


def requests_of(text: str) -> list[str]:
    """Return what a page would load from elsewhere, in order."""
    page = Page()
    page.feed(text)
    page.close()
    return page.found


def check(site: Path) -> list[str]:
    """Return a line for each request of a built site."""
    pages, styles = sorted(site.rglob("*.html")), sorted(site.rglob("*.css"))
    if not pages or not styles:
        return [f"{site}: no built site"]
    found = [(path, requests_of(path.read_text("utf-8"))) for path in pages]
    found += [(path, IN_STYLE.findall(path.read_text("utf-8"))) for path in styles]
    return [f"{path}: loads {each} from elsewhere" for path, all_ in found for each in all_]


def main() -> int:
    """Check the site that is named on the command line."""
    lines = check(Path(sys.argv[1]))
    print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
