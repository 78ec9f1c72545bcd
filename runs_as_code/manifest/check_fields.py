"""Checks single fields, on a run or in the defaults, for what a schema can't say well."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from runs_as_code.manifest.check_file import is_email
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import has_control_character, has_marker, quote
from runs_as_code.manifest.tree import MapNode, SeqNode
from runs_as_code.model.marker import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH

FieldCheck = Callable[[Any, int, Findings], None]

_KEY = re.compile(r"[A-Za-z0-9._@=,\[\]-]{1,64}")
_TITLE_LENGTH = f"1 to {MAX_TITLE_LENGTH} characters"
_KEY_FORM = "1 to 64 of `A-Za-z0-9._@=,[]-`"
_REPLACE = re.compile(r"auto|never|always|r[1-9][0-9]{0,3}")
_PLACEHOLDER = re.compile(r"\{(?:title|revision|key)\}")


def check_key(rule: str, key: str, place: int, findings: Findings) -> bool:
    """Whether the text has the form of a run's key; reports it otherwise."""
    if _KEY.fullmatch(key):
        return True
    findings.add(rule, place, f"{quote(key)} is no key of a run", expected=_KEY_FORM)
    return False


def check_fields(fields: MapNode, findings: Findings) -> None:
    """Check each field by itself."""
    for index, (field, value) in enumerate(fields.items()):
        check = _CHECKS.get(field)
        if check is not None:
            check(value, fields.places[2 * index + 1], findings)


def _check_title(title: Any, place: int, findings: Findings) -> None:
    if not isinstance(title, str):
        return
    length = len(title.strip())
    if not length:
        findings.add("empty-text", place, "`title` is empty", expected=_TITLE_LENGTH)
    if length > MAX_TITLE_LENGTH:
        message = f"the title has {length} characters"
        findings.add("title-too-long", place, message, expected=_TITLE_LENGTH)
    if has_control_character(title.strip()):
        message = "a title can't hold control characters or line breaks"
        findings.add("control-character", place, message, hint="write the title in one line")
    _check_marker("title", title, place, findings)


def _check_description(text: Any, place: int, findings: Findings) -> None:
    if not isinstance(text, str):
        return
    if has_control_character(text, lines=True):
        message = "a description can't hold control characters but tab and line feed"
        findings.add("control-character", place, message)
    _check_marker("description", text, place, findings)


def _check_marker(field: str, text: str, place: int, findings: Findings) -> None:
    # What is longer is refused for its length.
    if has_marker(text[: 2 * MAX_DESCRIPTION_LENGTH]):
        message = f"`{field}` holds `[qarun:`, with which the marker of a run begins"
        hint = "leave it out; `qarun` writes the marker itself"
        findings.add("marker-in-text", place, message, hint=hint)


def _check_milestone(value: Any, place: int, findings: Findings) -> None:
    if isinstance(value, str) and value and not value.strip():
        findings.add("empty-text", place, "`milestone` is blank", expected="a title or an id")


def _check_assignee(value: Any, place: int, findings: Findings) -> None:
    if isinstance(value, str) and value and not is_email(value):
        expected = "an e-mail address or the id of a user"
        findings.add("bad-email", place, f"{quote(value)} is no assignee", expected=expected)


def _check_replace(value: Any, place: int, findings: Findings) -> None:
    if isinstance(value, str) and not _REPLACE.fullmatch(value):
        expected = "`auto`, `never`, `always`, or `r2` to approve revision 2"
        message = f"{quote(value)} is not allowed for `replace`"
        findings.add("bad-replace", place, message, expected=expected)


def _check_replace_title(value: Any, place: int, findings: Findings) -> None:
    if not isinstance(value, str) or not value:
        return
    rest = _PLACEHOLDER.sub("", value)
    if "{revision}" not in value or "{" in rest or "}" in rest:
        what = (
            "has braces that are no placeholder" if "{revision}" in value else "lacks `{revision}`"
        )
        expected = "a text with `{revision}`; `{title}` and `{key}` are known too"
        message = f"`replaceTitle` {what}"
        findings.add("bad-replace-title", place, message, expected=expected)
    if has_control_character(value):
        message = "a title can't hold control characters or line breaks"
        findings.add("control-character", place, message)
    _check_marker("replaceTitle", value, place, findings)


def _check_clone_from(value: Any, place: int, findings: Findings) -> None:
    title = value.get("title") if isinstance(value, MapNode) else None
    if isinstance(title, str) and title and not title.strip():
        findings.add("empty-text", place, "`title` is blank", expected="the title of a run")


def _check_query_plans(plans: Any, _place: int, findings: Findings) -> None:
    if not isinstance(plans, SeqNode):
        return
    for plan in plans:
        if isinstance(plan, MapNode):
            for name, values in plan.items():
                if isinstance(values, SeqNode):
                    _check_filter(name, values, findings)


def _check_filter(name: str, values: SeqNode, findings: Findings) -> None:
    seen: set[int | str] = set()
    for index, value in enumerate(values):
        if not isinstance(value, int | str):
            continue
        if value in seen:
            message = f"{quote(value)} stands twice in `{quote(name)[1:-1]}`"
            findings.add("duplicate-in-filter", values.places[index], message, hint="drop one")
        seen.add(value)
        if isinstance(value, str) and value and not value.strip():
            message = f"an item of `{quote(name)[1:-1]}` is blank"
            findings.add("empty-text", values.places[index], message)
        elif name == "folders" and isinstance(value, str) and "/" in value:
            _check_folder(value, values.places[index], findings)


def _check_folder(path: str, place: int, findings: Findings) -> None:
    if all(title.strip() for title in path.split("/")):
        return
    expected = "titles with one `/` between them, as in `Cart/Discounts`"
    message = f"the folder path {quote(path)} has an empty title"
    findings.add("bad-folder-path", place, message, expected=expected)


_CHECKS: Mapping[str, FieldCheck] = {
    "title": _check_title,
    "description": _check_description,
    "milestone": _check_milestone,
    "assignee": _check_assignee,
    "replace": _check_replace,
    "replaceTitle": _check_replace_title,
    "cloneFrom": _check_clone_from,
    "queryPlans": _check_query_plans,
}
