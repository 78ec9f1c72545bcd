"""Plans, reports, lists and diagnostics built by hand, for the golden files and the unit tests."""

from dataclasses import replace

from runs_as_code.errors import ExitCode
from runs_as_code.model.actions import CloseReason, CloseRun, MakeRun
from runs_as_code.model.listing import ListedAs, ListedRun
from runs_as_code.model.live import LiveRun, StatusCounts
from runs_as_code.model.plan import (
    Block,
    Change,
    Cost,
    FieldDiff,
    Outcome,
    Plan,
    ProjectPlan,
    Reason,
    Value,
)
from runs_as_code.model.provider import ResolvedPlan
from runs_as_code.model.report import ActionResult, ApplyReport, Finding, Status
from runs_as_code.model.source import Diagnostic, Location, Severity

DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTED = "https://acme.eu1.qasphere.com"
CREATED_AT = "2026-09-01T06:00:00Z"
HALF_DONE = StatusCounts(all=20, open=5, passed=12, failed=3)
UNTOUCHED = StatusCounts(all=20, open=20)
MIXED = StatusCounts(all=30, open=4, passed=10, failed=6, blocked=5, skipped=3)
HOSTILE = "\x1b[2Jevil\nrun\u202egnp.exe\u200b\x9b31m\u2066\x07\x00 " + "A" * 40


def at(line, column=3, file="qa/web.yaml"):
    return Location(file, line, column)


def live(run_id, title, counts=UNTOUCHED, **more):
    fields = {"milestone_id": 5, "milestone_title": "Sprint 23"} | more
    return LiveRun(run_id, title, f"text of {title}", "live", counts, **fields)


def make(key, revision, title, **more):
    marker = f"[qarun:1 web-team {key} r{revision} saaaaaaaa dbbbbbbbb tcccccccc ndddddddd m6 a- u]"
    fields = {"type": "live", "milestone_id": 6} | more
    return MakeRun(key, revision, marker, title, f"What it is for.\n\n{marker}", **fields)


def close(key, run, reason, **more):
    marker = f"[qarun:1 web-team {key} r1 saaaaaaaa dbbbbbbbb tcccccccc ndddddddd m5 a- u]"
    fields = {"marker": marker, "counts": run.counts, "time_spent": run.time_spent} | more
    return CloseRun(key, run.id, run.title, reason, **fields)


MILESTONE = FieldDiff("milestone", Value("Sprint 23", 5), Value("Sprint 24", 6))
SELECTION = FieldDiff(
    "queryPlans", Value(), Value("folders Checkout (1), Cart/Discounts (4); priorities high")
)
REASSIGNED = FieldDiff("assignee", Value("bob@example.com", 3), Value("ann@example.com", 2))

CREATE = Change(
    "cart-smoke",
    Outcome.CREATE,
    Reason.NOT_FOUND,
    "Cart smoke",
    at(8),
    actions=(
        make(
            "cart-smoke",
            1,
            "Cart smoke",
            assignee_id=2,
            query_plans=(
                ResolvedPlan(folder_ids=(1, 4), priorities=("high",)),
                ResolvedPlan(folder_ids=(9,), tag_ids=(3, 7)),
            ),
        ),
    ),
)
CREATE_STATIC = Change(
    "certification",
    Outcome.CREATE,
    Reason.TITLE_CHANGED,
    "Release 2.4 certification",
    at(12),
    run=live(
        3,
        "Release 2.3 certification",
        closed_at="2026-08-03T09:30:00Z",
        closed_by=3,
        assignee_id=3,
        assignee_email="bob@example.com",
    ),
    actions=(
        make(
            "certification",
            2,
            "Release 2.4 certification",
            type="static",
            milestone_id=None,
            query_plans=(ResolvedPlan(tcase_ids=("a", "b")),),
            members=("a", "b"),
            known_runs=(3,),
        ),
    ),
)
CLONE = Change(
    "sprint-24-again",
    Outcome.CLONE,
    Reason.NOT_FOUND,
    "Sprint 24 checkout regression, second round",
    at(16),
    actions=(
        make(
            "sprint-24-again",
            1,
            "Sprint 24 checkout regression, second round",
            source_key="checkout",
            milestone_id=None,
        ),
    ),
)
RUN_12 = live(12, "Sprint 24 checkout regression", HALF_DONE)
REPLACE = Change(
    "checkout",
    Outcome.REPLACE_BY_CLONE,
    Reason.FIELDS_CHANGED,
    "Sprint 24 checkout regression",
    at(20),
    run=RUN_12,
    fields=(
        MILESTONE,
        FieldDiff(
            "description",
            Value("Everything that touches money, from the cart to the receipt. " * 2),
            Value("Everything that touches money, from the cart to the receipt. " * 2 + "And VAT."),
        ),
    ),
    drift=(REASSIGNED,),
    actions=(
        make(
            "checkout",
            2,
            "Sprint 24 checkout regression (r2)",
            source_run=12,
            assignee_id=2,
            known_runs=(11, 12),
        ),
        close(
            "checkout",
            live(11, "Sprint 24 checkout"),
            CloseReason.OLDER,
            successor_key="checkout",
        ),
        close(
            "checkout",
            RUN_12,
            CloseReason.REPLACED,
            successor_key="checkout",
            cloned_by=("payment",),
            time_spent=90_000,
        ),
    ),
)
RUN_13 = live(13, "Search regression", MIXED)
BLOCKED = Change(
    "search",
    Outcome.REPLACE_BY_CREATE,
    Reason.SELECTION_CHANGED,
    "Search regression",
    at(25),
    run=RUN_13,
    fields=(SELECTION,),
    actions=(
        make(
            "search",
            2,
            "Search regression (r2)",
            query_plans=(ResolvedPlan(folder_ids=(1, 4), priorities=("high",)),),
        ),
        close("search", RUN_13, CloseReason.REPLACED, successor_key="search"),
    ),
    blocks=(
        Block(
            "has-results",
            "run 13 would be replaced although 26 of 30 cases have results",
            "replace: r2",
            "--approve search",
            at(25),
        ),
    ),
)
RUN_9 = live(9, "Sprint 23 regression", HALF_DONE)
CLOSE = Change(
    "sprint-23",
    Outcome.CLOSE,
    Reason.DECLARED_CLOSED,
    "Sprint 23 regression",
    at(30),
    run=RUN_9,
    actions=(close("sprint-23", RUN_9, CloseReason.DECLARED),),
)
RUN_7 = live(7, "Old import suite")
PRUNE = Change(
    "old-import",
    Outcome.CLOSE,
    Reason.NO_LONGER_DECLARED,
    "Old import suite",
    run=RUN_7,
    actions=(close("old-import", RUN_7, CloseReason.PRUNED),),
)
ORPHAN = Change(
    "old-export",
    Outcome.ORPHAN,
    Reason.NO_LONGER_DECLARED,
    "Old export suite",
    run=live(8, "Old export suite", HALF_DONE),
    notes=("prune: keep; `state: closed` closes it, `prune: close` closes all such runs",),
)
DECIDE = Change(
    "profile",
    Outcome.DECIDE,
    Reason.MARKER_LOST,
    "Profile pages",
    at(35),
    run=live(21, "Profile pages"),
    blocks=(
        Block(
            "marker-lost",
            "run 21 `Profile pages` bears the title of `profile` and has no marker",
            "adopt: {run: 21}",
            location=at(35),
        ),
    ),
)
DRIFTED = Change(
    "login",
    Outcome.KEEP,
    Reason.UNCHANGED,
    "Login",
    at(40),
    run=live(30, "Login", assignee_id=3, assignee_email="bob@example.com"),
    drift=(REASSIGNED,),
)
ADOPTED = Change(
    "by-hand",
    Outcome.ADOPT,
    Reason.ADOPTED,
    "Made by hand",
    at(44),
    run=live(41, "Made by hand", HALF_DONE),
    drift=(MILESTONE,),
    notes=("selection: unknown, not applied",),
)
STAYS_CLOSED = Change(
    "hotfix",
    Outcome.STAY_CLOSED,
    Reason.CLOSED_BY_SOMEBODY,
    "Hotfix 2.3.1",
    at(48),
    run=live(17, "Hotfix 2.3.1", HALF_DONE, closed_at="2026-08-30T16:20:00Z", closed_by=3),
)
UNMANAGED = Change(
    "manual", Outcome.UNMANAGED, Reason.DECLARED_UNMANAGED, "Manual", at(52), run=live(18, "Manual")
)
UNRESOLVED = Change(
    "tagged",
    Outcome.KEEP,
    Reason.UNRESOLVED,
    "Tagged cases",
    at(56),
    run=live(19, "Tagged cases"),
    blocks=(
        Block(
            "unresolved-name",
            "no tag `smok` in this project",
            "did you mean `smoke`?",
            location=at(60, 15),
        ),
    ),
)


def kept(number):
    title = f"Suite {number}"
    return Change(
        f"suite-{number}",
        Outcome.KEEP,
        Reason.UNCHANGED,
        title,
        at(100 + number),
        run=live(100 + number, title),
    )


KEPT = tuple(kept(number) for number in range(1, 4))
EVERYTHING = (
    ADOPTED,
    CREATE,
    CREATE_STATIC,
    REPLACE,
    STAYS_CLOSED,
    DRIFTED,
    UNMANAGED,
    ORPHAN,
    PRUNE,
    DECIDE,
    BLOCKED,
    CLOSE,
    CLONE,
    *KEPT,
    UNRESOLVED,
)
FULL_PROJECT = ProjectPlan(
    HOSTED,
    "BD",
    "web-team",
    changes=tuple(sorted(EVERYTHING, key=lambda change: change.key)),
    unmanaged=(live(50, "Ann's scratch run"), live(51, "Тест оплаты 🍕 結帳")),
    notes=("ownerAliases: `web` may go: no run depends on it any more",),
)
FULL = Plan(CREATED_AT, (FULL_PROJECT,), ("qa/web.yaml",), Cost(reads=14, writes=9, rate=20))
DOABLE = replace(
    FULL,
    projects=(
        replace(FULL_PROJECT, changes=tuple(c for c in FULL_PROJECT.changes if not c.is_withheld)),
    ),
)
"""The same without what is withheld."""
EMPTY = Plan(
    CREATED_AT, (ProjectPlan("embedded", "BD", "web-team", changes=KEPT),), cost=Cost(reads=1)
)
QUIET = Plan(
    CREATED_AT,
    (
        ProjectPlan(
            "embedded",
            "BD",
            "web-team",
            changes=(ADOPTED, DRIFTED, ORPHAN, STAYS_CLOSED, UNMANAGED, *KEPT),
        ),
    ),
    cost=Cost(reads=1),
)
NOTHING = Plan(CREATED_AT, (ProjectPlan("embedded", "BD", "web-team"),))
TOO_MANY = Block(
    "too-many-closes",
    "12 runs would be closed, and limits.percent is 30 of 20 open runs",
    "limits: {close: 12, percent: 100}",
    "--approve-closes 12",
)
REFUSED = Plan(
    CREATED_AT,
    (ProjectPlan("embedded", "BD", "web-team", changes=(CREATE, PRUNE), refusals=(TOO_MANY,)),),
    cost=Cost(reads=1),
)
SEVERAL = Plan(
    CREATED_AT,
    (
        ProjectPlan("embedded", "BD", "web-team", changes=(CREATE, *KEPT)),
        ProjectPlan("embedded", "PAY", "pay-team", changes=(PRUNE,), refusals=(TOO_MANY,)),
        ProjectPlan(HOSTED, "APP", "app-team", changes=KEPT),
    ),
    cost=Cost(reads=40, writes=1400, rate=20),
)
HOSTILE_RUN = live(
    66,
    HOSTILE,
    milestone_title=HOSTILE,
    assignee_id=3,
    assignee_email=HOSTILE,
    closed_at=HOSTILE,
    closed_by=3,
)
HOSTILE_PLAN = Plan(
    HOSTILE,
    (
        ProjectPlan(
            HOSTILE,
            HOSTILE,
            HOSTILE,
            changes=(
                Change(
                    HOSTILE,
                    Outcome.REPLACE_BY_CREATE,
                    Reason.FIELDS_CHANGED,
                    HOSTILE,
                    at(1, file=HOSTILE),
                    run=HOSTILE_RUN,
                    fields=(
                        FieldDiff("title", Value("Checkout"), Value(HOSTILE)),
                        FieldDiff("milestone", Value(HOSTILE, 5), Value(None, 6)),
                        FieldDiff("queryPlans", Value(), Value(HOSTILE)),
                        FieldDiff(HOSTILE, Value(), Value(HOSTILE, 1)),
                    ),
                    drift=(FieldDiff("assignee", Value(HOSTILE, 3), Value(None, 2)),),
                    actions=(
                        make(
                            HOSTILE,
                            2,
                            HOSTILE,
                            type=HOSTILE,
                            milestone_id=5,
                            assignee_id=3,
                            source_key=HOSTILE,
                            query_plans=(ResolvedPlan(priorities=(HOSTILE,)),),
                        ),
                        close(
                            "other",
                            HOSTILE_RUN,
                            CloseReason.REPLACED,
                            cloned_by=(HOSTILE,),
                        ),
                    ),
                    blocks=(Block(HOSTILE, HOSTILE, HOSTILE, HOSTILE, at(1, file=HOSTILE)),),
                    notes=(HOSTILE,),
                ),
                replace(STAYS_CLOSED, run=HOSTILE_RUN, key=HOSTILE, title=HOSTILE),
                replace(KEPT[0], key=HOSTILE, title=HOSTILE),
            ),
            refusals=(Block(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            unmanaged=(HOSTILE_RUN,),
            notes=(HOSTILE,),
        ),
    ),
)


def result(action, status, message="", run_id=None, **more):
    url = f"{HOSTED}/project/BD/run/{run_id}" if run_id else ""
    fields = {"server": HOSTED, "project": "BD", "owner": "web-team", "url": url} | more
    return ActionResult(action=action, status=status, message=message, run_id=run_id, **fields)


APPLIED = ApplyReport(
    results=(
        result(CREATE.actions[0], Status.DONE, run_id=61),
        result(REPLACE.actions[0], Status.ALREADY_DONE, run_id=62),
        result(REPLACE.actions[1], Status.DONE, run_id=11),
        result(REPLACE.actions[2], Status.DONE, run_id=12),
    ),
    changed_by_others=(
        Finding(HOSTED, "BD", "web-team", "login", "run 30 was closed by somebody"),
    ),
    is_read_back=True,
    calls=9,
)
FELL_SHORT = ApplyReport(
    results=(
        result(CREATE.actions[0], Status.DONE, run_id=61),
        result(
            CREATE_STATIC.actions[0],
            Status.FAILED,
            "the server refuses the title: too many runs",
            exit_code=ExitCode.ERROR,
        ),
        result(
            REPLACE.actions[0],
            Status.UNVERIFIED,
            "run 62 has milestone 5, and 6 was sent",
            run_id=62,
        ),
        result(REPLACE.actions[1], Status.SKIPPED, "its successor was not verified"),
        result(REPLACE.actions[2], Status.SKIPPED, "its successor was not verified"),
        result(CLOSE.actions[0], Status.STALE, "run 9 has 2 more results than planned", run_id=9),
        result(
            CLONE.actions[0],
            Status.UNKNOWN,
            "no reply came; look for a run titled `Sprint 24 checkout regression, second round`",
            exit_code=ExitCode.UNREACHABLE,
        ),
        result(
            PRUNE.actions[0],
            Status.DONE,
            run_id=7,
            server="embedded",
            project="PAY",
            owner="pay-team",
        ),
    ),
    findings=(
        Finding(HOSTED, "BD", "web-team", "certification", "is still to be created"),
        Finding(HOSTED, "BD", "web-team", "checkout", "run 62 differs from what was sent"),
    ),
    is_withheld=True,
    is_read_back=True,
    calls=27,
)
INTERRUPTED = ApplyReport(
    results=(
        result(CREATE.actions[0], Status.DONE, run_id=61),
        result(PRUNE.actions[0], Status.SKIPPED, "interrupted"),
    ),
    interrupted_by=ExitCode.SIGINT,
    calls=3,
)
NOTHING_APPLIED = ApplyReport(is_read_back=False, calls=1)

ROWS = (
    ListedRun(
        HOSTED,
        "BD",
        12,
        f"{HOSTED}/project/BD/run/12",
        "Sprint 24 checkout regression (r2)",
        ListedAs.MANAGED,
        "live",
        "web-team",
        "checkout",
        2,
        6,
        "Sprint 24",
        2,
        "ann@example.com",
        HALF_DONE,
    ),
    ListedRun(
        HOSTED,
        "BD",
        51,
        f"{HOSTED}/project/BD/run/51",
        "Тест оплаты 🍕 結帳",
        ListedAs.UNMANAGED,
        "static",
        counts=UNTOUCHED,
        closed_at="2026-08-30T16:20:00Z",
    ),
    ListedRun(
        "embedded",
        "PAY",
        3,
        "embedded/project/PAY/run/3",
        HOSTILE,
        ListedAs.COPY,
        "live",
        "pay-team",
        "refunds",
        1,
        9,
        None,
        4,
        None,
    ),
)

DIAGNOSTICS = (
    Diagnostic(
        "unknown-key",
        "unknown key `titel`",
        at(8, 5),
        "one of `title`, `description`, `type`",
        "did you mean `title`?",
    ),
    Diagnostic("duplicate-key", "the key `checkout` stands twice", at(20), hint="first at line 8"),
    Diagnostic(
        "no-assignee",
        "the run has no assignee",
        at(3, 1, "qa/pay.yaml"),
        severity=Severity.WARNING,
    ),
    Diagnostic("no-manifests", f"`{HOSTILE[:20]}` holds no manifests"),
)
