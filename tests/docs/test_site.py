"""The hook that brings files of the repository into the site, and the look at what pages load."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "script" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


site = script("docs_site")
look = script("docs_check")


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("ci.md", "outputs.md#drift", "outputs.md#drift"),
        ("ci.md", "#here", "#here"),
        ("ci.md", "https://example.com/a", "https://example.com/a"),
        ("ci.md", "decisions/", "decisions/README.md"),
        ("decisions/004-pacing.md", "../performance.md", "../performance.md"),
        ("index.md", "../CONTRIBUTING.md#words", "repository/CONTRIBUTING.md#words"),
        ("index.md", "../examples/01-quickstart/", "repository/examples/01-quickstart/README.md"),
        (
            "manifest.md",
            "../schemas/plan.v1.schema.json",
            "repository/schemas/plan.v1.schema.json.md",
        ),
        ("repository/README.md", "docs/ci.md", "../ci.md"),
        ("repository/CONTRIBUTING.md", "CHANGELOG.md", "CHANGELOG.md"),
        ("repository/examples/01-quickstart/README.md", "runs.yaml", "runs.yaml.md"),
        ("index.md", "../../elsewhere.md", "../../elsewhere.md"),
    ],
)
def test_a_link_leads_to_where_the_site_has_the_file(page, link, expected):
    assert site.turned(page, link) == expected


def test_an_example_lists_its_files_and_nothing_that_commands_left():
    page = site.page_of("examples/01-quickstart/README.md")
    assert "- [`changed/runs.yaml`](changed/runs.yaml)" in page
    assert ".qarun" not in page.split("## Files")[1]


def test_a_file_with_fences_stays_one_block(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "ROOT", tmp_path)
    (tmp_path / "x.sh").write_text("cat <<E\n```sh\n```\nE\n")
    assert "\n````sh\ncat <<E\n" in site.page_of("x.sh")


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<link rel="preconnect" href="//fonts.example">',
        "<script src=https://cdn.example/x.js></script>",
        '<img srcset="a.png 1x, https://cdn.example/b.png 2x">',
        '<iframe src="HTTP://example.com"></iframe>',
        '<form action="https://example.com/search"></form>',
        '<p style="background: url(https://example.com/x.png)">',
        "<style>@import 'https://example.com/x.css';</style>",
        '<script>fetch("https://api.example.com")</script>',
        '<meta http-equiv="refresh" content="0; url=/">',
        '<pre class="mermaid">',
        '<div class="md-header md-source">',
    ],
)
def test_what_loads_from_elsewhere_is_found(html):
    assert len(look.requests_of(f"<html><body>{html}</body></html>")) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://qasphere.com">QA Sphere</a>',
        '<link rel="canonical" href="https://example.com/">',
        '<link rel="stylesheet" href="assets/main.css">',
        '<img src="images/flow.svg">',
        "<code>url(https://example.com)</code>",
        '<script>var base = "../.."</script>',
    ],
)
def test_what_a_reader_may_follow_is_fine(html):
    assert look.requests_of(html) == []


def test_a_site_without_pages_is_none(tmp_path):
    assert look.check(tmp_path) == [f"{tmp_path}: no built site"]


def test_what_is_broken_stops_the_build(tmp_path):
    for name in ("docs", "script", "examples", "schemas", "bench"):
        ignored = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for path in (*ROOT.glob("*.md"), ROOT / "mkdocs.yml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "docs" / "orphan.md").write_text("# In no navigation\n")
    with (tmp_path / "docs" / "faq.md").open("a") as page:
        page.write("[a](nowhere.md) [b](concepts.md#nothing) [c](../examples/nothing.yaml)\n")

    (flags,) = re.findall(r"/mkdocs (build .*?) >", (ROOT / "script" / "docs").read_text())
    command = [sys.executable, "-m", "mkdocs", *flags.split()]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 1, ended.stderr
    for each in ("orphan.md", "nowhere.md", "#nothing", "nothing.yaml.md"):
        assert each in ended.stderr


def test_styles_are_looked_through(tmp_path):
    (tmp_path / "index.html").write_text("<p>Fine</p>")
    (tmp_path / "a.css").write_text("@font-face{src:url(https://fonts.example/a.woff2)}")
    assert len(look.check(tmp_path)) == 1
