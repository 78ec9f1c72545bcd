"""Finds files beside a given one that are, or may be, manifests of its owner and were not given.

Their runs would seem undeclared, so nothing of their owner is pruned. A file that can't be read or
parsed counts for each owner it may belong to; what is clearly something else never counts.
"""

import os
import re
from collections.abc import Iterable, Iterator

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.opening import read_bytes
from runs_as_code.manifest.source import MAX_BYTES, Source, beside, decode_leniently, real_path
from runs_as_code.manifest.tree import MapNode
from runs_as_code.model.desired import LeftOut

Scope = tuple[str, str]
"""Owner and project."""

# As a rule the runs come last, and there are many of them: what is above them is enough, unless
# what is below says once more whose they are.
_ABOVE_RUNS = "\nruns:"
_SAID_AGAIN = re.compile(r"""^(?:["']?(?:owner|project)\b|---)""", re.MULTILINE)
# Keys of the top level as lines of a broken file show them: unindented, or as JSON is written.
_TOP = r"""(?:^[ \t]*(?=["'])|^|[{,][ \t]*)["']?"""
_API_VERSION = re.compile(_TOP + r"""apiVersion["']?[ \t]*:[ \t]*["']?qarun\b""", re.MULTILINE)
# Only an action of GitHub has `runs` as well, and says there what it is made of.
_RUNS = re.compile(
    r"""^["']?runs["']?[ \t]*:(?!\s*["']?(?:using|main|image|steps)\b)""", re.MULTILINE
)
_OWNER = re.compile(
    _TOP + r"""owner["']?[ \t]*:[ \t]*(?:["']?([a-z0-9-]{3,32})["']?[ \t]*(?=[\s,}#:]|\Z))?""",
    re.MULTILINE,
)


def find_left_out(sources: Iterable[Source], documents: Iterable[Document]) -> list[LeftOut]:
    """Return what lies beside a given file, was not given, and may be of a given owner or alias.

    One for each owner that it may be of, and for each given project of his where it does not say
    its own. Whether they are of the same project is not told here: one may write its code, one its
    id. A folder that can't be listed may hold anything.
    """
    scopes = {
        (owner, document.text("project"))
        for document in documents
        # An owner whose name is an alias here may be there still, and has its own runs.
        for owner in (document.text("owner"), *document.aliases)
        if owner
    }
    if not scopes:
        return []
    sources = list(sources)
    given = {real_path(source.path) for source in sources}
    files, dark_folders = beside(sources)
    found = [LeftOut(folder, *scope) for folder in dark_folders for scope in scopes]
    for real, path in files.items():
        if real not in given:
            found += [LeftOut(path, *scope) for scope in _peek(path, scopes)]
    return sorted(found, key=lambda one: (one.file, one.owner, one.project))


def _peek(path: str, scopes: set[Scope]) -> Iterable[Scope]:
    """Return the scopes that a file may belong to."""
    try:
        data = read_bytes(path, MAX_BYTES + 1, may_wait=False)
    except FileNotFoundError:
        # A link to nowhere hides a manifest; what is gone by now is none.
        return scopes if os.path.lexists(path) else ()
    except (OSError, ValueError):
        return scopes
    text = decode_leniently(data)
    if text is None or not text.strip():
        # Nobody keeps an empty file on purpose where manifests are: it was cut off.
        return scopes
    is_named = "qarun" in text or any(owner in text for owner, _ in scopes)
    if not is_named and not _RUNS.search(text):
        return ()
    if len(data) > MAX_BYTES:
        return _named(text, scopes)
    return _claimed(text, scopes)


def _claimed(text: str, scopes: set[Scope]) -> Iterable[Scope]:
    """Return the scopes that the text of a file claims; reads no YAML that can't be needed."""
    head, found, tail = text.partition(_ABOVE_RUNS)
    if found and not _SAID_AGAIN.search(tail):
        document = _load(head)
        if document is not None and all(_identity(document)):
            return _matching(document, scopes)
    document = _load(text)
    if document is None:
        return _named(text, scopes)
    return _matching(document, scopes) if _is_manifest(document) else ()


def _load(text: str) -> Document | None:
    """Return a document without errors; with some, whose it is may be among what was lost."""
    silent = Findings("")
    root = load(text, silent)
    return None if root is None or silent.has_errors else Document(root, silent)


def _is_manifest(document: Document) -> bool:
    """Whether this is a manifest; one that lost its first lines is still known by its runs."""
    if _identity(document)[0]:
        return True
    runs = document.root.get("runs")
    is_of_runs = isinstance(runs, MapNode) and any(
        isinstance(run, MapNode) for run in runs.values()
    )
    return "runs" in document.root and (is_of_runs or "owner" in document.root)


def _identity(document: Document) -> tuple[bool, str, str]:
    is_ours = document.text("apiVersion").startswith("qarun/")
    return is_ours, document.text("owner"), document.text("project")


def _matching(document: Document, scopes: set[Scope]) -> Iterator[Scope]:
    """Yield the scopes of a manifest; without owner or project it may be of any."""
    _, owner, project = _identity(document)
    for each in {(one, project or given) for one, given in scopes}:
        if owner in {"", each[0]}:
            yield each


def _named(text: str, scopes: set[Scope]) -> Iterable[Scope]:
    """Return the scopes of the owners that a text names which can't be parsed.

    Without our `apiVersion` and runs only an unindented `owner` counts: others have owners as well.
    """
    is_ours = bool(_API_VERSION.search(text) or _RUNS.search(text))
    names = {
        found[1] for found in _OWNER.finditer(text) if is_ours or found[0].startswith(("o", '"o'))
    }
    if is_ours and (not names or None in names):
        return scopes
    return {scope for scope in scopes if scope[0] in names}
