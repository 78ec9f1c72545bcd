"""Random manifests, live sides in whatever state, and approvals, all of one toy project."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from builders import CLOSED_AT, OWNER, PROJECT, desired, live, made, manifest, plan_project
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from toyworld import EMAILS, MANGLINGS, World

from runs_as_code.model.actions import Action, CloseRun
from runs_as_code.model.desired import (
    CloneSource,
    CloseWhen,
    Field,
    IfExists,
    LeftOut,
    Manifest,
    Name,
    OnClosed,
    Prune,
    QueryPlan,
    RunSpec,
    RunType,
    State,
)
from runs_as_code.model.live import LiveRun, StatusCounts
from runs_as_code.model.marker import UNKNOWN
from runs_as_code.model.plan import Plan, ProjectPlan

ALIAS = "old-team"
OTHER = "api-team"
KEYS = ("a", "b", "c", "d")
ORPHANS = ("old-a", "old-b", "z[1]")
TITLES = (
    "Alpha",
    "Beta",
    "Gamma & <i>co</i>",
    "Dé lta",
    "alpha (r2)",
    "Beta (r3)",
    "L" * 252,
    "Ωmega &amp; more",
)
NO_RUN = 999
TEXTS = (None, "Text", "Other <b>text</b> & more", "", "a < b\n\n  c&lt;d")
PLAIN_TITLE = "{title} (r{revision})"
FOLDERS = ((1,), (2,), (1, 2), ("Cart",), (3,))
COUNTS = (
    StatusCounts(all=3, open=3),
    StatusCounts(all=3, open=2, passed=1),
    StatusCounts(all=3, open=0, passed=2, failed=1),
    StatusCounts(),
)


IS_THOROUGH = os.environ.get("QARUN_HYPOTHESIS") == "thorough"
MORE = 100
"""How many times more examples a thorough campaign tries."""


def campaign(examples: int) -> settings:
    """Try so many examples, or far more when the environment asks for it."""
    factor = MORE if IS_THOROUGH else 1
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=examples * factor, deadline=None, suppress_health_check=slow)


@dataclass(frozen=True)
class Case:
    """One problem for the planner."""

    manifests: tuple[Manifest, ...]
    world: World
    approvals: dict[str, Any]
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        """Show what differs from a plain case, a line for each declaration and run."""
        lines = []
        for m in self.manifests:
            lines.append(f"{m.owner} {m.prune} {m.limits} {m.owner_aliases}")
            lines += [f"  {_differing(spec, desired(spec.key, spec.title))}" for spec in m.runs]
        lines.append(f"{self.world.scope} {self.world.mangle.__name__} {self.approvals}")
        lines += [
            f"  {run.id} {'open' if run.is_open else 'closed'} {_differing(run, live(run.id))}"
            for run in self.world.runs.values()
        ]
        return "\n".join(["", *lines, f"{self.left_out}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001  IPython's protocol
        """Let hypothesis print it the same way."""
        printer.text(repr(self))

    def plan(self, world: World | None = None, **approvals: Any) -> Plan:
        """Plan it, or plan it again in what its world has become."""
        listing = (world or self.world).listing()
        approved = self.approvals | approvals
        return plan_project(self.manifests, listing=listing, left_out=self.left_out, **approved)

    def spec(self, owner: str, key: str) -> RunSpec | None:
        """Return what is declared of a key."""
        found = (s for m in self.manifests if m.owner == owner for s in m.runs if s.key == key)
        return next(found, None)

    def aliases(self, owner: str) -> set[str]:
        """Return all names that count as an owner."""
        return {owner} | {a for m in self.manifests if m.owner == owner for a in m.owner_aliases}


def decisions(plan: ProjectPlan) -> dict[str, Any]:
    """Return what a plan decides, without the words for people."""
    return {
        change.key: (
            change.outcome,
            change.reason,
            tuple(_for_machines(action) for action in change.actions),
            {block.rule for block in change.blocks},
        )
        for change in plan.changes
    }


def _for_machines(action: Action) -> Action:
    if isinstance(action, CloseRun):
        return action
    return replace(action, milestone_name=None, assignee_name=None, selection="")


def _differing(value: Any, plain: Any) -> str:
    """Show the fields of a value that differ from those of a plain one."""
    shown = {
        field.name: getattr(value, field.name)
        for field in fields(value)
        if field.name in {"key", "title"}
        or getattr(value, field.name) != getattr(plain, field.name)
    }
    return " ".join(f"{name}={_short(item)}" for name, item in shown.items())


def _short(value: Any) -> str:
    """Show a value without the places it stands at."""
    if isinstance(value, Name):
        return repr(value.value)
    if isinstance(value, tuple):
        return "(" + " ".join(_short(item) for item in value) + ")"
    if isinstance(value, QueryPlan):
        return _differing(value, QueryPlan(value.location))
    if isinstance(value, CloneSource):
        return _differing(value, CloneSource(value.location))
    return str(value) if len(str(value)) < 200 else f"{str(value)[:60]}..."


def mostly(rng: Random, usual: Any, *others: Any, of: int = 5) -> Any:
    """Draw the usual value, and one of the others now and then: each once in `of` + 1 times."""
    drawn = rng.randrange(len(others) * (of + 1))
    return others[-1 - drawn] if drawn < len(others) else usual


def seldom(rng: Random, of: int = 5) -> bool:
    """Draw true once in `of` + 1 times."""
    return rng.randrange(of + 1) == 1


def draw_settings(rng: Random) -> dict[str, Any]:
    """Draw the settings of a run."""
    none, ids = frozenset(), frozenset({Field.MILESTONE, Field.ASSIGNEE})
    texts = frozenset({Field.QUERY_PLANS, Field.DESCRIPTION})
    return {
        "state": mostly(rng, State.OPEN, State.CLOSED, State.UNMANAGED, of=7),
        "if_exists": mostly(rng, IfExists.FAIL, IfExists.ADOPT, of=3),
        "on_closed": mostly(rng, OnClosed.LEAVE, OnClosed.RECREATE, of=2),
        "close_when": mostly(rng, CloseWhen.NEVER, CloseWhen.COMPLETE, of=3),
        "replace": mostly(rng, "auto", "never", "always", "r1", "r2", "r3", of=1),
        "replace_title": mostly(rng, PLAIN_TITLE, "{key}: {title} #{revision}", "{title} again"),
        "ignore_changes": mostly(rng, none, frozenset({Field.TITLE}), ids, texts),
        "protect": seldom(rng),
        "milestone": rng.choice(
            [None] * 8 + [5, "Sprint 1", "Sprint 1", "Sprint 2", 6, "Old", "Nope"]
        ),
        "assignee": rng.choice([None] * 8 + [7, "Bob@example.com", 8, 7, "nobody@example.com"]),
        "description": rng.choice(TEXTS),
    }


def draw_spec(rng: Random, key: str, title: str, sources: Sequence[str]) -> RunSpec:
    """Draw the declaration of a key, which may be cloned from one of `sources`."""
    settings = draw_settings(rng)
    if key in {"a", "b"}:
        settings["previous_keys"] = rng.choice([None, (), (f"old-{key}",)])
    kind = mostly(rng, "live", "static", "clone", "run", "title", "adopt", of=2)
    if kind == "clone" and sources:
        settings["clone"] = rng.choice(sources)
    elif kind == "run":
        settings["clone_run"] = rng.randint(1, 4)
    elif kind == "title":
        settings["clone_title"] = rng.choice(["Alpha", "Old run"])
    else:
        settings["folders"] = rng.choice(FOLDERS)
        if kind == "static":
            settings["type"] = RunType.STATIC
        if kind == "adopt":
            settings["adopt"] = rng.randint(1, 5)
            settings["folders"] = rng.choice([(), settings["folders"]])
    return desired(key, title, **settings)


def draw_manifests(rng: Random) -> tuple[Manifest, ...]:
    """Draw one to three manifests: two files of one owner, one of another."""
    titles = iter(rng.sample(TITLES, len(TITLES)))
    adopted: set[int] = set()
    files = []
    for file, owner, keys in (("1", OWNER, KEYS[:3]), ("2", OWNER, KEYS[3:]), ("3", OTHER, "ab")):
        runs: list[RunSpec] = []
        for key in keys:
            if seldom(rng, 2) or (owner == OTHER and seldom(rng, 1)):
                continue
            spec = draw_spec(rng, key, next(titles), [run.key for run in runs])
            if spec.adopt in adopted or (owner == OTHER and spec.previous_keys):
                spec = replace(spec, adopt=None, previous_keys=None, state=State.CLOSED)
            adopted.update([spec.adopt] if spec.adopt else [])
            runs.append(spec)
        if runs or file == "1":
            settings = draw_file_settings(rng, owner)
            runs = rng.sample(runs, len(runs))
            files.append(manifest(*runs, owner=owner, file=file, **settings))
    return tuple(files)


def draw_file_settings(rng: Random, owner: str) -> dict[str, Any]:
    """Draw what stands at the top of a file."""
    return {
        "prune": mostly(rng, Prune.CLOSE, Prune.KEEP, of=2),
        "owner_aliases": (ALIAS,) if owner == OWNER and seldom(rng, 1) else (),
        "close": mostly(rng, 25, 1),
        "percent": rng.choice([100, 30]),
    }


def draw_world(rng: Random, manifests: tuple[Manifest, ...]) -> World:
    """Draw a live side of up to nine runs, each of whatever origin and in whatever state."""
    world = World(
        scope=mostly(rng, "project", "milestone", "none", of=1),
        mangle=rng.choice(MANGLINGS),
        ignores_assignee=seldom(rng),
    )
    declared = {(m.owner, spec.key): spec for m in manifests for spec in m.runs}
    for _ in range(rng.randint(0, 9)):
        add_run(rng, world, declared)
    return world


def add_run(rng: Random, world: World, declared: dict[tuple[str, str], RunSpec]) -> None:
    """Add one run to a world: ours, a copy, foreign, damaged or nobody's."""
    run_id = world.next_id()
    kind = mostly(rng, "made", "unmarked", "copy", "damaged", "version", of=3)
    earlier = [run for run in world.runs.values() if "qarun:1" in run.description]
    run = live(run_id, rng.choice(["Old run", *TITLES[:5]]), "By hand")
    if kind == "copy" and earlier:
        run = replace(run, description=rng.choice(earlier).description)
    elif kind == "damaged":
        run = replace(run, description=world.mangle("Text [qarun:1 web-team a r1 s"))
    elif kind == "version":
        run = replace(run, description=world.mangle("[qarun:2 web-team a r1 something new]"))
    elif kind == "made":
        run = draw_made(rng, run_id, declared)
        run = replace(run, description=world.mangle(run.description))
    run = replace(
        run,
        title=world.stored_title(run.title),
        counts=mostly(rng, *COUNTS, of=1),
        time_spent=mostly(rng, None, 60_000),
        closed_at=mostly(rng, None, CLOSED_AT, of=2),
        milestone_id=mostly(rng, run.milestone_id, None, 5, 6, 4),
        assignee_id=mostly(rng, run.assignee_id, None, 7, 8),
    )
    if world.is_taken(run.title, run.milestone_id):
        run = replace(run, title=f"{run.title[:240]} #{run_id}")
    world.put(
        replace(
            run,
            is_milestone_archived=run.milestone_id in {3, 4},
            assignee_email=EMAILS.get(run.assignee_id or 0),
        )
    )


def draw_made(rng: Random, run_id: int, declared: dict[tuple[str, str], RunSpec]) -> LiveRun:
    """Draw a run that an earlier state of the manifests may have led to."""
    owner = mostly(rng, OWNER, ALIAS, OTHER, of=4)
    key = rng.choice([*(key for _, key in declared), *ORPHANS])
    found = declared.get((OTHER if owner == OTHER else OWNER, key))
    spec = found or desired(key, rng.choice(TITLES))
    spec = replace(spec, state=State.OPEN, previous_keys=None)
    if seldom(rng, 3):
        spec = replace(spec, title=rng.choice(TITLES))
    if seldom(rng):
        spec = replace(spec, description=rng.choice(TEXTS))
    if seldom(rng):
        spec = replace(spec, milestone=None, assignee=None)
    if seldom(rng) or not spec.query_plans:
        earlier = desired(key, folders=rng.choice(FOLDERS))
        spec = replace(spec, type=earlier.type, query_plans=earlier.query_plans)
    revision = rng.choice([1, 2, 3])
    title = spec.title if revision == 1 else f"{spec.title[:200]} (r{revision})"
    mark: dict[str, Any] = {"owner": owner, "is_protected": seldom(rng)}
    if seldom(rng):
        mark["selection"] = UNKNOWN
    renamed = mostly(rng, "", "Renamed by hand")
    return made(run_id, spec, revision, title=title, mark=mark, renamed=renamed)


def draw_case(rng: Random) -> Case:
    """Draw manifests, a live side and approvals."""
    manifests = draw_manifests(rng)
    world = draw_world(rng, manifests)
    manifests = tuple(
        replace(m, runs=tuple(foreseen(spec, m, manifests, world) for spec in m.runs))
        for m in manifests
    )
    approvals = {
        "keys": frozenset(key for key in KEYS + ORPHANS if seldom(rng, 3)),
        "allow_empty": seldom(rng, 1),
        "targets": mostly(rng, (), ("a",), ("[ab]", "z*")),
    }
    return Case(manifests, world, approvals, mostly(rng, (), (LeftOut("4", OWNER, PROJECT),)))


def cases() -> st.SearchStrategy[Case]:
    """Draw cases: slowly and so that they shrink, or fast for a long campaign."""
    if IS_THOROUGH:
        return st.integers(0, 2**64).map(lambda seed: draw_case(Random(seed)))  # noqa: S311  no secret
    return st.randoms(use_true_random=False).map(draw_case)


def foreseen(
    spec: RunSpec, own: Manifest, manifests: tuple[Manifest, ...], world: World
) -> RunSpec:
    """Let a declaration name no run that only an apply will make: nobody knows its id.

    Nor the title of a run that the apply of another owner will make: owners don't wait.
    """
    if spec.adopt is not None and spec.adopt not in world.runs:
        spec = replace(spec, adopt=NO_RUN)
    source = spec.clone_from
    if source is None:
        return spec
    titles = {s.title for m in manifests if m.owner != own.owner for s in m.runs}
    if source.run_id is not None and source.run_id not in world.runs:
        source = replace(source, run_id=NO_RUN)
    if source.title in titles:
        source = replace(source, title="Old run")
    return replace(spec, clone_from=source)
