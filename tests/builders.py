"""Desired runs, live runs and plans in one line each, for tests."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from runs_as_code.model.actions import CloseReason, CloseRun, MakeRun
from runs_as_code.model.desired import (
    CloneSource,
    LeftOut,
    Limits,
    Manifest,
    Name,
    QueryPlan,
    ReplaceMode,
    ReplaceRule,
    RunSpec,
    RunType,
)
from runs_as_code.model.live import Catalog, Entry, Listing, LiveRun, StatusCounts
from runs_as_code.model.marker import UNKNOWN, Marker
from runs_as_code.model.marking import compose_description
from runs_as_code.model.plan import Approvals, Change, Plan, ProjectPlan
from runs_as_code.model.source import Location
from runs_as_code.planning.digest import text_digest
from runs_as_code.planning.planner import ProjectInput, ProjectPlanner, assemble
from runs_as_code.planning.resolve import Resolver

OWNER = "web-team"
PROJECT = "BD"
SERVER = "embedded"
CREATED_AT = "2026-01-01T00:00:00Z"
CLOSED_AT = "2026-01-02T00:00:00.000Z"
PLACE = Location("qarun.yaml", 1, 1)

CATALOG = Catalog(
    milestones=(
        Entry(5, "Sprint 1"),
        Entry(6, "Sprint 2"),
        Entry(4, "Old", is_archived=True),
        Entry(3, "Sprint 1", is_archived=True),
    ),
    folders=(Entry(1, "Checkout"), Entry(2, "Cart"), Entry(3, "Cart/Discounts")),
    tags=(Entry(1, "smoke"), Entry(2, "slow")),
    users=(Entry(7, "ann@example.com"), Entry(8, "bob@example.com")),
    tcases={"BD-1": "case1", "BD-2": "case2"},
)

Reference = int | str | None


def query(
    *,
    tcases: Iterable[int | str] = (),
    folders: Iterable[int | str] = (),
    tags: Iterable[int | str] = (),
    priorities: Iterable[str] = (),
) -> QueryPlan:
    """Build a query plan of names and ids."""
    return QueryPlan(
        PLACE, names(tcases), names(folders), names(tags), priorities=tuple(priorities)
    )


def names(values: Iterable[int | str]) -> tuple[Name, ...]:
    """Build references as a manifest has them."""
    return tuple(Name(value, PLACE) for value in values)


def desired(
    key: str = "a",
    title: str | None = None,
    *,
    folders: Sequence[int | str] = (1,),
    milestone: Reference = None,
    assignee: Reference = None,
    clone: str | None = None,
    clone_run: int | None = None,
    clone_title: str | None = None,
    replace: str = "auto",
    **settings: Any,
) -> RunSpec:
    """Build a desired run: a live run of folder 1 titled `Run KEY`, or a clone."""
    is_clone = any(source is not None for source in (clone, clone_run, clone_title))
    values: dict[str, Any] = {
        "key": key,
        "title": f"Run {key}" if title is None else title,
        "location": PLACE,
        "milestone": None if milestone is None else Name(milestone, PLACE),
        "assignee": None if assignee is None else Name(assignee, PLACE),
        "replace": replace_rule(replace),
        "clone_from": CloneSource(PLACE, clone, clone_run, clone_title) if is_clone else None,
    }
    if not is_clone and folders:
        values |= {"type": RunType.LIVE, "query_plans": (query(folders=folders),)}
    return RunSpec(**(values | settings))


def replace_rule(text: str) -> ReplaceRule:
    """Build the setting `replace` from what a manifest says."""
    if text.startswith("r"):
        return ReplaceRule(ReplaceMode.REVISION, int(text[1:]))
    return ReplaceRule(ReplaceMode(text))


def manifest(*runs: RunSpec, owner: str = OWNER, **settings: Any) -> Manifest:
    """Build a manifest of runs; `close` and `percent` set its limits."""
    limits = {name: settings.pop(name) for name in ("close", "percent") if name in settings}
    values: dict[str, Any] = {
        "file": "qarun.yaml",
        "project": PROJECT,
        "owner": owner,
        "location": PLACE,
        "limits": Limits(**limits),
        "runs": runs,
    }
    return Manifest(**(values | settings))


def counts(open_cases: int = 3, passed: int = 0, failed: int = 0) -> StatusCounts:
    """Build the counts of a run by status."""
    return StatusCounts(open_cases + passed + failed, open_cases, passed, failed)


def live(run_id: int, title: str = "Run a", description: str = "", **fields: Any) -> LiveRun:
    """Build a live run that nobody marked: open, three cases, none of them done."""
    is_closed = fields.pop("closed", False)
    values: dict[str, Any] = {
        "id": run_id,
        "title": title,
        "description": description,
        "type": RunType.LIVE,
        "counts": counts(),
        "closed_at": CLOSED_AT if is_closed else None,
    }
    return LiveRun(**(values | fields))


def marker_of(spec: RunSpec, revision: int = 1, *, title: str = "", **fields: Any) -> Marker:
    """Build the marker that a run of this declaration gets; `title` is the run's own."""
    owner = str(fields.pop("owner", OWNER))
    resolved, _ = Resolver(CATALOG, ()).resolve(manifest(owner=owner), spec)
    marker = Marker(
        owner=owner,
        key=spec.key,
        revision=revision,
        selection=resolved.selection,
        description=UNKNOWN if spec.description is None else text_digest(spec.description),
        title=text_digest(spec.title),
        own_title=text_digest(title or spec.title),
        milestone=resolved.milestone.id if resolved.milestone else None,
        assignee=resolved.assignee.id if resolved.assignee else None,
        is_protected=spec.protect,
    )
    return replace(marker, **fields)


def made(
    run_id: int,
    spec: RunSpec,
    revision: int = 1,
    *,
    title: str = "",
    renamed: str = "",
    mark: dict[str, Any] | None = None,
    **fields: Any,
) -> LiveRun:
    """Build the live run that a declaration led to.

    `title` is what the run was given, `renamed` what somebody made of that, `mark` sets fields of
    the marker and the rest fields of the run.
    """
    marker = marker_of(spec, revision, title=title, **(mark or {}))
    values: dict[str, Any] = {
        "type": spec.type or RunType.LIVE,
        "milestone_id": marker.milestone,
        "assignee_id": marker.assignee,
    }
    description = compose_description(spec.description, marker)
    return live(run_id, renamed or title or spec.title, description, **(values | fields))


def plan_project(
    given: Manifest | Sequence[Manifest],
    runs: Iterable[LiveRun] = (),
    *,
    catalog: Catalog = CATALOG,
    listing: Listing | None = None,
    left_out: Sequence[LeftOut] = (),
    **approvals: Any,
) -> Plan:
    """Plan one project; keywords of `Approvals` approve."""
    manifests = (given,) if isinstance(given, Manifest) else tuple(given)
    approved = Approvals(**approvals)
    project = ProjectInput(
        SERVER, PROJECT, manifests, listing or Listing(tuple(runs)), tuple(left_out)
    )
    plans = ProjectPlanner(project, approved).plan(catalog)
    return assemble(plans, approved, CREATED_AT)


def plan_owner(given: Manifest, runs: Iterable[LiveRun] = (), **settings: Any) -> ProjectPlan:
    """Plan one manifest and return the plan of its owner."""
    return plan_project(given, runs, **settings).projects[0]


def decide(spec: RunSpec, *runs: LiveRun, **approvals: Any) -> Change:
    """Plan a file with one run and return the decision about its key."""
    plan = plan_owner(manifest(spec), runs, **approvals)
    return next(change for change in plan.changes if change.key == spec.key)


def rules(change: Change) -> list[str]:
    """Return the ids of the rules that withhold a change."""
    return [block.rule for block in change.blocks]


def shown(change: Change) -> list[str]:
    """Say a decision's actions in short: `+ TITLE`, `» ID TITLE`, `x ID`."""
    words = []
    for action in change.actions:
        if isinstance(action, CloseRun):
            words.append(f"x {action.run_id}")
        elif action.is_clone:
            words.append(f"» {action.source_key or action.source_run} {action.title}")
        else:
            words.append(f"+ {action.title}")
    return words


def first_make(change: Change) -> MakeRun:
    """Return the action that makes a run."""
    return next(action for action in change.actions if isinstance(action, MakeRun))


def closes(change: Change) -> list[CloseRun]:
    """Return the actions that close runs."""
    return [action for action in change.actions if isinstance(action, CloseRun)]


def reasons(change: Change) -> list[CloseReason]:
    """Return why a decision closes runs."""
    return [close.reason for close in closes(change)]
