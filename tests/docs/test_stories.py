"""What quick start and cookbook tell their readers to type works, and says what they show."""

from pathlib import Path

import pytest
from docs.stories import IS_UPDATING, Story, matches, pieces, sections

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("quickstart", "cookbook")}


def tell(story: Story, page: str, text: str) -> None:
    told = story.do(text)
    if IS_UPDATING and told != text:
        path = DOCS / f"{page}.md"
        path.write_text(path.read_text("utf-8").replace(text, told), "utf-8")


def test_the_quick_start(story: Story):
    tell(story, "quickstart", PAGES["quickstart"])
    assert len(story.typed) > 5


@pytest.mark.parametrize("recipe", sections(PAGES["cookbook"]).items(), ids=lambda pair: pair[0])
def test_a_recipe(story: Story, recipe: tuple[str, str]):
    tell(story, "cookbook", recipe[1])
    assert story.typed


def test_an_ellipsis_stands_for_any_lines():
    lines = ["one", "two", "three"]
    assert matches(["one", "...", "three"], lines)
    assert matches(["...", "three"], lines)
    assert matches(["...", "one", "two", "three", "..."], lines)
    assert not matches(["one", "three"], lines)
    assert not matches(["...", "two"], lines)
    assert not matches(["...", "two", "one", "..."], lines)


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/manifest.md"])
def test_the_first_manifest_of_a_page_can_be_applied(story: Story, page: str):
    text = (DOCS.parent / page).read_text("utf-8")
    first = next(each.text for each in pieces(text) if each.text.startswith("apiVersion:"))
    (story.folder / "runs.yaml").write_text(first, "utf-8")
    done = "...\nVerified: read back, and nothing of this plan is still wanted\n...\n"
    story.do(f"```console\n$ qarun apply -f runs.yaml --auto-approve\n{done}```\n")
