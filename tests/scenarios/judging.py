"""Hold a plan, an apply and what is live after it against what a scenario expects."""

import html
from collections.abc import Mapping
from typing import Any

from scenarios.world import OWNER, PROJECT

from runs_as_code.model.plan import Change, Plan, ProjectPlan
from runs_as_code.server import ServerOptions

Decision = dict[str, Any]

SETTLED = {"keep", "stay-closed", "adopt", "unmanaged"}


def decisions(plan: Plan) -> dict[str, Decision]:
    """Return what was decided about each key, in the words of a scenario file."""
    return {
        _place(project, change.key): _decision(change)
        for project in plan.projects
        for change in project.changes
    }


def expected_decisions(expected: Mapping[str, Any]) -> dict[str, Decision]:
    """Fill in what a scenario leaves out: no blocks, no fields, no drift."""
    return {key: _full(decision) for key, decision in expected.items()}


def compare_decisions(expected: Mapping[str, Any], plan: Plan) -> None:
    """Assert that the plan decides as expected about every key, and about no other."""
    found = decisions(plan)
    wanted = expected_decisions(expected)

    assert {key: _shown(d) for key, d in found.items()} == {k: _shown(d) for k, d in wanted.items()}
    for key, decision in wanted.items():
        for word in ("lines", "flags", "notes", "says"):
            for text in decision.get(word, ()):
                assert any(text in item for item in found[key][word]), (text, found[key][word])


def check_blocks(plan: Plan) -> None:
    """Assert that each block names its rule, and a line for the file or a flag for one apply."""
    for project in plan.projects:
        for block in (*project.refusals, *(b for c in project.changes for b in c.blocks)):
            assert block.rule
            assert block.message
            assert block.line or block.flag, block


def settled_decisions(first: Plan, again: Plan, expected: Mapping[str, Any]) -> None:
    """Assert that a second plan wants nothing and decides the same about all that was not done."""
    assert not again.actions, again.actions
    before, after = decisions(first), decisions(again)
    done = {
        _place(project, change.key)
        for project in first.projects
        for change in project.changes
        if change.actions and not change.is_withheld and not project.refusals
    }
    wanted = expected_decisions(expected)
    for key, decision in after.items():
        if key in wanted:
            assert _shown(decision) == _shown(wanted[key]), key
        elif key in done:
            assert decision["is"].split()[0] in SETTLED, (key, decision)
            assert not decision["blocks"], (key, decision)
            assert not decision["fields"], (key, decision)
        else:
            assert _shown(decision) == _shown(before[key]), key
    assert before.keys() - done <= after.keys()


def compare_live(
    expected: Mapping[str, Any], live: Mapping[str, Mapping[str, Any]], options: ServerOptions
) -> None:
    """Assert that exactly these runs are live, each with what the scenario says of it."""
    assert {label: _state(run) for label, run in live.items()} == {
        label: wanted if isinstance(wanted, str) else wanted["state"]
        for label, wanted in expected.items()
    }
    for label, wanted in expected.items():
        if isinstance(wanted, str):
            continue
        for name, value in wanted.items():
            if name != "state":
                assert _field(live[label], name) == _stored(name, value, options), (label, name)


def _place(project: ProjectPlan, key: str) -> str:
    place = "" if project.project == PROJECT else f"{project.project}/"
    whose = "" if project.owner == OWNER else f"{project.owner}:"
    return f"{place}{whose}{key}"


def _decision(change: Change) -> Decision:
    return {
        "is": f"{change.outcome} {change.reason}",
        "blocks": sorted(block.rule for block in change.blocks),
        "fields": [diff.field for diff in change.fields],
        "drift": [diff.field for diff in change.drift],
        "lines": [block.line for block in change.blocks],
        "flags": [block.flag for block in change.blocks],
        "says": [block.message for block in change.blocks],
        "notes": list(change.notes),
    }


def _full(decision: str | Mapping[str, Any]) -> Decision:
    given = {"is": decision} if isinstance(decision, str) else dict(decision)
    full = {"blocks": [], "fields": [], "drift": [], **given}
    return full | {"blocks": sorted(full["blocks"])}


def _shown(decision: Decision) -> Decision:
    return {word: decision[word] for word in ("is", "blocks", "fields", "drift")}


def _state(run: Mapping[str, Any]) -> str:
    return "open" if run["closedAt"] is None else "closed"


def _field(run: Mapping[str, Any], name: str) -> Any:
    if name == "text":
        return run["description"].split("[qarun:")[0].rstrip("\n")
    if name == "cases":
        return run["statusCounts"]["all"]
    return run[{"milestone": "milestoneId", "assignee": "assignmentId"}.get(name, name)]


def _stored(name: str, value: Any, options: ServerOptions) -> Any:
    is_escaped = options.mangle_text == "escape" and name in {"title", "text"}
    return html.escape(value) if is_escaped else value
