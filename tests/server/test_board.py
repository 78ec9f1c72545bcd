"""The board in process: what its pages say, who may read them, and that they only read."""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from hostile.texts import NASTY
from server.support import Api
from sqlalchemy import event

from runs_as_code.model.actions import MakeRun
from runs_as_code.model.marker import Marker
from runs_as_code.model.marking import compose_description
from runs_as_code.model.provenance import Provenance
from runs_as_code.report.provenance import log_comment
from runs_as_code.server import Fault, ServerOptions, create_app, create_key
from runs_as_code.server.board.marks import Description, read_description
from runs_as_code.server.board.plain import plain_text

VOID = {"meta", "link", "img", "input", "rect", "br"}


class Page(HTMLParser):
    """A page as its reader gets it: texts, links and tags; raises where tags don't nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


class Board(Api):
    """The app with its board; `page` reads one, and checks what must hold for all of them."""

    def page(self, path: str = "", status: int = 200) -> Page:
        response = self.send("GET", f"!/board{path}")
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        page = Page(response.text)
        assert page.tags.isdisjoint({"script", "iframe", "object", "embed", "base"})
        assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
        assert [link for link in page.links if not re.match(r"/board(/|$|\?)|\?", link)] == []
        return page


@pytest.fixture
def start(database: Path) -> Iterator[Callable[..., Board]]:
    with ExitStack() as stack:

        def make(*, client: str = "127.0.0.1", host: str = "localhost", **options) -> Board:
            app = create_app(database, options=ServerOptions(**{"board": "local"} | options))
            stack.callback(app.state.store.close)
            board = stack.enter_context(Board(app))
            board._client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app, client=(client, 5)),
                base_url=f"http://{host}",
            )
            return board

        yield make


@pytest.fixture
def board(start) -> Board:
    return start()


def describe(key: str, revision: int = 1, owner: str = "web-team", text: str = "Money.") -> str:
    digests = ["abcdefgh"] * 4
    return compose_description(text, Marker(owner, key, revision, *digests, None, 7))


def clone(board: Board, source: int, title: str, description: str) -> int:
    body = {"runId": source, "title": title, "description": description}
    return int(board.post("/project/BD/run/clone", body)["id"])


def test_the_way_in_leads_to_the_projects(board: Board):
    board.make_run("Payments")
    response = board.send("GET", "!/")
    assert (response.status_code, response.headers["location"]) == (307, "/board")
    page = board.page()
    assert "Bistro Delivery BD 1 open, 0 closed" in page.text
    assert "/board/BD" in page.links


def test_a_project_shows_its_runs_with_owner_key_and_bar(board: Board):
    run = board.make_run("Payments", description=describe("pay"), milestoneId=6, assignmentId=7)
    board.make_run("By hand")
    for number, case in enumerate(list(board.members(run))[:3]):
        board.result(run, case, "failed" if number == 1 else "passed")
    text = board.page("/BD").text
    assert "Payments open pay r1 web-team run 1, live, Sprint 24, for Ann User made 20" in text
    assert "2 passed 1 failed 9 open 25 % of 12" in text
    assert "By hand open not managed" in text


def test_the_page_of_a_run_tells_how_it_came_to_be(board: Board):
    first = board.make_run("Sprint 23", description=describe("pay"))
    second = clone(board, first, "Sprint 24", describe("pay", 2))
    other = clone(board, second, "By hand", "")
    copy = clone(board, second, "Copied by hand", describe("pay", 2))
    board.close_run(first)
    board.post(f"/project/BD/run/{second}/log", {"comment": "Applied from commit 4f2a91c"})
    page = board.page(f"/BD/{second}")
    for words in (
        "replaces run 1 (r1)",
        "from run 1",
        "folders Cart",
        "[qarun:1 web-team pay r2 ",
        "Applied from commit 4f2a91c",
        f"Clones of this run run {other} open not managed By hand",
        f"run {copy} open copy of run {second} Copied by hand",
    ):
        assert words in page.text
    history = page.text.partition("History of pay")[2].partition("Clones")[0]
    assert re.findall(r"r(\d) run (\d+) (open|closed)", history) == [
        ("2", str(second), "open"),
        ("1", str(first), "closed"),
    ]
    assert f"replaced by run {second} (r2)" in board.page(f"/BD/{first}").text
    lately = board.page("/BD?state=all").text.partition("Lately")[2]
    assert re.findall(r"(made|cloned|closed) run (\d+)", lately) == [
        ("closed", "1"),
        ("cloned", str(copy)),
        ("cloned", str(other)),
        ("cloned", str(second)),
        ("made", "1"),
    ]


def test_test_cases_of_a_run_can_be_seen_by_status(board: Board):
    run = board.make_run()
    case, *_ = board.members(run)
    board.result(run, case, "failed")
    assert board.page(f"/BD/{run}").html.count("<tr>") == 13
    assert board.page(f"/BD/{run}?status=failed").html.count("<tr>") == 2
    assert "No test case of this status" in board.page(f"/BD/{run}?status=passed").text


def test_runs_are_found_by_title_key_owner_and_state(board: Board):
    board.make_run("Payments", description=describe("pay"))
    board.make_run("Search", description=describe("find", owner="search-team"))
    board.make_run("Old", description=describe("old"))
    board.make_run("By hand")
    board.close_run(3)

    def found(query: str) -> list[int]:
        html = board.page(f"/BD{query}").html
        return [int(run) for run in re.findall(r'<h2><a href="/board/BD/(\d+)"', html)]

    assert found("") == [4, 2, 1]
    assert found("?state=closed") == [3]
    assert found("?state=all") == [4, 3, 2, 1]
    assert found("?owner=web-team&state=all") == [3, 1]
    assert found("?owner=-") == [4]
    assert found("?q=PAY") == [1]
    assert found("?q=find") == [2]
    assert found("?q=nothing") == []
    assert found("?state=nonsense&page=x") == [4, 2, 1]


def test_long_lists_have_pages(board: Board):
    for number in range(52):
        board.make_run(f"Run {number}")
    first, second = board.page("/BD?q=run"), board.page("/BD?q=run&page=2")
    assert "1–50 of 52" in first.text  # noqa: RUF001 -- the page has this dash
    assert "?q=run&page=2" in first.links
    assert "51–52 of 52" in second.text  # noqa: RUF001 -- the page has this dash
    assert "?q=run" in second.links
    assert board.page("/BD?q=run&page=999999").text == second.text


def test_a_page_takes_as_many_statements_for_many_runs_as_for_few(board: Board):
    statements: list[str] = []
    engine = board.app.state.store.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def count(path: str) -> int:
        statements.clear()
        board.page(path)
        return len(statements)

    board.make_run("Run", description=describe("pay"))
    few = [count(path) for path in ("", "/BD", "/BD/1")]
    for number in range(2, 52):
        board.make_run(f"Run {number}", description=describe("pay", number))
    assert [count(path) for path in ("", "/BD", "/BD/1")] == few
    assert max(few) < 25


@pytest.mark.parametrize(
    "path",
    [
        "/BD?page=-1&state=%00&owner=%ff&q=%ed%a0%80",
        "/BD?page=%d9%a3&page=2&q=" + "x" * 9_000,
        "/BD/1?status=%3Cscript%3E&page=9999999",
        "?page=99999999999999999999",
    ],
)
def test_any_query_gives_a_page(board: Board, path: str):
    board.make_run()
    board.page(path)


@pytest.mark.parametrize("path", ["/%00", "/BD/%ff", "/BD/99999999999999999999", "/..%2f", "//"])
def test_any_other_path_is_a_page_too(board: Board, path: str):
    board.page(path, 404)


@pytest.mark.parametrize("text", NASTY)
def test_hostile_texts_stay_texts(board: Board, text: str):
    run = board.make_run(text[:255], description=describe("pay", text=text[:200]))
    board.post(f"/project/BD/run/{run}/log", {"comment": text})
    shown = "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text[:255]
    )
    for path in ("/BD", f"/BD/{run}"):
        page = board.page(path)
        assert " ".join(shown.split()) in page.text
        assert all(char.isprintable() or char == "\n" for char in page.html)


def test_the_log_line_of_an_apply_is_shown_as_text(board: Board):
    run = board.make_run("Payments", description=describe("pay"))
    made = MakeRun("h<0>0", 2, "[marker]", "Title", "Text", "live")
    facts = (("commit", "4f2a91c"), ("pipeline", "https://ci.example.com/?a=1&b=2"))
    line = log_comment(made, "web & team", Provenance(facts))
    board.post(f"/project/BD/run/{run}/log", {"comment": line})
    text = board.page(f"/BD/{run}").text.partition(" Log ")[2]
    assert "Created by qarun for key h<0>0, revision r2; owner web & team; commit 4f2a91c" in text
    assert "pipeline https://ci.example.com/ Test cases" in text
    assert "<code>" not in text


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("as it is", "as it is"),
        ("<p>one</p><p>two<br/>three</p>", "one\ntwo\nthree"),
        ("<ul><li>one</li>\r\n<li>two</li></ul>", "one\ntwo"),
        ("<!-- hidden -->a < b && c > d", "a < b && c > d"),
        ("use &lt;b&gt; &amp;lt; &#233;&#xe9;&nbsp;&eacute;.", "use <b> &lt; éé é."),
        (f"&#{'9' * 5_000}; &nonsense; &", f"&#{'9' * 5_000}; &nonsense; &"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<a title='x", "<a title='x"),
        ("", ""),
    ],
)
def test_a_comment_is_the_text_that_its_html_says(comment: str, text: str):
    assert plain_text(comment) == text


@pytest.mark.parametrize("piece", ["<", "<a ", "&", "&#", "<br", "<!--", "</p>"])
def test_a_long_comment_costs_no_more_than_its_size(piece: str):
    started = time.process_time()
    plain_text(piece * 200_000)
    assert time.process_time() - started < 2


def test_every_page_forbids_the_browser_what_it_does_not_need(board: Board):
    board.make_run()
    for path in ("", "/BD", "/BD/1", "/nowhere", "/BD/99", "/icon.svg"):
        response = board.send("GET", f"!/board{path}")
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in response.headers
        for style in re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL):
            digest = b64encode(sha256(style.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy


def test_no_page_shows_keys(board: Board, database: Path):
    key = create_key(database, "owner@example.com", name="nightly pipeline")
    board.make_run("Payments", description=describe("pay"))
    html = "".join(board.page(path).html for path in ("", "/BD", "/BD/1"))
    for secret in (*key.split("."), sha256(key.encode()).hexdigest(), "nightly pipeline"):
        assert secret not in html


def test_the_board_only_reads(board: Board):
    board.make_run()
    for path in ("!/", "!/board", "!/board/BD", "!/board/BD/1", "!/board/icon.svg"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            response = board.send(method, path)
            assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
        assert board.send("HEAD", path).content == b""


def test_what_is_not_there_is_a_page_outside_of_the_api(board: Board):
    for path in ("/XX", "/BD/99", "/BD/x", "/BD/1/2"):
        assert "not found" in (text := board.page(path, 404).text) or "no such page" in text
    assert board.send("GET", "!/nowhere").headers["content-type"].startswith("text/html")
    assert board.get("!/api", 404) == board.get("!/api/x", 404) == {"message": "Not found"}
    assert board.get("!/files/x", 404) == {"message": "File not found"}


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "localhost", 200),
        ("127.0.0.1", "127.0.0.1:8765", 200),
        ("127.0.0.1", "board.localhost:8765", 200),
        ("::1", "[::1]:8765", 200),
        ("::ffff:127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "rebound.example", 403),
        ("127.0.0.1", "localhost.example", 403),
        ("192.0.2.7", "127.0.0.1", 403),
        ("192.0.2.7", "192.0.2.7", 200),  # asked by the very address it listens on
        ("", "localhost", 403),
    ],
)
def test_only_this_machine_reads_it_and_by_no_foreign_name(start, client, host, status):
    address = host.removesuffix(":8765")
    board = start(client=client, host=f"[{address}]" if address == "::1" else host)
    for path in ("", "/BD", "/icon.svg"):
        assert board.send("GET", f"!/board{path}").status_code == status
    opened = start(client=client, host=host, board="open")
    assert opened.send("GET", "!/board").status_code == 200


def test_a_board_that_is_off_is_not_there(start):
    assert start(board="off").get("!/board", 404) == {"message": "Not found"}
    assert ServerOptions().board == "off"


def test_rate_limit_latency_and_faults_are_the_apis(start):
    board = start(rate=2, latency=30.0, faults=(Fault("status", "GET *", status=503),))
    for _ in range(5):
        assert board.send("GET", "!/board").status_code == 200


def test_it_uses_up_nothing_of_the_rate(start):
    board = start(rate=2)
    for _ in range(3):
        board.page()
    board.get("/project")
    board.get("/project")
    board.get("/project", 429)
    board.page()


MARK = Marker(
    "web-team", "matrix[os=linux]", 12, "-", "-", "a2345672", "-", 1, 7, is_protected=True
)


@pytest.mark.parametrize(
    ("description", "text"),
    [
        (compose_description("Money.\n\nMore.", MARK), "Money.\n\nMore."),
        (f"Money.\n{MARK}\n\nAdded later.\n", "Money.\nAdded later."),
        (str(MARK), ""),
        (f"Money.\n\n{MARK}".replace("=", "&#61;"), "Money."),
    ],
)
def test_the_text_around_a_marker_keeps_its_lines(description: str, text: str):
    assert read_description(description) == Description(text, MARK)


@pytest.mark.parametrize("text", ["[qarun:1 web-team pay]", "[qarun:2 a b r1]", "[qarun:" * 2])
def test_what_only_looks_like_a_marker_is_called_damaged(board: Board, text: str):
    board.make_run("Payments", description=text)
    assert "damaged marker" in board.page("/BD").text


def test_pages_are_read_beside_a_writer(board: Board):
    """Reading needs no turn of the writer: a page comes while somebody holds the write lock."""
    board.make_run()
    store = board.app.state.store
    with store.writing():
        assert board._runner.run(asyncio.wait_for(board._client.get("/board/BD"), 5)).is_success
