"""Checks that no run is two owners': what `ownerAliases` claims beside other manifests.

Whoever claims the runs of an owner who is still there would close them as its own.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.source import read_text
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import SeqNode, locate
from runs_as_code.model.desired import LeftOut


def check_aliases(documents: Iterable[Document], left_out: Iterable[LeftOut]) -> None:
    """Check each alias against the manifests of that owner, and of others with the same alias.

    The file with the alias is wrong: an owner has its own name. An owner who is still there hands
    a run over by declaring its key `state: unmanaged`.
    """
    owners, claimants = _Files(), _Files()
    given = [document for document in documents if _owner(document)]
    for document in given:
        owners.add(_owner(document), document)
        for alias in set(document.aliases) - {_owner(document)}:
            claimants.add(alias, document)
    beside = _Beside(left_out)
    verdicts: dict[tuple[Any, ...], tuple[str, str] | None] = {}
    for document in given:
        for alias, place in _aliases(document):
            question = (document.scope, _owner(document), alias)
            if question not in verdicts:
                own = _keys(owners.like(document, _owner(document)))[0]
                there = owners.like(document, alias) or beside.of(alias, document)
                rivals = claimants.like(document, alias)
                verdicts[question] = _taken(own, there) if there else _shared(own, rivals, document)
            verdict = verdicts[question]
            if verdict is not None:
                _refuse(document, alias, place, *verdict)


def _taken(own: set[str], there: list[Document]) -> tuple[str, str] | None:
    """Say why the alias of an owner who is still there is none, None where it is."""
    managed, handed_over = _keys(there)
    where = locate(there[0].file, there[0].root.value_place("owner"))
    whose = f"the owner of the manifest at {where}"
    if shared := own & managed:
        return whose, f"both declare {quote(min(shared))}"
    if not own & handed_over:
        return whose, "no key of this file is handed over there"
    return None


def _shared(own: set[str], claimants: list[Document], document: Document) -> tuple[str, str] | None:
    """Say which other owner has the same alias for a key of this one, None where nobody has."""
    for other in claimants:
        if _owner(other) != _owner(document) and (shared := own & _keys([other])[0]):
            whose = f"an alias of {quote(_owner(other))} as well, in {quote(other.file)}"
            return whose, f"both declare {quote(min(shared))}"
    return None


def _owner(document: Document) -> str:
    return document.text("owner")


class _Files:
    """Files by project and the name that each stands for."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], list[Document]] = {}

    def add(self, name: str, document: Document) -> None:
        """Take in a file."""
        self._files.setdefault((document.scope[1], name), []).append(document)

    def like(self, document: Document, name: str) -> list[Document]:
        """Return a name's files in the document's project; without a server one may be of any."""
        server, project = document.scope
        found = self._files.get((project, name), ())
        return [other for other in found if other.scope[0] in {server, ""} or not server]


def _aliases(document: Document) -> Iterator[tuple[str, int]]:
    """Yield the aliases that are other names than the owner's, with their places."""
    aliases = document.root.get("ownerAliases")
    if isinstance(aliases, SeqNode):
        for alias, place in zip(aliases, aliases.places, strict=True):
            if isinstance(alias, str) and alias != _owner(document):
                yield alias, place


def _keys(documents: Iterable[Document]) -> tuple[set[str], set[str]]:
    """Return the keys that files manage, former ones included, and those they leave alone."""
    managed: set[str] = set()
    unmanaged: set[str] = set()
    for document in documents:
        for run in document.runs():
            if run.merged.get("state") == "unmanaged":
                unmanaged.add(run.key)
                continue
            managed.add(run.key)
            previous = run.fields.get("previousKeys")
            if isinstance(previous, SeqNode):
                managed.update(key for key in previous if isinstance(key, str))
    return managed, unmanaged


class _Beside:
    """The files that were not given but surely are manifests, read once and only if asked for."""

    def __init__(self, left_out: Iterable[LeftOut]) -> None:
        self._names: dict[str, list[str]] = {}
        self._files = _Files()
        for left in left_out:
            self._names.setdefault(left.owner, []).append(left.file)

    def of(self, owner: str, document: Document) -> list[Document]:
        """Return the manifests of an owner in the project of a document."""
        for file in self._names.pop(owner, ()):
            other = _load(file)
            if other is not None and _owner(other) == owner:
                self._files.add(owner, other)
        return self._files.like(document, owner)


def _load(path: str) -> Document | None:
    silent = Findings(path)
    text = read_text(path, silent)
    root = None if text is None else load(text, silent)
    return None if root is None else Document(root, silent)


def _refuse(document: Document, alias: str, place: int, whose: str, why: str) -> None:
    document.findings.add(
        "alias-in-use",
        place,
        f"the alias {quote(alias)} is {whose}: {why}",
        expected="a former owner, whose runs are nobody else's now",
        hint="leave the alias out; an owner who is still there hands a run over by"
        " `KEY: {state: unmanaged}` in its own file",
    )
