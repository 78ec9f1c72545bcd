"""From paths to manifests: the algorithm of this package on one screen."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from runs_as_code.manifest.check_across import check_across, check_clone_sources
from runs_as_code.manifest.check_aliases import check_aliases
from runs_as_code.manifest.check_file import check_file, is_newer
from runs_as_code.manifest.check_freeze import check_freeze
from runs_as_code.manifest.check_run import check_runs
from runs_as_code.manifest.convert import to_manifest
from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.left_out import find_left_out
from runs_as_code.manifest.loading import load
from runs_as_code.manifest.schema import check_shape
from runs_as_code.manifest.source import MAX_TOTAL_BYTES, find_sources, read_text
from runs_as_code.model.desired import LeftOut, ManifestSet


def read_manifests(paths: Sequence[str | Path]) -> ManifestSet:
    """Read every file and folder given, offline, and return the manifests of those without errors.

    A folder means its `*.yaml` and `*.yml` that are not hidden, without folders inside it. Never
    raises for what is on disk: each problem is a diagnostic, sorted by file and place.
    """
    sources, problems = find_sources(paths)
    with _without_cyclic_collection():
        documents = []
        room = MAX_TOTAL_BYTES
        for source in sources:
            findings = Findings(source.path)
            problems.append(findings)
            text = read_text(source.path, findings, may_wait=not source.is_listed)
            room -= len(text or "")
            document = _load(text, room, findings)
            if document is not None:
                _check(document)
                documents.append(document)
        check_across(documents)
        left_out = tuple(find_left_out(sources, documents))
        check_aliases(documents, left_out)
        valid = [document for document in documents if not document.findings.has_errors]
        manifests = tuple(map(to_manifest, valid))
    known = {document.file: document for document in documents}
    broken = tuple(_broken(each.file, known) for each in problems if each.has_errors)
    problems.sort(key=lambda findings: findings.file)
    diagnostics = tuple(
        diagnostic for findings in problems for diagnostic in findings.diagnostics()
    )
    return ManifestSet(manifests, diagnostics, left_out, broken)


def _broken(file: str, known: Mapping[str, Document]) -> LeftOut:
    document = known.get(file)
    if document is None:
        return LeftOut(file, "", "")
    return LeftOut(file, document.text("owner"), document.text("project"))


def _load(text: str | None, room: int, findings: Findings) -> Document | None:
    """Load a text unless there is none, or there is no room left for it."""
    if text is not None and room < 0:
        message = f"with this file there are more than {MAX_TOTAL_BYTES // 1024 // 1024} MiB"
        findings.add("file-too-large", 0, message, hint="plan and apply them by owner")
        return None
    root = None if text is None else load(text, findings)
    if root is None or is_newer(root, findings):
        return None
    return Document(root, findings)


def _check(document: Document) -> None:
    check_file(document)
    check_freeze(document)
    check_shape(document)
    check_runs(document)
    check_clone_sources(document)


@contextmanager
def _without_cyclic_collection() -> Iterator[None]:
    """Pause the collector: it would walk half a million values again and again, for no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
