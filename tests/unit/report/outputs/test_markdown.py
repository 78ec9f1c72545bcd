"""Markdown for people who review: safe, bounded, the important first, the next step last."""

from dataclasses import replace

import pytest
from golden import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from unit.report.outputs.hostile import MARKUP, MARKUP_PLAN, Page, with_text
from unit.report.strategies import APPLY_REPORTS, PLANS

from runs_as_code.model.plan import Plan, ProjectPlan
from runs_as_code.report.outputs.bounded import DEFAULT_BYTES, LEAST_BYTES
from runs_as_code.report.outputs.markdown import plan_markdown
from runs_as_code.report.outputs.markdown_ends import diagnostics_markdown, report_markdown

OURS = {"p", "h3", "ul", "li", "strong", "code", "pre", "details", "summary", "br"}
COMMAND = f"qarun apply -f qa --expect-digest {samples.DIGEST}"


def shown(plan, **more):
    return plan_markdown(plan, digest=samples.DIGEST, command=COMMAND, **more)


def page(text):
    return Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def plan_of(*changes, **more):
    return Plan(samples.CREATED_AT, (ProjectPlan("embedded", "BD", "web-team", changes, **more),))


def test_the_first_line_is_the_marker_and_the_next_the_counts():
    first, second, *_ = shown(samples.FULL).splitlines()
    assert first == "<!-- qarun:plan -->"
    assert second.startswith("### Plan: 2 to create, 1 to clone, 1 to replace, 2 to close (irrev")


def test_the_marker_is_the_same_whatever_the_text_is_about():
    plans = (samples.FULL, samples.SEVERAL, samples.NOTHING)
    assert {shown(plan).splitlines()[0] for plan in plans} == {"<!-- qarun:plan -->"}
    named = [shown(plan, comment_id="web") for plan in plans]
    named += [report_markdown(r, comment_id="web") for r in (samples.APPLIED, samples.FELL_SHORT)]
    named += [diagnostics_markdown((), comment_id="web")]
    kinds = ["plan"] * 3 + ["apply"] * 2 + ["validate"]
    assert [text.splitlines()[0] for text in named] == [f"<!-- qarun:{k}:web -->" for k in kinds]


def test_the_last_lines_are_the_digest_and_what_to_run_next():
    lines = shown(plan_of(samples.CREATE)).splitlines()
    assert lines[-7:] == [
        f"Digest: `{samples.DIGEST}`",
        "",
        "Next, apply exactly this plan:",
        "",
        "```sh",
        COMMAND,
        "```",
    ]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (samples.FULL, f"{COMMAND} --skip-blocked"),
        (samples.REFUSED, "Next, add a line or a flag that is named above, and plan again."),
        (samples.EMPTY, "Nothing is to be done."),
    ],
)
def test_the_next_step_is_one_that_can_be_taken(plan, words):
    assert words in shown(plan).splitlines()


def test_what_can_not_be_undone_or_waits_for_somebody_comes_first():
    lines = shown(samples.FULL).splitlines()
    keys = ["profile", "search", "tagged", "old-import", "sprint-23", "checkout", "cart-smoke"]
    places = [
        next(number for number, line in enumerate(lines) if line[2:].startswith(f"{key}: "))
        for key in keys
    ]
    assert sorted(places[:3]) + sorted(places[3:5]) + places[5:] == sorted(places)


def test_a_refused_plan_says_so_before_its_changes():
    text = shown(samples.REFUSED)
    assert "### Plan: REFUSED" in text
    assert text.index("refused: too-many-closes") < text.index("cart-smoke")
    assert "+     would create revision r1" in text


def test_each_line_of_a_diff_begins_with_a_sign_of_ours():
    for plan in (samples.FULL, MARKUP_PLAN, samples.HOSTILE_PLAN):
        text = shown(plan)
        ticks = text[text.index("```") :].split("diff")[0]
        body = text.split(f"{ticks}diff\n")[1].split(f"\n{ticks}\n")[0]
        assert {line[:2] for line in body.splitlines()} <= {"+ ", "- ", "! ", "  ", ""}


def test_hostile_text_is_only_text():
    found = page(shown(MARKUP_PLAN))
    assert set(found.tags) <= OURS
    assert {name for _, name, _ in found.attributes} <= {"class", "open"}
    assert "alert(1)" in found.text
    for trace in ("alert", "@ann", "#12", "evil", "e.vil", "::error"):
        assert trace not in found.loose


@given(PLANS, st.integers(LEAST_BYTES, 20_000))
@settings(max_examples=15)
def test_any_plan_stays_within_its_bounds_and_its_elements(plan, limit):
    text = shown(plan, max_bytes=limit)
    assert len(text.encode()) <= limit
    assert set(page(text).tags) <= OURS


def many(count):
    changes = [replace(samples.CREATE, key=f"key-{n}", title=f"Käse {n} 🍕") for n in range(count)]
    return plan_of(*changes, samples.CLOSE)


def test_a_large_plan_is_cut_between_changes_and_says_how_many_are_left_out():
    text = shown(many(2000))
    assert DEFAULT_BYTES - 1000 < len(text.encode()) <= DEFAULT_BYTES
    whole = text.count("+     create revision r1")
    assert text.count("+ key-") == whole
    assert f"**... {2000 - whole} more, see the artifact**" in text
    assert "- sprint-23: Sprint 23 regression" in text
    assert text.endswith(f"{COMMAND}\n```\n")


def test_a_small_plan_leaves_nothing_out():
    assert "see the artifact" not in shown(samples.FULL)


def test_the_longest_head_and_tail_fit_the_least_bytes():
    long = "🍕`" * 2000
    plan = with_text(samples.HOSTILE_PLAN, long)
    projects = [replace(plan.projects[0], project=f"{n}{long}") for n in range(50)]
    text = plan_markdown(
        replace(plan, projects=tuple(projects)),
        digest=samples.DIGEST,
        command=f"qarun {long}",
        max_bytes=LEAST_BYTES,
    )
    assert len(text.encode()) <= LEAST_BYTES


def test_several_projects_are_folded_and_each_is_counted():
    text = shown(samples.SEVERAL)
    assert text.count("<details><summary>project <code>") == 2
    assert "- project `PAY`, owner `pay-team`, server `embedded`: REFUSED; without the" in text


# --- what a check found, and what an apply did


def test_errors_come_before_warnings():
    text = diagnostics_markdown(samples.DIAGNOSTICS)
    assert text.splitlines()[:2] == [
        "<!-- qarun:validate -->",
        "### Files: 3 errors, 1 warning in 2 files",
    ]
    assert text.index("error[no-manifests]") < text.index("warning[no-assignee]")
    assert text.endswith("Next, correct the errors: no plan is made.\n")
    assert diagnostics_markdown(()).endswith("The files are valid.\n")


def test_hostile_diagnostics_are_only_text():
    hostile = [
        replace(each, message=MARKUP, hint=MARKUP, expected=MARKUP, rule=MARKUP)
        for each in samples.DIAGNOSTICS
    ]
    found = page(diagnostics_markdown(hostile))
    assert set(found.tags) <= OURS
    assert "alert" not in found.loose


def test_what_went_wrong_comes_first_and_the_exit_last():
    text = report_markdown(samples.FELL_SHORT)
    assert text.splitlines()[0] == "<!-- qarun:apply -->"
    assert text.index("the server refuses") < text.index("run 61")
    assert text.endswith("Exit 7: applied in part\n")


@given(APPLY_REPORTS, st.integers(LEAST_BYTES, 20_000))
@settings(max_examples=15)
def test_any_report_stays_within_its_bounds(report, limit):
    text = report_markdown(report, max_bytes=limit)
    assert len(text.encode()) <= limit
    assert set(page(text).tags) <= OURS
