"""What the HTML page of a plan shows: texts made safe, and bars as numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from runs_as_code.model.actions import MakeRun
from runs_as_code.model.desired import Field
from runs_as_code.model.live import StatusCounts
from runs_as_code.model.plan import Block, Change, FieldDiff, Outcome, Plan, ProjectPlan
from runs_as_code.report.changes import (
    MESSAGE_LIMIT,
    Surroundings,
    detail_lines,
    is_quiet,
    own_run,
    symbol_of,
    why_words,
)
from runs_as_code.report.fields import both_words, fate_words
from runs_as_code.report.names import NAME_LIMIT, Names
from runs_as_code.report.outputs.markdown import next_step, rank
from runs_as_code.report.outputs.wording import Pieces, changed_words
from runs_as_code.report.safe import safe
from runs_as_code.report.style import PLAIN, Symbol
from runs_as_code.report.summary import (
    closes_words,
    cost_words,
    kind_of,
    summarize,
    summary_words,
    withheld_words,
)
from runs_as_code.report.text import headline
from runs_as_code.report.words import TITLE_LIMIT, action_words, count

WIDTH = 1_000
"""The width of a bar in its own units."""

_TEXT_LIMIT = 600
_LABELS = {
    "create": "create",
    "clone": "clone",
    "replace": "replace",
    "close": "close",
    "blocked": "blocked",
    "decide": "decide",
    "orphans": "orphan",
    "adopted": "adopt",
    "stay_closed": "closed by somebody",
    "unmanaged": "not managed",
    "unchanged": "unchanged",
    "drifted": "drift",
}
# The emoji of the terminal is a box where there is no font of emoji.
_SIGNS = {Symbol.BLOCKED: "\u2298", Symbol.CLOSE: "\u00d7", Symbol.REPLACE: "+/\u2212"}
_TEXTS = frozenset({Field.TITLE.value, Field.DESCRIPTION.value})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar; start and width in units of the bar."""

    kind: str
    count: int
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Work:
    """How far runs have come: a stacked bar by status, and how much of it is recorded."""

    parts: tuple[Part, ...]
    words: str
    coverage: str


@dataclass(frozen=True, slots=True)
class Row:
    """A field with its two values in pieces, and what becomes of the difference."""

    name: str
    old: Pieces
    new: Pieces
    fate: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """An action in words; `kind` is `make` or `close`."""

    kind: str
    words: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A block, and the ways out."""

    rule: str
    message: str
    line: str
    flag: str
    place: str


@dataclass(frozen=True, slots=True)
class Card:
    """One change; `kinds` are the names it is found under, divided by blanks."""

    kind: str
    kinds: str
    sign: str
    label: str
    key: str
    title: str
    why: str
    place: str
    run: str
    is_withheld: bool
    work: Work | None
    fields: tuple[Row, ...]
    drift: tuple[Row, ...]
    drift_before: str
    actions: tuple[Act, ...]
    blocks: tuple[Stop, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """How many changes there are of a kind."""

    kind: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Place:
    """One owner in one project; `keys` are the changes with nothing to say."""

    name: str
    owner: str
    server: str
    summary: str
    makes: int
    closes: int
    work: Work | None
    refusals: tuple[Stop, ...]
    cards: tuple[Card, ...]
    keys: tuple[Card, ...]
    keys_words: str
    unmanaged: tuple[tuple[int, str], ...]
    unmanaged_words: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All of a plan."""

    headline: str
    heading: str
    is_withheld: bool
    withheld: str
    closes: str
    created_at: str
    digest: str
    cost: str
    next: str
    command: str
    version: str
    files: tuple[str, ...]
    chips: tuple[Chip, ...]
    projects: tuple[Place, ...]


def plan_page(plan: Plan, *, digest: str, command: str, version: str) -> Page:
    """Return what the page of a plan shows; `command` is what applies it."""
    words, line = next_step(plan, command)
    return Page(
        headline=headline(plan),
        heading=_heading(plan),
        is_withheld=plan.is_withheld,
        withheld=withheld_words(plan),
        closes=closes_words(plan),
        created_at=safe(plan.created_at, NAME_LIMIT),
        digest=safe(digest),
        cost=cost_words(plan),
        next=words,
        command=safe(line, MESSAGE_LIMIT),
        version=safe(version),
        files=tuple(safe(file) for file in plan.files),
        chips=_chips(plan),
        projects=tuple(_place(project) for project in plan.projects),
    )


def _heading(plan: Plan) -> str:
    """Say in a few words what becomes of the plan; the counts of its kinds stand below."""
    makes = sum(len(project.makes) for project in plan.projects)
    closes = sum(len(project.closes) for project in plan.projects)
    make, close = ("make", "close") if plan.is_withheld else ("makes", "closes")
    parts = [f"{make} {count(makes, 'run')}"] if makes else []
    parts += [f"{close} {count(closes, 'run')}"] if closes else []
    if parts and plan.is_withheld:
        return f"This plan is withheld: nothing is done. The rest would {' and '.join(parts)}"
    if parts:
        return f"This plan {' and '.join(parts)}"
    if any(project.refusals for project in plan.projects):
        return "This plan is refused: nothing will be done"
    return "This plan waits for a decision" if plan.is_pending else headline(plan)


def work_of(counts: Iterable[StatusCounts]) -> Work | None:
    """Return the bar of some runs together; None where they hold no test cases."""
    given = list(counts)
    total = {
        field.name: sum(getattr(each, field.name) for each in given)
        for field in fields(StatusCounts)
    }
    every = total.pop("all")
    if every <= 0:
        return None
    still_open = total.pop("open")
    total["other"] = max(0, every - still_open - sum(total.values()))
    total["open"] = still_open
    recorded = every - still_open
    words = ", ".join(f"{number} {kind}" for kind, number in total.items() if number)
    # Rounded down, so that only what is complete reads 100 %.
    percent = max(0, recorded) * 100 // every
    coverage = f"{recorded} of {every} recorded, {percent} %"
    return Work(_parts(total, sum(total.values())), words, coverage)


def _parts(numbers: dict[str, int], every: int) -> tuple[Part, ...]:
    parts = []
    before = 0
    for kind, number in numbers.items():
        if number > 0:
            start = before * WIDTH // every
            before += number
            parts.append(Part(kind, number, start, before * WIDTH // every - start))
    return tuple(parts)


def _chips(plan: Plan) -> tuple[Chip, ...]:
    summary = summarize(change for project in plan.projects for change in project.changes)
    chips = (Chip(kind, label, getattr(summary, kind)) for kind, label in _LABELS.items())
    return tuple(chip for chip in chips if chip.count)


def _place(project: ProjectPlan) -> Place:
    around = Surroundings(PLAIN, Names(project), is_refused=bool(project.refusals))
    ordered = sorted(project.changes, key=rank)
    quiet = [change for change in ordered if is_quiet(change)]
    own_runs = [run for change in ordered if (run := own_run(change)) is not None]
    return Place(
        name=safe(project.project, NAME_LIMIT),
        owner=safe(project.owner, NAME_LIMIT),
        server=safe(project.server),
        summary=summary_words(summarize(project.changes)) or "nothing declared",
        makes=len(project.makes),
        closes=len(project.closes),
        work=work_of(run.counts for run in own_runs if run.is_open),
        refusals=tuple(map(_stop, project.refusals)),
        cards=tuple(_card(change, around) for change in ordered if not is_quiet(change)),
        keys=tuple(_card(change, around) for change in quiet),
        keys_words=f"{count(len(quiet), 'key')} with nothing to say",
        unmanaged=tuple((run.id, safe(run.title, TITLE_LIMIT)) for run in project.unmanaged),
        unmanaged_words=f"{count(len(project.unmanaged), 'open run')} that nobody manages",
        notes=tuple(safe(note, MESSAGE_LIMIT) for note in project.notes),
    )


def _card(change: Change, around: Surroundings) -> Card:
    kind = kind_of(change)
    run = own_run(change)
    symbol = symbol_of(change)
    return Card(
        kind=kind,
        kinds=f"{kind} drifted" if change.drift else kind,
        sign=_SIGNS.get(symbol, symbol.value[0]),
        label="drift" if symbol is Symbol.DRIFT else _LABELS[kind],
        key=safe(change.key, NAME_LIMIT),
        title=safe(change.title, TITLE_LIMIT),
        why=why_words(change, around),
        place="" if change.location is None else safe(str(change.location), MESSAGE_LIMIT),
        run="" if run is None else f"run {run.id}",
        is_withheld=change.is_withheld or around.is_refused,
        work=None if run is None else work_of([run.counts]),
        fields=tuple(
            Row(safe(diff.field), *changed_words(*_values(diff))) for diff in change.fields
        ),
        drift=tuple(_drift(diff, change) for diff in change.drift),
        drift_before="in the file" if change.outcome is Outcome.ADOPT else "as applied",
        actions=tuple(_acts(change, around)),
        blocks=tuple(map(_stop, change.blocks)),
        notes=tuple(safe(note, MESSAGE_LIMIT) for note in change.notes),
    )


def _drift(diff: FieldDiff, change: Change) -> Row:
    live, desired = _values(diff)
    return Row(safe(diff.field), *changed_words(desired, live), fate_words(diff, change))


def _values(diff: FieldDiff) -> tuple[str, str]:
    if diff.field not in _TEXTS:
        return both_words(diff)
    return _text(diff.old.name), _text(diff.new.name)


def _text(text: str | None) -> str:
    return safe(text, _TEXT_LIMIT) if text else "(empty)"


def _acts(change: Change, around: Surroundings) -> Iterable[Act]:
    would = "would " if change.is_withheld or around.is_refused else ""
    for action in change.actions:
        details = detail_lines(change, action, around.names)
        words = would + action_words(action, change.title)
        yield Act("make" if isinstance(action, MakeRun) else "close", words, tuple(details))


def _stop(block: Block) -> Stop:
    return Stop(
        rule=safe(block.rule, NAME_LIMIT),
        message=safe(block.message, MESSAGE_LIMIT),
        line=safe(block.line, MESSAGE_LIMIT),
        flag=safe(block.flag, MESSAGE_LIMIT),
        place="" if block.location is None else safe(str(block.location), MESSAGE_LIMIT),
    )
