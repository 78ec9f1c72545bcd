"""What a schema can't say of a file's top level, or not in human words."""

import re
from typing import Any
from urllib.parse import urlsplit

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import is_secret_key, quote
from runs_as_code.manifest.tree import MapNode, SeqNode

API_VERSION = "qarun/v1"

_VERSION = re.compile(r"qarun/v([0-9]{1,6})")
_OWNER = re.compile(r"[a-z0-9-]{3,32}")
_OWNER_FORM = "3 to 32 lower-case letters, digits and hyphens"
_PROJECT = re.compile(
    r"[A-Za-z0-9]{2,5}|[A-Za-z0-9]{9}_[A-Za-z0-9]{13}"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#@]*)?")


def is_newer(root: MapNode, findings: Findings) -> bool:
    """Whether a newer `qarun` is needed; then nothing else can be said of the file."""
    version = root.get("apiVersion")
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if not found or int(found[1]) <= 1:
        return False
    findings.add(
        "unsupported-version",
        root.value_place("apiVersion"),
        f"the manifest is written for {quote(version)}, this `qarun` reads `{API_VERSION}`",
        expected=f"`{API_VERSION}`",
        hint=f"update `qarun` to a version that reads {quote(version)}",
    )
    return True


def is_email(text: str) -> bool:
    """Whether the text has the form of an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def check_file(document: Document) -> None:
    """Check owner, aliases, project, server and users, and note which advice is switched off."""
    root, findings = document.root, document.findings
    findings.disabled = _disabled(root)
    owner, project, server = (root.get(key) for key in ("owner", "project", "server"))
    if isinstance(owner, str) and not _OWNER.fullmatch(owner):
        place = root.value_place("owner")
        findings.add("bad-owner", place, f"{quote(owner)} is no owner", expected=_OWNER_FORM)
    if isinstance(project, str) and not _PROJECT.fullmatch(project):
        findings.add(
            "bad-project",
            root.value_place("project"),
            f"{quote(project)} is no project",
            expected="a code of 2 to 5 latin letters or digits, or a project id",
        )
    if isinstance(server, str):
        _check_server(server, root.value_place("server"), findings)
    _check_aliases(root.get("ownerAliases"), owner, findings)
    _check_users(root.get("users"), findings)


def _disabled(root: MapNode) -> frozenset[str]:
    lint = root.get("lint")
    disabled = lint.get("disable") if isinstance(lint, MapNode) else None
    items = disabled if isinstance(disabled, SeqNode) else ()
    return frozenset(item for item in items if isinstance(item, str))


def _check_server(server: str, place: int, findings: Findings) -> None:
    """Check the address without ever quoting it: it may hold a password."""
    if server == "embedded" or (_URL.fullmatch(server) and _has_good_host(server)):
        return
    hint = "credentials belong into `QAS_TOKEN`, never into an address" if "@" in server else ""
    findings.add(
        "bad-server",
        place,
        "this is no address of a server",
        expected="`embedded`, or `https://…` without user, password, query and fragment",
        hint=hint,
    )


def _has_good_host(server: str) -> bool:
    try:
        parts = urlsplit(server)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_aliases(aliases: Any, owner: Any, findings: Findings) -> None:
    if not isinstance(aliases, SeqNode):
        return
    for alias, place in zip(aliases, aliases.places, strict=True):
        if not isinstance(alias, str):
            continue
        if not _OWNER.fullmatch(alias):
            message = f"{quote(alias)} is no owner"
            findings.add("bad-owner-alias", place, message, expected=_OWNER_FORM)
        elif alias == owner:
            message = f"{quote(alias)} is the owner itself"
            hint = "an alias is a former name of the owner"
            findings.add("bad-owner-alias", place, message, hint=hint)


def _check_users(users: Any, findings: Findings) -> None:
    if not isinstance(users, MapNode):
        return
    seen: dict[str, str] = {}
    for key, _, place, _ in users.entries():
        if is_email(key):
            first = seen.setdefault(key.casefold(), key)
            if first != key:
                message = f"{quote(key)} and {quote(first)} are the same address"
                hint = "upper and lower case make no difference; keep one of them"
                findings.add("duplicate-key", place, message, hint=hint)
            continue
        if is_secret_key(key):
            hint = "take it out; the token belongs into `QAS_TOKEN`"
            findings.add("secret-in-manifest", place, "no secrets in a manifest", hint=hint)
        else:
            message = f"{quote(key)} is no e-mail address"
            expected = "an e-mail address and an id, as in `ann@example.com: 7`"
            findings.add("bad-email", place, message, expected=expected)
