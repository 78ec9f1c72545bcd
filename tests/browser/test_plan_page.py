"""The HTML page of a plan in a real browser: read, filtered, printed, attacked."""

from dataclasses import fields, is_dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from browser.watching import DESKTOP, FAINT_TEXTS, MISSING, PHONE, TOO_WIDE
from golden import samples
from playwright.sync_api import expect

from runs_as_code.report.outputs.html import plan_html

ATTACK = (
    '"></style></title></textarea><img src=x onerror="window.hit=1">'
    "<script>window.hit=1</script><a href='javascript:window.hit=1'>x</a>"
    "<meta http-equiv=refresh content='0;url=http://evil.example'>{{7*7}}"
)
CARDS = "article.card"
KEYS = {change.key for change in samples.FULL_PROJECT.changes}


def swap(value, old, new):
    """Return plain data with one text in place of another, however deep."""
    if is_dataclass(value):
        given = ((each.name, getattr(value, each.name)) for each in fields(value) if each.init)
        return replace(value, **{name: swap(part, old, new) for name, part in given})
    if isinstance(value, tuple):
        return tuple(swap(part, old, new) for part in value)
    return new if value == old and isinstance(value, str) else value


def write(path, plan):
    command = f"qarun apply -f qa --expect-digest {samples.DIGEST}"
    page = plan_html(plan, digest=samples.DIGEST, command=command, tool_version="1.0.0")
    path.write_text(page, "utf-8")
    return path


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("plan") / "full.html", samples.FULL)


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("plan") / "several.html", samples.SEVERAL)


def test_counts_filter_by_action(open_tab, full):
    tab = open_tab(full, viewport=DESKTOP)
    everything = tab.shown(CARDS)
    tab.page.get_by_role("button", name="2 close", exact=True).click()
    assert [text.split()[1] for text in tab.shown(".badge")] == ["close", "close"]
    assert tab.shown(".filters output") == ["2 of 17 shown"]
    tab.page.get_by_role("button", name="1 clone", exact=True).click()
    assert [text.split()[1] for text in tab.shown(".badge")] == ["close", "close", "clone"]
    pressed = tab.page.locator("button.chip[aria-pressed=true]").all_inner_texts()
    assert len(pressed) == 2
    tab.page.get_by_role("button", name="Show all").click()
    assert tab.shown(CARDS) == everything
    assert tab.shown("button.chip[aria-pressed=true]") == tab.shown(".filters button") == []


def test_drift_is_found_whatever_else_becomes_of_a_run(open_tab, full):
    tab = open_tab(full)
    tab.page.get_by_role("button", name="3 drift", exact=True).click()
    assert {text.split()[0] for text in tab.shown("article h3")} == {"checkout", "login", "by-hand"}


def test_unchanged_keys_unfold_when_asked_for(open_tab, full):
    tab = open_tab(full)
    assert tab.shown("details.keys tr") == []
    tab.page.get_by_role("button", name="unchanged").click()
    assert len(tab.shown("details.keys tr")) == 3
    assert tab.shown("article h3") == ["login Login"]  # it drifted, and Git wants nothing of it


def test_keys_and_titles_are_searched(open_tab, full):
    tab = open_tab(full)
    search = tab.page.get_by_role("searchbox")
    search.fill("  PROFILE ")
    assert [text.split()[0] for text in tab.shown("article h3")] == ["profile"]
    search.fill("no such thing")
    assert tab.shown(CARDS) == []
    assert tab.shown(".filters output") == ["0 of 17 shown"]


def test_projects_are_chosen(open_tab, several):
    tab = open_tab(several)
    assert len(tab.shown(".project h2")) == len(tab.shown(".overview tbody tr")) == 3
    tab.page.get_by_role("combobox").select_option(label="PAY, pay-team")
    assert tab.shown(".project h2") == ["Project PAY, owner pay-team"]
    assert len(tab.shown(CARDS)) == len(tab.shown(".overview tbody tr")) == 1
    tab.page.get_by_role("button", name="Show all").click()
    tab.page.get_by_role("link", name="APP, app-team").click()
    assert tab.page.url.endswith("#project-3")


def test_the_keyboard_is_enough(open_tab, full):
    tab = open_tab(full)
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Space")
    assert {text.split()[1] for text in tab.shown(".badge")} == {"create"}
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.run(outline) == "solid"


def test_the_page_is_complete_without_scripts(open_tab, full):
    tab = open_tab(full, java_script_enabled=False, viewport=DESKTOP)
    assert tab.shown(".filters, button") == []
    assert len(tab.shown(".counts .chip")) == 12
    assert len(tab.shown(CARDS)) == 13
    for details in tab.page.locator("summary").all():
        details.click()
    text = tab.page.locator("body").inner_text()
    assert [key for key in KEYS if key not in text] == []
    assert "--approve search" in text
    assert samples.DIGEST in text


def test_what_changed_stands_beside_what_was(open_tab, full):
    tab = open_tab(full, viewport=DESKTOP)
    row = tab.page.locator("article", has_text="replace by a clone").locator(".values tr").nth(1)
    assert row.locator("del").inner_text() == "Sprint 23 (5)"
    assert row.locator("ins mark").all_inner_texts() == ["24", "6"]
    old, new = row.locator("del").bounding_box(), row.locator("ins").bounding_box()
    assert (old["y"], old["x"] < new["x"]) == (new["y"], True)


def test_bars_are_as_long_as_what_they_count(open_tab, full):
    tab = open_tab(full, viewport=DESKTOP)
    bar = tab.page.locator("article", has_text="Search regression").locator(".bar")
    parts = bar.locator("rect").all()
    widths = [part.bounding_box()["width"] for part in parts]
    shares = [width / bar.bounding_box()["width"] for width in widths]
    wanted = [10 / 30, 6 / 30, 5 / 30, 3 / 30, 2 / 30, 4 / 30]
    assert shares == pytest.approx(wanted, abs=0.01)
    colors = {part.evaluate("each => getComputedStyle(each).fill") for part in parts}
    assert len(colors) == len(parts)


@pytest.mark.parametrize("sample", ["full", "several"])
def test_it_is_readable_by_day_and_night_wide_and_narrow(open_tab, request, sample):
    tab = open_tab(request.getfixturevalue(sample))
    tab.run("for (const each of document.querySelectorAll('details')) each.open = true")
    for scheme, viewport in product(("light", "dark"), (DESKTOP, PHONE)):
        tab.look(scheme, viewport)
        assert (tab.background > 600) == (scheme == "light")
        assert tab.run(FAINT_TEXTS) == []
        assert tab.run(TOO_WIDE) == []
    assert tab.run(MISSING) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_shows_everything_on_white(open_tab, full, scripts):
    tab = open_tab(full, color_scheme="dark", java_script_enabled=scripts, viewport=DESKTOP)
    folded = tab.page.locator("details.keys tr").first
    expect(folded).to_be_hidden()  # once the page was painted, and not before
    tab.page.emulate_media(media="print")
    assert tab.shown(".filters") == []
    pdf = tab.page.pdf()
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") >= 2
    expect(folded).to_be_visible()
    if scripts:
        assert tab.background == 765
        assert tab.run(FAINT_TEXTS) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_hostile_texts_do_nothing(open_tab, tmp_path, scripts):
    plan = swap(samples.HOSTILE_PLAN, samples.HOSTILE, ATTACK)
    page = write(tmp_path / "plan.html", plan)
    tab = open_tab(page, java_script_enabled=scripts, viewport=PHONE)
    assert tab.page.locator("img, iframe, form, main script, a[href^=javascript]").count() == 0
    assert tab.page.locator("script").count() == 1
    assert tab.page.locator("h3").first.inner_text().count("<script>") == 2
    if scripts:
        tab.page.get_by_role("searchbox").fill("onerror")
        assert tab.run("window.hit") is None
        assert tab.run(TOO_WIDE) == []
    assert tab.requests == [page.as_uri()]


def test_the_policy_stops_what_an_escape_would_miss(open_tab, tmp_path, full):
    """The second wall, alone: an attack that was put in unescaped neither runs nor loads."""
    attack = "<script>window.hit=1</script><img src=http://127.0.0.1:9/x onerror='window.hit=1'>"
    page = tmp_path / "plan.html"
    page.write_text(full.read_text("utf-8").replace("<main>", f"<main>{attack}"), "utf-8")
    tab = open_tab(page)
    assert tab.run("window.hit") is None
    assert [text for text in tab.complaints if "violates" not in text] == []
    assert len(tab.complaints) == 3  # the script, the picture, the handler
    tab.complaints.clear()
    tab.requests.clear()
