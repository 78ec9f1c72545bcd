"""Checks what the runs of one file, and of all given files, say of each other."""

from collections.abc import Iterable
from typing import Any

from runs_as_code.manifest.check_fields import check_key
from runs_as_code.manifest.document import Document, RunNode
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import MapNode, SeqNode, locate
from runs_as_code.model.text import clash_form

Claim = tuple[Any, ...]

_MAX_SUGGESTED = 5  # each costs 0.1 s where ten thousand keys are declared
_MAX_LINKS = 10


def check_clone_sources(document: Document) -> None:
    """Check that `cloneFrom` names declared keys, and that no run is cloned from itself."""
    declared = {entry[0] for entry in document.entries}
    sources: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown: list[tuple[str, int]] = []
    for run in document.runs():
        source = run.fields.get("cloneFrom")
        if not isinstance(source, str):
            continue
        place = run.fields.value_place("cloneFrom")
        if source in declared:
            sources[run.key] = source
            places[run.key] = place
        elif source:
            unknown.append((source, place))
    _report_unknown(unknown, declared, document.findings)
    for cycle in _cycles(sources):
        links = [quote(key) for key in cycle]
        if len(links) > _MAX_LINKS:
            links = [*links[:_MAX_LINKS], f"{len(links) - _MAX_LINKS} more"]
        chain = " -> ".join([*links, quote(cycle[0])])
        message = f"runs can't be cloned from each other: {chain}"
        hint = "give one of them `type` and `queryPlans` of its own"
        document.findings.add("clone-cycle", places[cycle[0]], message, hint=hint)


def check_across(documents: Iterable[Document]) -> None:
    """Check keys, titles, previous keys and adopted runs over all files."""
    registry = _Registry()
    documents = list(documents)
    for document in documents:
        registry.declare(document)
    for document in documents:
        for run in document.runs():
            previous = run.fields.get("previousKeys")
            if isinstance(previous, SeqNode):
                registry.check_previous(document, run, previous)


class _Registry:
    """Who claimed what first."""

    def __init__(self) -> None:
        self._keys: dict[Claim, tuple[str, int]] = {}
        self._previous: dict[Claim, tuple[str, int]] = {}
        self._titles: dict[Claim, tuple[str, int]] = {}
        self._adopted: dict[Claim, tuple[str, int]] = {}

    def declare(self, document: Document) -> None:
        """Take in the keys, titles and adopted runs of a file."""
        scope, owner, findings = document.scope, document.text("owner"), document.findings
        for key, _, place, _ in document.entries:
            first = _claim(self._keys, (scope, owner, key), findings.file, place)
            if first:
                message = f"the key {quote(key)} of {quote(owner)} is also declared at {first}"
                hint = "one key is one run: rename one of them, or give the files two owners"
                findings.add("duplicate-run", place, message, hint=hint)
        for run in document.runs():
            self._declare_title(scope, run, findings)
            self._declare_adopted(scope, run, findings)

    def _declare_title(self, scope: Claim, run: RunNode, findings: Findings) -> None:
        title = run.text("title")
        if not run.is_open or not title or not title.strip():
            return
        first = _claim(self._titles, (scope, clash_form(title)), findings.file, run.place)
        if first:
            message = f"the title {quote(title.strip())} is also that of the run at {first}"
            hint = "titles are unique in a project, whatever their case"
            findings.add("duplicate-title", run.place_of("title"), message, hint=hint)

    def _declare_adopted(self, scope: Claim, run: RunNode, findings: Findings) -> None:
        adopt = run.fields.get("adopt")
        if not isinstance(adopt, MapNode):
            return
        run_id = adopt.get("run")
        if not isinstance(run_id, int):
            return
        first = _claim(self._adopted, (scope, run_id), findings.file, run.place)
        if first:
            message = f"run {run_id} is also adopted by the key at {first}"
            place = adopt.value_place("run")
            findings.add("adopted-twice", place, message, hint="one run has one key")

    def check_previous(self, document: Document, run: RunNode, previous: SeqNode) -> None:
        """Check that previous keys are former keys of this run alone."""
        scope, findings = (document.scope, document.text("owner")), document.findings
        for key, place in zip(previous, previous.places, strict=True):
            rule = "bad-previous-key"
            if not isinstance(key, str) or not check_key(rule, key, place, findings):
                continue
            declared = self._keys.get((*scope, key))
            if key == run.key:
                message = f"{quote(key)} is the run's own key"
                findings.add(rule, place, message, hint="name the former key")
            elif declared:
                message = f"the previous key {quote(key)} is declared at {locate(*declared)}"
                findings.add(rule, place, message, hint="remove it there or here")
            else:
                first = _claim(self._previous, (*scope, key), findings.file, run.place)
                if first:
                    message = f"the previous key {quote(key)} is also claimed by {first}"
                    findings.add(rule, place, message, hint="one run had one key")


def _claim(claims: dict[Claim, tuple[str, int]], claim: Claim, file: str, place: int) -> str:
    """Take a claim; return the place of the first who has it, empty if that is this one."""
    first = claims.setdefault(claim, (file, place))
    return "" if first == (file, place) else str(locate(*first))


def _report_unknown(unknown: list[tuple[str, int]], declared: set[str], findings: Findings) -> None:
    if not unknown:
        return
    from difflib import get_close_matches  # noqa: PLC0415 -- for errors only

    known = sorted(declared)
    for index, (source, place) in enumerate(unknown):
        near = get_close_matches(source, known, n=1) if index < _MAX_SUGGESTED else []
        findings.add(
            "clone-unknown-key",
            place,
            f"no run {quote(source)} in this file",
            expected="a key of this file, `{run: ID}` or `{title: TEXT}`",
            hint=f"did you mean {quote(near[0])}?" if near else "",
        )


def _cycles(sources: dict[str, str]) -> list[list[str]]:
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in sources:
        path: dict[str, None] = {}
        key = start
        while key in sources and key not in done and key not in path:
            path[key] = None
            key = sources[key]
        if key in path:
            steps = list(path)
            cycles.append(steps[steps.index(key) :])
        done.update(path)
    return cycles
