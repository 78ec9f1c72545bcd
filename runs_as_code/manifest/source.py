"""Finds the files that the given paths mean, and reads them as text."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.opening import read_bytes
from runs_as_code.manifest.text import find_secret
from runs_as_code.manifest.tree import pack

MAX_BYTES = 32 * 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024  # trees take some ten times as much memory
_ENDINGS = (".yaml", ".yml")
_UTF8_BOM = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_BINARY = re.compile("[\x00-\x08\x0e-\x1a]")  # in no text, of whatever encoding
# What YAML allows in no file; libyaml refuses it too, but without a place.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read; `is_listed` tells that it was found in a given folder."""

    path: str
    is_listed: bool = False


def find_sources(paths: Sequence[str | Path]) -> tuple[list[Source], list[Findings]]:
    """Return the files that the paths mean, each once, and what is wrong with the paths."""
    sources: dict[str, Source] = {}
    problems = []
    for path in (os.fspath(path) for path in paths):
        found = [Source(path)]
        if os.path.isdir(_safe(path)):  # noqa: PTH112 -- `Path.is_dir` raises for long names
            findings = Findings(path)
            found = [Source(name, is_listed=True) for name in _manifests_in(path, findings)]
            problems.append(findings)
        for source in found:
            sources.setdefault(real_path(source.path), source)
    return list(sources.values()), problems


def beside(sources: Iterable[Source]) -> tuple[dict[str, str], list[str]]:
    """Return what may be a manifest in the folders of the files, each path by its real one.

    A file that a link names has two folders, and of a given folder only the second is to be looked
    at. Second come the folders that can't be listed.
    """
    folders: dict[str, str] = {}
    reals: dict[str, str] = {}
    for source in sources:
        shown = os.path.dirname(source.path)  # noqa: PTH120 -- `Path` changes what was written
        if shown not in reals:
            reals[shown] = real_path(shown or os.curdir)
        if not source.is_listed:
            folders.setdefault(reals[shown], shown)
        behind = os.path.dirname(real_path(source.path))  # noqa: PTH120 -- as above
        if behind != reals[shown]:
            folders.setdefault(behind, _seen_from(shown, reals[shown], behind))
    found: dict[str, str] = {}
    dark = []
    for shown in folders.values():
        try:
            names = _yaml_files(shown or os.curdir)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        except OSError:
            dark.append(shown or os.curdir)
            continue
        for path in (_join(shown, name) for name in names):
            found.setdefault(real_path(path), path)
    return found, dark


def _seen_from(shown: str, real: str, other: str) -> str:
    """Return the path of another folder, as short as that of the first one was written."""
    try:
        return os.path.normpath(_join(shown, os.path.relpath(other, real)))
    except ValueError:  # on another drive
        return other


def real_path(path: str) -> str:
    """Return the absolute path without links, which is the same for one file named twice."""
    return os.path.realpath(_safe(path))


def read_text(path: str, findings: Findings, *, may_wait: bool = False) -> str | None:
    """Return the file's text, or None when it has none; a byte order mark is dropped.

    Only with `may_wait` is a pipe read: a shell hands one over by name, no folder holds one.
    """
    try:
        data = read_bytes(path, MAX_BYTES + 1, may_wait=may_wait)
    except FileNotFoundError:
        findings.add("file-not-found", 0, "no such file", hint="look at the path behind `-f`")
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        findings.add("file-unreadable", 0, f"the file can't be read: {reason}")
        return None
    return _decode(data.removeprefix(_UTF8_BOM), findings)


def decode_leniently(data: bytes) -> str | None:
    """Return what a file that may be damaged says in ASCII; None for what is no text at all."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    try:
        text = data.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    # UTF-16 without a mark; what else holds NULs holds other control characters, too.
    text = text.replace("\0", "")
    return None if _BINARY.search(text) else text


def place_in(text: str, index: int) -> int:
    """Return the place of a character of the text."""
    breaks = [found.end() for found in _LINE_BREAK.finditer(text, 0, index)]
    return pack(len(breaks), index - (breaks[-1] if breaks else 0))


def _decode(data: bytes, findings: Findings) -> str | None:
    if len(data) > MAX_BYTES:
        findings.add(
            "file-too-large",
            0,
            f"the file has more than {MAX_BYTES // 1024 // 1024} MiB",
            hint="split it into several files with the same owner",
        )
        return None
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        findings.add("not-utf8", 0, "the file is UTF-16", hint="save it as UTF-8")
        return None
    nul = data.find(b"\0")
    if nul >= 0:
        place = place_in(data[:nul].decode("utf-8", "replace"), nul)
        findings.add("binary-file", place, "the file holds NUL bytes", expected="a text in UTF-8")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        findings.add(
            "not-utf8", place_in(before, len(before)), message, hint="save the file as UTF-8"
        )
        return None
    return text if _is_fit(text, findings) else None


def _is_fit(text: str, findings: Findings) -> bool:
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        message = f"the control character U+{ord(forbidden[0]):04X} is not allowed in YAML"
        findings.add("control-character", place_in(text, forbidden.start()), message)
        return False
    secret = find_secret(text)
    if secret >= 0:
        findings.add(
            "secret-in-manifest",
            place_in(text, secret),
            "this looks like an API key of QA Sphere",
            hint="take it out, revoke it, and give the new one in `QAS_TOKEN`",
        )
    return True


def _manifests_in(folder: str, findings: Findings) -> list[str]:
    try:
        names = _yaml_files(folder)
    except OSError as error:
        findings.add("file-unreadable", 0, f"the folder can't be read: {error.strerror}")
        return []
    if not names:
        findings.add(
            "folder-without-manifests",
            0,
            "the folder holds no manifest",
            expected="at least one `*.yaml` or `*.yml` that is not hidden",
            hint="folders inside it are not searched",
        )
    return [_join(folder, name) for name in names]


def _yaml_files(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.lower().endswith(_ENDINGS)
            and not entry.name.startswith(".")
            and not _is_folder(entry)
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder; a link that leads in circles must not hide its neighbours."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118 -- `Path` would shorten what the user wrote


def _safe(path: str) -> str:
    """Return the path as far as the file system takes it: a NUL would raise."""
    return path.replace("\0", "\N{SYMBOL FOR NULL}")
