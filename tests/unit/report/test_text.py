"""What the golden files can't say: laws that hold for every plan."""

import re
from dataclasses import replace

import pytest
from golden import samples
from hypothesis import given, settings
from unit.report.strategies import APPLY_REPORTS, PLANS

from runs_as_code.model.plan import (
    Change,
    Cost,
    FieldDiff,
    Outcome,
    Plan,
    ProjectPlan,
    Reason,
    Value,
)
from runs_as_code.report.applied import render_report
from runs_as_code.report.fields import diff_words
from runs_as_code.report.listing import render_list
from runs_as_code.report.safe import is_unsafe
from runs_as_code.report.style import PLAIN, Style
from runs_as_code.report.summary import cost_words, kind_of, summarize, summary_words
from runs_as_code.report.text import render_plan

COLOURED = Style(is_colored=True)
ASCII = Style(is_unicode=False)


def show(plan, style=PLAIN, **more):
    return render_plan(plan, digest=samples.DIGEST, style=style, **more)


def plan_of(*changes, server="embedded", **more):
    return Plan(samples.CREATED_AT, (ProjectPlan(server, "BD", "web-team", changes),), **more)


def test_first_line_names_server_project_and_owner_then_the_summary():
    first, second, *_ = show(samples.FULL).splitlines()
    assert first == f"Server {samples.HOSTED}, project BD, owner web-team"
    assert second.startswith("Plan: 2 to create, 1 to clone, 1 to replace, 2 to close (irrev")


def test_last_lines_are_digest_and_cost():
    *_, digest, cost = show(samples.FULL).splitlines()
    assert digest == f"Digest: {samples.DIGEST}"
    assert cost == "Cost: at most 14 reads and 9 writes, about 2 s at 20 requests a second"


def test_an_empty_plan_says_so():
    text = show(plan_of(*(samples.kept(number) for number in range(34))))
    assert "No changes. 34 runs agree with the file." in text
    assert "Plan:" not in text


def test_a_key_without_a_run_is_no_run_that_agrees():
    gone = replace(samples.kept(1), key="gone", run=None, reason=Reason.NOTHING_TO_CLOSE)
    assert "No changes. Besides: 1 key without a run, as declared." in show(plan_of(gone))
    text = show(plan_of(gone, samples.kept(2)))
    assert "No changes. 1 run agrees with the file. Besides: 1 key without" in text


@pytest.mark.parametrize("change", samples.EVERYTHING, ids=lambda change: change.key)
def test_every_change_is_shown_or_counted(change):
    text = show(plan_of(change))
    is_quiet = change in (*samples.KEPT, samples.UNMANAGED)
    assert (f" {change.key}: {change.title}" in text) is not is_quiet
    assert f" {change.key}: {change.title}" in show(plan_of(change), verbose=True)


@pytest.mark.parametrize("change", samples.EVERYTHING, ids=lambda change: change.key)
def test_each_change_counts_once(change):
    summary = summarize([change])
    counts = {name: getattr(summary, name) for name in summary.__slots__ if name != "drifted"}
    assert sum(counts.values()) == 1
    assert counts[kind_of(change)] == 1


def test_what_is_withheld_is_said_in_the_conditional():
    text = show(plan_of(samples.BLOCKED))
    assert "blocked, would replace" in text
    assert "      would create revision r2" in text
    assert "      would close run 13" in text
    assert "Closes" not in text


@pytest.mark.parametrize(
    ("plan", "is_said"),
    [
        (samples.FULL, True),
        (samples.SEVERAL, True),
        (samples.DOABLE, False),
        (samples.REFUSED, False),
        (samples.EMPTY, False),
        (plan_of(samples.BLOCKED), False),
    ],
)
def test_a_plan_that_is_not_done_as_it_is_says_so(plan, is_said):
    lines = show(plan).splitlines()
    words = "Withheld: an apply does nothing of this as it is; with `--skip-blocked` it does the "
    assert any(line.startswith(words) for line in lines) is is_said
    closes = [line for line in lines if "loses 4 runs" in line]
    assert [line.startswith("The rest closes 4") for line in closes] == [is_said] * len(closes)


MARKER = "[qarun:1 web-team key r1 saaaaaaaa dbbbbbbbb tcccccccc ndddddddd m6 a- {}]"


@pytest.mark.parametrize(
    ("text", "flag", "details"),
    [
        ("", "u", ["live, milestone Sprint 24 (6)"]),
        ("", "p", ["live, milestone Sprint 24 (6), protected"]),
        ("One.\nTwo `x`.", "u", ["live, milestone Sprint 24 (6)", r"description `One.\nTwo `x`.`"]),
        (
            "w" * 332,
            "p",
            ["live, milestone Sprint 24 (6), protected", f"description `{'w' * 332}`"],
        ),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.CREATE, Outcome.CLONE])
def test_a_new_run_shows_all_that_is_written_for_ever(outcome, text, flag, details):
    marker = MARKER.format(flag)
    description = f"{text}\n\n{marker}" if text else marker
    [make] = samples.CREATE.actions
    make = replace(make, marker=marker, description=description, assignee_id=None, query_plans=())
    change = replace(samples.CREATE, outcome=outcome, actions=(make,))
    lines = [line.strip() for line in show(plan_of(change, samples.REPLACE)).splitlines()]
    start = lines.index("create revision r1 as `Cart smoke`") + 1
    assert lines[start : lines.index("", start)] == details


def test_a_replacement_says_of_its_description_only_what_differs():
    lines = [line.strip() for line in show(plan_of(samples.REPLACE)).splitlines()]
    assert any(line.startswith("description: `") for line in lines)
    assert not any(line.startswith("description `") for line in lines)


def test_every_close_says_irreversible_and_the_counts():
    plan = plan_of(samples.REPLACE, samples.BLOCKED, samples.CLOSE, samples.PRUNE)
    lines = [line for line in show(plan).splitlines() if "close run" in line]
    assert len(lines) == 5
    assert all(
        re.search(r"\(irreversible\): \d+ passed, \d+ failed, .*still open", li) for li in lines
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason):
    change = Change("key", Outcome.DECIDE, reason, "Title", run=samples.RUN_9)
    assert reason.value not in show(plan_of(change)) or reason is Reason.COMPLETE


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        (samples.MILESTONE, "milestone: Sprint 23 (5) -> Sprint 24 (6)"),
        (FieldDiff("assignee", Value(), Value("ann@a.b", 2)), "assignee: (none) -> ann@a.b (2)"),
        (FieldDiff("milestone", Value(None, 5), Value(None, 6)), "milestone: (5) -> (6)"),
        (
            FieldDiff("queryPlans", Value(), Value("tags smoke (3)")),
            "queryPlans: (not readable) -> tags smoke (3)",
        ),
        (FieldDiff("type", Value("static"), Value("live")), "type: static -> live"),
        (FieldDiff("description", Value(""), Value("New.")), "description: (empty) -> `New.`"),
        (FieldDiff("title", Value("Old"), Value("New")), "title: `Old` -> `New`"),
    ],
)
def test_differences_in_words(diff, words):
    assert diff_words(diff) == words


def test_long_texts_show_where_they_begin_to_differ():
    same = "the same words over and over " * 10
    words = diff_words(
        FieldDiff("description", Value(same + "OLD"), Value(same + "NEW" + "x" * 200))
    )
    assert "OLD`" in words
    assert "NEWxx" in words
    assert len(words) < 200


def test_drift_reads_from_applied_to_live():
    assert (
        "~ assignee: ann@example.com (2) -> bob@example.com (3), changed outside Git, left alone"
        in show(plan_of(samples.DRIFTED))
    )


def test_unmanaged_runs_only_when_asked_for():
    assert "scratch" not in show(samples.FULL)
    assert "run 50: Ann's scratch run" in show(samples.FULL, show_unmanaged=True)
    assert "Every open run is managed" in show(samples.EMPTY, show_unmanaged=True)


def test_names_come_from_the_rest_of_the_plan():
    alone = show(plan_of(samples.CREATE))
    assert "milestone 6, assignee 2" in alone
    beside = show(plan_of(samples.CREATE, samples.REPLACE))
    assert "live, milestone Sprint 24 (6), assignee ann@example.com (2)" in beside


@pytest.mark.parametrize(
    ("server", "cost", "words"),
    [
        (
            "embedded",
            Cost(3, 4),
            "at most 3 reads and 4 writes, without a rate limit",
        ),
        ("embedded", Cost(), "no requests"),
        (samples.HOSTED, Cost(), "no requests"),
        (
            samples.HOSTED,
            Cost(18, 2, 20),
            "at most 18 reads and 2 writes, about 1 s at 20 requests a second",
        ),
        (
            samples.HOSTED,
            Cost(21, 0, 20),
            "at most 21 reads and 0 writes, about 2 s at 20 requests a second",
        ),
        (samples.HOSTED, Cost(0, 240, 2), "at most 0 reads and 240 writes, about 2 min at 2"),
        (samples.HOSTED, Cost(0, 241, 2), "at most 0 reads and 241 writes, about 2 min 1 s at 2"),
    ],
)
def test_cost(server, cost, words):
    assert cost_words(plan_of(server=server, cost=cost)).startswith(f"Cost: {words}")


def test_summary_leaves_out_what_there_is_not():
    assert summary_words(summarize([samples.CREATE, *samples.KEPT])) == "1 to create, 3 unchanged"


def test_refused_projects_are_named_and_closes_not_promised():
    text = show(samples.REFUSED)
    assert "Plan: REFUSED, nothing will be done." in text
    assert "would close run 7" in text
    assert "Closes" not in text


@given(PLANS)
@settings(max_examples=50)
def test_no_plan_reaches_the_terminal_with_anything_unsafe(plan):
    text = show(plan, show_unmanaged=True, verbose=True)
    assert not [char for char in text if char != "\n" and is_unsafe(char)]
    assert text.endswith("\n")
    ascii_text = show(plan, ASCII, show_unmanaged=True, verbose=True)
    assert len(ascii_text.splitlines()) == len(text.splitlines())
    coloured = show(plan, COLOURED, show_unmanaged=True, verbose=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == text


@given(APPLY_REPORTS)
@settings(max_examples=50)
def test_no_report_reaches_the_terminal_with_anything_unsafe(report):
    text = render_report(report, PLAIN)
    assert not [char for char in text if char != "\n" and is_unsafe(char)]
    coloured = render_report(report, COLOURED)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == text


def test_ascii_symbols_are_ascii():
    plan = replace(samples.FULL, projects=(replace(samples.FULL_PROJECT, unmanaged=()),))
    assert show(plan, ASCII, verbose=True).isascii()


def test_list_aligns_wide_titles():
    lines = [line for line in render_list(samples.ROWS[:2], PLAIN).splitlines() if "http" in line]
    columns = [line[: line.index("https")] for line in lines[1:]]
    assert len({len(c) + sum(ch in "🍕結帳" for ch in c) for c in columns}) == 1
