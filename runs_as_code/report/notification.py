"""A notification: a small JSON body, or what a template of the user makes of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runs_as_code.errors import UsageError
from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Happening,
    Observation,
    Scope,
    Transition,
)
from runs_as_code.report.safe import safe

FORMAT_VERSION = "1.0"
KIND = "qarun.notification"
MAX_BODY = 256 * 1024
_TEXT_LIMIT = 500
_TOO_MUCH = (MemoryError, RecursionError)

_WORDS = {
    Happening.IN_SYNC: "in sync again",
    Happening.HEALED: "well again",
    Happening.DRIFT: "people changed runs",
    Happening.BLOCKED: "something waits for a decision",
    Happening.FAILING: "reconciling fails",
}


def notification(transition: Transition, *, tool_version: str) -> dict[str, Any]:
    """Return a transition as the document that `notification.v1` describes."""
    seen = transition.observation
    scope = seen.scope
    is_failing = transition.happening is Happening.FAILING
    moment = datetime.fromtimestamp(seen.at, UTC).isoformat(timespec="seconds")
    return {
        "formatVersion": FORMAT_VERSION,
        "kind": KIND,
        "tool": {"name": "qarun", "version": tool_version},
        "event": transition.happening.value,
        "previous": None if transition.before is None else transition.before.value,
        "at": moment.replace("+00:00", "Z"),
        "server": scope.server,
        "project": scope.project,
        "owner": scope.owner,
        "revision": transition.revision or None,
        "summary": _summary(transition),
        "drift": dict(sorted(seen.drift.items())),
        "blocked": dict(sorted(seen.blocked.items())),
        "error": safe(seen.error, _TEXT_LIMIT) if is_failing else None,
        "hint": safe(seen.hint, _TEXT_LIMIT) if is_failing and seen.hint else None,
        "dedupKey": _key(scope, transition.happening.value, seen),
        "incidentKey": _key(scope, "", None),
    }


def notification_body(document: Mapping[str, Any], template: str | None) -> str:
    """Return the body of a notification: the document, or what a template makes of it.

    Raises UsageError for a template that can't be rendered, or whose result is no JSON.
    """
    if template is None:
        return json.dumps(document)
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    try:
        text = environment.from_string(template).render(**document)
        data = json.loads(text)
    except ValueError:
        raise UsageError(
            "the template of notifications makes no JSON",
            hint="put values in with `{{ summary | tojson }}`",
        ) from None
    except (TemplateError, TypeError, ArithmeticError, AttributeError, *_TOO_MUCH) as error:
        reason = "it makes too much" if isinstance(error, _TOO_MUCH) else safe(str(error))
        raise UsageError(
            f"the template of notifications can't be rendered: {reason}",
            hint="docs/reconcile.md has an example and the names that are known",
        ) from None
    body = json.dumps(data)
    if len(body) > MAX_BODY:
        raise UsageError(
            f"the template of notifications makes more than {MAX_BODY // 1024} KiB",
            hint="a notification is a few lines; chat services take far less",
        )
    return body


def check_template(template: str, *, tool_version: str) -> None:
    """Raise UsageError unless a template makes JSON of every kind of notification."""
    for happening in Happening:
        seen = Observation(
            scope=Scope("embedded", "BD", 'a "team"'),
            at=0.0,
            ended=Ended.DONE,
            error='an "error"\n',
            drift={"closed-by-hand": 1},
            blocked={"has-results": 1},
        )
        for before in (None, Condition.FAILING):
            transition = Transition(happening, before, seen)
            notification_body(notification(transition, tool_version=tool_version), template)


def _summary(transition: Transition) -> str:
    seen = transition.observation
    scope = seen.scope
    where = f"{scope.owner} in {scope.project} on {scope.server}" if scope.project else "manifests"
    words = _WORDS[transition.happening]
    if transition.happening is Happening.FAILING:
        words += f": {seen.error}"
    counts = {Happening.DRIFT: seen.drift, Happening.BLOCKED: seen.blocked}
    if counts.get(transition.happening):
        told = sorted(counts[transition.happening].items())
        words += ": " + ", ".join(f"{number} {kind}" for kind, number in told)
    return safe(f"{where}: {words}", _TEXT_LIMIT)


def _key(scope: Scope, event: str, seen: Observation | None) -> str:
    """Return what is the same for the same news, from whichever instance or after a restart.

    Texts of errors don't count: they can hold a number that differs each time.
    """
    parts: list[Any] = [scope.server, scope.project, scope.owner, event]
    if seen is not None:
        parts += [sorted(seen.drift.items()), sorted(seen.blocked.items())]
    return "qarun-" + sha256(json.dumps(parts).encode()).hexdigest()[:32]
