"""What races need: a second commit of the same keys, and the truth of what processes print."""

from collections.abc import Iterable

from torture.estate import OPEN_AFTER, SECOND, Document, live, manifest
from torture.ground import Ground
from torture.problems import Problem, Wrong
from torture.processes import Exit

KNOWN_CODES = frozenset({0, 1, 5, 6, 7, 8, 9, 130, 143})


def _third() -> Document:
    runs = dict(SECOND["runs"])
    runs["retitled"] = live("Menu, third title", "Menu", milestone="Sprint 24")
    runs["reselected"] = live("Checkout by folder", "Cart", assignee=7)
    runs["fresh"] = live("Quite new, other words", "Cart", milestone="Sprint 24")
    del runs["fresh-fixed"]
    return manifest(runs)


THIRD = _third()
THIRD_OPEN = OPEN_AFTER - {"fresh-fixed"}


def untrue_exits(ground: Ground, exits: Iterable[Exit]) -> list[Problem]:
    """Return what processes said that is not so; others may have worked at the same time."""
    truth = ground.truth()
    found = []
    for one in exits:
        if one.code not in KNOWN_CODES or "internal error" in one.err or "Traceback" in one.err:
            found.append(f"{one.who}: exit {one.code}: {one.err[-300:]}")
        for result in one.report["results"] if one.report else ():
            action, status = result["action"], result["status"]
            is_good = status in {"done", "already-done"}
            if one.code == 0 and not is_good:
                found.append(f"{one.who}: exit 0, but {action['address']} is {status}")
            if not is_good:
                continue
            run = truth.get(result["runId"])
            if run is None:
                found.append(f"{one.who}: {action['address']} names run {result['runId']}")
            elif action["kind"] == "close" and run.seen.is_open:
                found.append(f"{one.who}: {action['address']} is open")
            elif action["kind"] == "make" and run.seen.marker not in {"", action["marker"]}:
                found.append(f"{one.who}: {action['address']} bears another marker")
    return [Problem(Wrong.WORD, text) for text in found]
