"""Finds manifests that lie beside a given one and were forgotten."""

from collections.abc import Iterable

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.source import Source, read_text, real_path, siblings
from runs_as_code.model.desired import LeftOut


def find_left_out(sources: Iterable[Source], documents: Iterable[Document]) -> list[LeftOut]:
    """Return manifests of a given owner, beside a given file, that were not given.

    Whether they are of the same project is not told here: one may write its code, one its id.
    What can't be read is no manifest here: nothing depends on it but a warning.
    """
    sources = list(sources)
    wanted = {owner for document in documents if (owner := document.text("owner"))}
    given = {real_path(source.path) for source in sources}
    beside: dict[str, str] = {}
    for source in sources:
        if source.is_listed:
            continue
        for path in siblings(source.path):
            beside.setdefault(real_path(path), path)
    found = [_peek(path, wanted) for real, path in beside.items() if real not in given]
    return sorted((one for one in found if one), key=lambda one: one.file)


def _peek(path: str, wanted: set[str]) -> LeftOut | None:
    """Return what the file is, if one of those is wanted; reads no YAML that can't be one."""
    text = read_text(path, Findings(path))
    if text is None or not any(owner in text for owner in wanted):
        return None
    # As a rule the runs come last, and there are many of them: what is above them is enough.
    head, found, _ = text.partition("\nruns:")
    identity = _identity(head) if found else None
    owner, project = identity or _identity(text) or ("", "")
    return LeftOut(path, owner, project) if owner in wanted else None


def _identity(text: str) -> tuple[str, str] | None:
    """Return owner and project of a manifest, None when it lacks one of them."""
    silent = Findings("")
    root = load(text, silent)
    if root is None:
        return None
    document = Document(root, silent)
    owner, project = document.text("owner"), document.text("project")
    is_manifest = document.text("apiVersion").startswith("qarun/")
    return (owner, project) if is_manifest and owner and project else None
