"""Bugs that are planted on purpose: a campaign that does not find them proves nothing.

A plant is a small change of the program's source. It is made in memory only, by exchanging the
code of one function, so that no file is ever touched.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

from torture.problems import Wrong

PACKAGE = "runs_as_code"
PLANTED = "TORTURE_PLANTED"
"""The environment variable that names the bug to plant, for the processes of a campaign."""


@dataclass(frozen=True)
class Plant:
    """One change: in this function, `old` becomes `new`."""

    module: str
    function: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A bug that somebody could make, the kind of virtual story that must find it, and as what."""

    what: str
    kind: str
    wrong: Wrong
    plants: tuple[Plant, ...]


def _bug(what: str, kind: str, wrong: Wrong, *changes: tuple[str, str, str, str]) -> Bug:
    return Bug(what, kind, wrong, tuple(Plant(*change) for change in changes))


BUGS = {
    "blind-retry": _bug(
        "a POST whose reply is lost is sent again without a look",
        "lost",
        Wrong.DUPLICATE,
        (
            "provider.retry",
            "may_repeat",
            "not outcome.is_final and not (request.is_write and outcome.was_sent)",
            "not outcome.is_final",
        ),
        (
            "provider.retry",
            "may_repeat",
            "return not request.is_write and outcome.status in TRANSIENT",
            "return outcome.status in TRANSIENT",
        ),
    ),
    "close-before-verify": _bug(
        "the old run is closed before the new one was proved",
        "calm",
        Wrong.CLOSE,
        (
            "engine.executor",
            "ProjectExecutor._make",
            "if action.key in self._awaited:",
            "if action.key in ():",
        ),
    ),
    "marker-ignored": _bug(
        "a run is closed whatever marker it bears by now",
        "put off",
        Wrong.CLOSE,
        (
            "engine.checks",
            "close_objection",
            "if marker_of(run) != action.marker:",
            "if marker_of(run) != marker_of(run):",
        ),
    ),
    "precondition-skipped": _bug(
        "the look before a close decides nothing",
        "put off",
        Wrong.CLOSE,
        ("engine.closing", "_look_and_send", "if objection:", "if None:"),
    ),
    "limit-off-by-one": _bug(
        "one close more than the limit allows",
        "limit of closes",
        Wrong.CLOSE,
        (
            "planning.policy",
            "too_many_closes",
            "if count > limits.close:",
            "if count > limits.close + 1:",
        ),
    ),
    "percent-off-by-one": _bug(
        "a share that is just beyond the limit is let through",
        "limit of percent",
        Wrong.CLOSE,
        (
            "planning.policy",
            "too_many_closes",
            "count * 100 > limits.percent * open_runs",
            "count * 100 > (limits.percent + 1) * open_runs",
        ),
    ),
    "results-ignored": _bug(
        "results that were recorded since the plan don't keep a run open",
        "put off",
        Wrong.RESULT,
        (
            "engine.checks",
            "close_objection",
            "_work_objection(action, run) or ",
            "",
        ),
    ),
    "successor-ignored": _bug(
        "a run is closed though nothing follows it any more",
        "put off",
        Wrong.CLOSE,
        (
            "engine.checks",
            "_successor_objection",
            "if run is None or not run.is_open:",
            "if run is None:\n        return ''\n    if False:",
        ),
    ),
    "younger-list-ignored": _bug(
        "a close goes by its own look although a later list showed more",
        "older",
        Wrong.CLOSE,
        (
            "engine.closing",
            "_last_seen",
            "if whole is None or incomplete_listing(whole):",
            "if True:",
        ),
    ),
    "clone-unproved": _bug(
        "a run is closed although nobody looked at the clone that was made of it",
        "inherited",
        Wrong.CLOSE,
        (
            "planning.dependencies",
            "awaited_makes",
            "{place_of(name, plan.owner) for close in plan.closes for name in close.cloned_by}",
            "set()",
        ),
    ),
    "signal-ignored": _bug(
        "writes that were put off are sent after a signal",
        "stopped",
        Wrong.WRITE,
        (
            "engine.context",
            "StopSignal.objection",
            "if self.requested is not None:",
            "if None:",
        ),
    ),
    "turn-waited-for": _bug(
        "a write that waited for the rate of the key is sent after a signal",
        "stopped",
        Wrong.WRITE,
        (
            "provider.client",
            "QaSphereClient._attempt",
            "if request.is_write and not request.attempt.may_go():",
            "if None:",
        ),
    ),
    "copies-are-ours": _bug(
        "a run that somebody cloned, marker and all, counts as ours",
        "calm",
        Wrong.CONVERGENCE,
        ("planning.ownership", "ProjectRuns.ownership", "if marked.is_copy:", "if None:"),
    ),
    "owner-ignored": _bug(
        "a run with anybody's marker counts as ours",
        "calm",
        Wrong.CLOSE,
        (
            "planning.ownership",
            "ProjectRuns.ownership",
            "if marker.owner != owner and marker.owner not in aliases:",
            "if marker.owner is None:",
        ),
    ),
}


def code_of(plants: Sequence[Plant]) -> CodeType:
    """Compile the changed source of a module and return the code of the changed function.

    Raises LookupError where the source has another wording by now: the plant must follow it.
    """
    function = function_of(plants[0])
    path = Path(inspect.getsourcefile(function) or "")
    before = after = inspect.getsource(function)
    for plant in plants:
        if after.count(plant.old) != 1:
            raise LookupError(f"{plant.function} has not exactly one `{plant.old}`")
        after = after.replace(plant.old, plant.new)
    source = path.read_text("utf-8").replace(before, after)
    return _find(compile(source, str(path), "exec"), plants[0].function)


def _find(code: CodeType, name: str) -> CodeType:
    waiting = [code]
    while waiting:
        inner = [const for const in waiting.pop().co_consts if isinstance(const, CodeType)]
        for one in inner:
            if one.co_qualname == name:
                return one
        waiting += inner
    raise LookupError(f"no function `{name}`")


def function_of(plant: Plant) -> FunctionType:
    """Return the function that a plant changes."""
    found = reduce(getattr, plant.function.split("."), import_module(f"{PACKAGE}.{plant.module}"))
    assert isinstance(found, FunctionType)
    return found


def plant(name: str) -> None:
    """Plant a bug for good; an empty name plants none."""
    if name:
        for function, code in _changes(name):
            function.__code__ = code


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug for a while."""
    before = [(function, function.__code__) for function, _ in _changes(name)]
    plant(name)
    try:
        yield
    finally:
        for function, code in before:
            function.__code__ = code


def _changes(name: str) -> list[tuple[FunctionType, CodeType]]:
    by_function: dict[tuple[str, str], list[Plant]] = {}
    for one in BUGS[name].plants:
        by_function.setdefault((one.module, one.function), []).append(one)
    return [(function_of(plants[0]), code_of(plants)) for plants in by_function.values()]
