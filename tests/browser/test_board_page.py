"""The board in a real browser, of a server that `qarun apply` worked on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import httpx
import pytest
from browser.watching import DESKTOP, FAINT_TEXTS, MISSING, PHONE, TOO_WIDE
from e2e.support import Site, manifest, qarun, run_lines, serving

ATTACK = (
    "<script>window.hit=1</script><img src=x onerror=window.hit=1>"
    "</title></style>\"'><a href=javascript:window.hit=1>x</a>\u202egnp.exe {{7*7}}"
)
API = "/api/public/v0/project/BD"


@dataclass(frozen=True)
class Served:
    """A board, and the ids of the runs it shows."""

    board: str
    before: int
    after: int
    hostile: int


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("board")
    with serving(folder / "site.db", "--rate", "0") as site:
        yield fill(site, folder)


def fill(site: Site, folder: Path) -> Served:
    """Apply, record results, change the file, apply again; one hostile run comes by hand."""
    file = folder / "qa.yaml"
    money = {"queryPlans": "[{folders: [Checkout]}]", "assignee": "ann@example.com"}
    menu = run_lines("menu", "Menu review", milestone="Sprint 24")
    old = run_lines("old", "Sprint 23 leftovers")
    for milestone, rest in (("Sprint 23", menu + old), ("Sprint 24", menu)):
        runs = run_lines("checkout", "Checkout regression", milestone=milestone, **money) + rest
        manifest(file, runs, prune="close")
        ended = qarun("apply", "--auto-approve", "-f", file, **site.environ())
        assert ended.code == 0, ended.err
    headers = {"Authorization": f"ApiKey {site.keys['user']}"}
    with httpx.Client(base_url=site.address + API, headers=headers, trust_env=False) as client:
        ids = {run["title"]: run["id"] for run in client.get("/run").json()["runs"]}
        after = ids["Checkout regression (r2)"]
        cases = client.get(f"/run/{after}/tcase").json()["tcases"]
        for number, status in enumerate(["passed"] * 5 + ["failed"] * 3 + ["blocked", "skipped"]):
            path = f"/run/{after}/tcase/{cases[number]['id']}/result"
            client.post(path, json={"status": status, "timeTaken": 90_000}).raise_for_status()
        body = {"type": "live", "queryPlans": [{"folderIds": [3]}], "description": ATTACK}
        made = client.post("/run", json={"title": ATTACK, **body}).raise_for_status().json()["id"]
        comment = {"comment": "Applied from commit 4f2a91c"}
        client.post(f"/run/{after}/log", json=comment).raise_for_status()
    return Served(f"{site.address}/board", ids["Checkout regression"], after, made)


def test_people_see_what_apply_did(open_tab, served):
    tab = open_tab(served.board.removesuffix("/board"), viewport=DESKTOP)
    tab.follow(tab.page.get_by_role("link", name="Bistro Delivery"))
    lately = tab.shown(".events li")
    assert f"Ann User cloned run {served.after} from run {served.before}" in " ".join(lately)
    card = tab.page.locator(".run", has_text="Checkout regression (r2)")
    text = " ".join(card.inner_text().split())
    assert "open checkout r2 web-team" in text
    assert "live, Sprint 24, for Ann User" in text
    assert f"replaces run {served.before} (r1)" in text
    assert "5 passed 3 failed 1 blocked 1 skipped 10 open 50 % of 20" in text
    tab.follow(card.get_by_role("link", name="Checkout regression"))
    assert tab.shown("h1") == ["Checkout regression (r2)"]
    assert len(tab.shown(".chain li")) == 2
    assert tab.shown(".log .description") == ["Applied from commit 4f2a91c"]
    assert len(tab.shown(".members tbody tr")) == 20
    tab.follow(tab.page.get_by_role("link", name="failed 3"))
    assert tab.shown(".members .status") == ["failed"] * 3


def test_runs_are_filtered_with_a_form(open_tab, served):
    tab = open_tab(f"{served.board}/BD", viewport=DESKTOP)
    assert len(tab.shown(".run")) == 3
    tab.page.get_by_label("State").select_option("closed")
    tab.follow(tab.page.get_by_role("button", name="Show"))
    assert sorted(tab.shown(".run h2")) == ["Checkout regression", "Sprint 23 leftovers"]
    tab.page.get_by_label("Title or key").fill("OLD")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    assert tab.shown(".run h2") == ["Sprint 23 leftovers"]
    tab.follow(tab.page.get_by_role("link", name="reset"))
    tab.page.get_by_label("Owner").select_option(label="nobody (1 open)")
    tab.follow(tab.page.get_by_role("button", name="Show"))
    assert tab.page.url.endswith("/board/BD?q=&owner=-&state=open")
    assert len(tab.shown(".run")) == 1


def test_it_needs_no_scripts_at_all(open_tab, served):
    tab = open_tab(f"{served.board}/BD", java_script_enabled=False)
    tab.page.get_by_label("State").select_option("all")
    tab.follow(tab.page.get_by_role("button", name="Show"))
    assert len(tab.shown(".run")) == 5
    assert tab.page.locator("script").count() == 0


@pytest.mark.parametrize("path", ["", "/BD?state=all", "/BD/{after}", "/BD/{hostile}", "/nowhere"])
def test_it_is_readable_by_day_and_night_wide_and_narrow(open_tab, served, path):
    where = path.format(after=served.after, hostile=served.hostile)
    tab = open_tab(served.board + where)
    for scheme, viewport in product(("light", "dark"), (DESKTOP, PHONE)):
        tab.look(scheme, viewport)
        assert (tab.background > 600) == (scheme == "light")
        assert tab.run(FAINT_TEXTS) == []
        assert tab.run(TOO_WIDE) == []
    assert tab.run(MISSING) == []
    if tab.status == 404:  # which the browser says in its console
        tab.complaints.clear()


def test_it_is_printed_on_white(open_tab, served):
    tab = open_tab(f"{served.board}/BD/{served.after}", color_scheme="dark", viewport=DESKTOP)
    tab.page.emulate_media(media="print")
    assert tab.background == 765
    assert tab.run(FAINT_TEXTS) == []
    assert tab.shown(".chips") == []
    assert len(tab.shown(".members tbody tr")) == 20
    assert tab.page.pdf().startswith(b"%PDF-")


def test_hostile_texts_do_nothing(open_tab, served):
    for path in ("/BD", f"/BD/{served.hostile}"):
        tab = open_tab(served.board + path)
        assert tab.run("window.hit") is None
        assert tab.page.locator("script, main img, iframe, a[href^=javascript]").count() == 0
        heading = tab.page.get_by_role("heading", name="window.hit=1").first
        assert heading.inner_text() == ATTACK.replace("\u202e", "\\u202e")
        assert "\u202e" not in tab.page.content()


def test_no_other_page_can_read_or_frame_it(open_tab, served, tmp_path):
    """A page of another origin, open in the same browser, is all an attacker has."""
    other = tmp_path / "other.html"
    address = f"{served.board}/BD"
    other.write_text(f'<title>other</title><iframe src="{address}"></iframe>', "utf-8")
    tab = open_tab(other)
    read = "address => fetch(address).then(() => 'read', () => 'refused')"
    assert tab.run(read, address) == "refused"
    assert "Bistro" not in tab.page.frames[1].content()
    assert tab.complaints
    tab.complaints.clear()
    tab.requests.clear()
