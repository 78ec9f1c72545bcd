"""What a schema can't say of freeze windows: times and zones that exist, an end after the begin."""

import re
from typing import Any

from runs_as_code.manifest.document import Document
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import MapNode, SeqNode
from runs_as_code.model.restraint import DEFAULT_ZONE, LAST_MINUTE, parse_moment, parse_time

_RULE = "bad-freeze"
# Never a path: the name is looked up among files.
_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}", re.ASCII)
_LONGEST_ZONE = 64


def check_freeze(document: Document) -> None:
    """Check each freeze window of a file."""
    windows = document.root.get("freeze")
    for window in windows if isinstance(windows, SeqNode) else ():
        if isinstance(window, MapNode):
            _check_window(window, document.findings)


def _check_window(window: MapNode, findings: Findings) -> None:
    zone = window.get("timezone", DEFAULT_ZONE)
    if isinstance(zone, str) and not is_zone(zone):
        findings.add(
            _RULE,
            window.value_place("timezone"),
            f"{quote(zone)} is no time zone that is known here",
            expected="an IANA name such as `Europe/Zurich`, or `UTC`",
            hint="look at its spelling; where no zone is known, `pip install tzdata`",
        )
        return
    if "days" in window:
        _check_times(window, findings)
    else:
        _check_moments(window, findings)


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone that this machine knows."""
    if name == DEFAULT_ZONE:
        return True
    if len(name) > _LONGEST_ZONE or _ZONE.fullmatch(name) is None:
        return False
    from zoneinfo import ZoneInfo  # noqa: PLC0415 -- few files have windows

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of zones
        return False
    return True


def _check_times(window: MapNode, findings: Findings) -> None:
    for key in ("from", "to"):
        text = window.get(key)
        if not isinstance(text, str) or (key == "to" and text == LAST_MINUTE):
            continue
        try:
            parse_time(text)
        except ValueError:
            findings.add(
                _RULE,
                window.value_place(key),
                f"{quote(text)} is no time of day",
                expected="`HH:MM`, from `00:00` to `23:59`; `to` may be `24:00`",
                hint="leave `days` out for a window between two date-times",
            )


def _check_moments(window: MapNode, findings: Findings) -> None:
    moments = []
    for key in ("from", "to"):
        text: Any = window.get(key)
        if not isinstance(text, str):
            continue
        try:
            moments.append(parse_moment(text))
        except ValueError:
            findings.add(
                _RULE,
                window.value_place(key),
                f"{quote(text)} is no date-time",
                expected="`2026-12-24T18:00`, with seconds and an offset where wanted",
                hint="add `days: [fri]` for a window of every week",
            )
    if len(moments) < len(("from", "to")):
        return
    begin, end = moments
    if (begin.tzinfo is None) != (end.tzinfo is None):
        message = "one of `from` and `to` has an offset and the other has none"
        findings.add(_RULE, window.value_place("to"), message, hint="write both alike")
    elif end <= begin:
        findings.add(_RULE, window.value_place("to"), "the window ends before it begins")
