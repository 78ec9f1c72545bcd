"""The HTML page: all of a plan, self-contained, and nothing in it that a plan could bring in."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from golden import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.report.outputs.hostile import MARKUP, MARKUP_PLAN, Page
from unit.report.strategies import PLANS

from runs_as_code.model.live import StatusCounts
from runs_as_code.model.plan import Outcome, Plan, Reason
from runs_as_code.report.outputs.html import plan_html, policy
from runs_as_code.report.outputs.page import WIDTH, plan_page, work_of
from runs_as_code.report.outputs.page_script import SCRIPT
from runs_as_code.report.outputs.page_style import STYLE
from runs_as_code.report.safe import safe

COMMAND = f"qarun apply -f qa --expect-digest {samples.DIGEST}"
VOID = {"meta", "input", "rect", "br"}
ELEMENTS = set(
    re.findall(
        r"[a-z0-9]+",
        "html head meta title style script body header main footer section article div span p h1 h2"
        " h3 ul li b strong code br table thead tbody tr th td ins del dl dt dd details summary svg"
        " rect input select option button output mark a",
    )
)
ATTRIBUTES = set(
    re.findall(
        r"[a-z-]+",
        "lang charset http-equiv content name class data-kind data-kinds data-project data-text"
        " data-name id href hidden type placeholder aria-label aria-live value viewbox role x width"
        " preserveaspectratio height scope",
    )
)


def html(plan):
    return plan_html(plan, digest=samples.DIGEST, command=COMMAND, tool_version="0.1.0")


class Balanced(Page):
    """Notes what is closed out of order."""

    def __init__(self, text):
        self.wrong = []
        super().__init__(text)

    def handle_endtag(self, tag):
        while self.open and self.open[-1] in VOID:
            self.open.pop()
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize(
    "plan",
    [samples.FULL, samples.SEVERAL, samples.REFUSED, samples.EMPTY, samples.QUIET, samples.NOTHING],
)
def test_every_element_is_closed_in_its_place(plan):
    found = Balanced(html(plan))
    assert found.wrong == []
    assert set(found.open) <= VOID


def test_the_page_needs_nothing_else():
    text = html(samples.FULL)
    found = Page(text)
    names = {name for _, name, _ in found.attributes}
    assert not names & {"src", "href", "srcset", "action", "style", "onclick", "data"}
    assert not re.search(r"@import|url\(|fetch|XMLHttpRequest|import\(", text)
    assert found.tags.count("script") == found.tags.count("style") == 1


def test_the_policy_allows_exactly_our_style_and_script():
    text = html(samples.FULL)
    head = text.split("<body>")[0]
    assert head.index("Content-Security-Policy") < head.index("<style>")
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    assert content.replace("&#39;", "'") == policy()
    assert policy().startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy()
    for name, constant in (("style", STYLE), ("script", SCRIPT)):
        body = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)[1]
        assert body == constant
        digest = b64encode(sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy()


def assert_places_are_ours(page):
    """No plan names a place in the page, or one outside of it."""
    places = [value for _, name, value in page.attributes if name in {"id", "href"}]
    assert all(re.fullmatch(r"#?project-\d+", place) for place in places)


def test_hostile_text_is_only_text():
    found = Page(html(MARKUP_PLAN))
    assert set(found.tags) <= ELEMENTS
    assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
    assert_places_are_ours(found)
    assert found.tags.count("script") == 1
    assert safe(MARKUP, 600) in found.text
    assert not re.search("[\u202e\x1b]", found.text)


@given(PLANS)
@settings(max_examples=15)
def test_any_plan_brings_in_nothing(plan):
    found = Balanced(html(plan))
    assert set(found.tags) <= ELEMENTS
    assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
    assert_places_are_ours(found)
    assert found.wrong == []
    assert found.tags.count("article") + found.tags.count("tr") >= sum(
        len(project.changes) for project in plan.projects
    )


def test_every_change_says_what_it_does_and_where():
    text = Page(html(samples.FULL)).text
    for change in samples.EVERYTHING:
        assert change.key in text
        assert change.title in text
        for block in change.blocks:
            assert block.rule in text
            assert block.message.replace("`", "") in text
            assert block.flag in text
    for word in ("Sprint 23 (5)", "Sprint 24 (6)", "bob@example.com (3)", "qa/web.yaml:20:3"):
        assert word in text
    assert COMMAND in text
    assert samples.DIGEST in text


def test_long_texts_are_shown_in_full():
    text = Page(html(samples.FULL)).text
    old, new = (
        value.name for value in (samples.REPLACE.fields[1].old, samples.REPLACE.fields[1].new)
    )
    assert old.strip() in text
    assert new in text


def test_without_scripts_everything_is_there_and_no_control_is():
    text = html(samples.FULL)
    assert "<noscript" not in text
    controls = re.search(r'<div class="filters" hidden>.*?</div>', text, re.DOTALL)[0]
    for control in ("<input", "<select", "<button"):
        assert text.count(control) == controls.count(control) == 1
    hidden = [tag for tag, name, _ in Page(text).attributes if name == "hidden"]
    # One project needs no choice of projects, and nothing is filtered that could be shown again.
    assert hidden == ["div", "select", "button"]


def test_projects_can_be_chosen_where_there_are_several():
    text = html(samples.SEVERAL)
    assert text.count("<option") == 4
    assert text.count('<section class="project"') == 3


@pytest.mark.parametrize(
    ("plan", "heading"),
    [
        (samples.DOABLE, "This plan makes 4 runs and closes 4 runs"),
        (
            samples.FULL,
            "This plan is withheld: nothing is done. The rest would make 4 runs and close 4 runs",
        ),
        (samples.SEVERAL, "This plan is withheld: nothing is done. The rest would make 1 run"),
        (samples.REFUSED, "This plan is refused: nothing will be done"),
        (samples.EMPTY, "No changes. 3 runs agree with the file."),
        (
            Plan("", (replace(samples.FULL_PROJECT, changes=(samples.DECIDE,)),)),
            "This plan waits for a decision",
        ),
    ],
)
def test_the_heading_says_what_becomes_of_the_plan(plan, heading):
    assert f"<h1>{heading}</h1>" in html(plan)


@pytest.mark.parametrize(
    ("plan", "words", "others"),
    [
        (samples.SEVERAL, ["would make", "would close"], ["makes", "closes"]),
        (
            Plan("", (samples.DOABLE.projects[0],) * 2),
            ["makes", "closes"],
            ["would make", "would close"],
        ),
    ],
)
def test_the_table_of_projects_says_would_where_nothing_is_done(plan, words, others):
    text = html(plan)
    assert [text.count(f'<th scope="col">{each}</th>') for each in words] == [1, 1]
    assert [text.count(f">{each}<") for each in others] == [0, 0]


def test_chips_count_what_the_summary_counts():
    page = plan_page(samples.FULL, digest="", command="", version="")
    shown = {chip.kind: chip.count for chip in page.chips}
    assert shown["blocked"] == 2
    assert sum(shown.values()) - shown["drifted"] == len(samples.EVERYTHING)
    kinds = [card.kinds.split() for card in (*page.projects[0].cards, *page.projects[0].keys)]
    assert sum("drifted" in each for each in kinds) == shown["drifted"]
    assert sum("blocked" in each for each in kinds) == shown["blocked"]


# --- bars


COUNTS = st.builds(StatusCounts, *(st.integers(0, 50) for _ in range(6)))


@given(st.lists(COUNTS, max_size=4))
def test_a_bar_is_filled_exactly(counts):
    work = work_of(counts)
    if work is None:
        assert sum(each.all for each in counts) == 0
        return
    places = [0, *(part.start + part.width for part in work.parts)]
    assert [part.start for part in work.parts] == places[:-1]
    assert places[-1] in {0, WIDTH}
    assert all(part.count > 0 for part in work.parts)


@pytest.mark.parametrize(
    ("outcome", "reason", "is_own"),
    [
        (Outcome.CREATE, Reason.TITLE_HELD, False),
        (Outcome.CLONE, Reason.TITLE_HELD, False),
        (Outcome.DECIDE, Reason.MARKER_LOST, False),
        (Outcome.DECIDE, Reason.TITLE_HELD, True),
        (Outcome.DECIDE, Reason.SUCCESSOR_CLOSED, True),
        (Outcome.ADOPT, Reason.ADOPTED, True),
    ],
)
def test_the_work_in_a_run_that_stands_in_the_way_is_not_the_owners(outcome, reason, is_own):
    held = replace(samples.DECIDE, outcome=outcome, reason=reason, run=samples.RUN_12)
    kept = samples.KEPT[0]
    project = replace(samples.FULL_PROJECT, changes=(held, kept))
    [place] = plan_page(Plan("", (project,)), digest="", command="", version="").projects
    own = [samples.RUN_12.counts] * is_own
    assert [card.work for card in place.cards] == [work_of(own)]
    assert place.work == work_of([*own, kept.run.counts])
    assert samples.RUN_12.recorded > 0


def test_a_bar_tells_every_status_and_how_much_is_recorded():
    work = work_of([samples.MIXED])
    assert [(part.kind, part.count) for part in work.parts] == [
        ("passed", 10), ("failed", 6), ("blocked", 5), ("skipped", 3), ("other", 2), ("open", 4)
    ]  # fmt: skip
    assert work.coverage == "26 of 30 recorded, 86 %"
    almost = work_of([StatusCounts(all=1000, open=1, passed=999)])
    assert almost.coverage == "999 of 1000 recorded, 99 %"
    assert work_of([StatusCounts()]) is None
