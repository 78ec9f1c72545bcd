"""Metrics of a reconcile loop: plain counts, rendered as OpenMetrics when somebody asks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runs_as_code.engine.reconcile.settings import FILES
from runs_as_code.model.reconciling import Ended, Observation, Scope, Standing, Transition

if TYPE_CHECKING:  # importing them takes longer than a round
    from prometheus_client.core import Metric

    from runs_as_code.provider.exchange import Exchange

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_TIMES = (
    (
        "qarun_last_reconcile_timestamp_seconds",
        "When a round last looked at the project.",
        "last_round",
    ),
    (
        "qarun_last_success_timestamp_seconds",
        "When a round last ended well; 0 for never.",
        "last_success",
    ),
    ("qarun_consecutive_failures", "Rounds in a row that went wrong.", "failures"),
)
_SCOPE = ("server", "project", "owner")
_API = re.compile(r".*/api/public/v[0-9]+")
_WORD = re.compile(r"[a-z][a-z-]*")


class Metrics:
    """Takes in what rounds show and what requests cost; holds no more than its last state."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._standings: dict[Scope, Standing] = {}
        self._seen: dict[Scope, Observation] = {}
        self._noops: Counter[Scope] = Counter()
        self._actions: Counter[tuple[Scope, str, str]] = Counter()
        self._plans: Counter[Scope] = Counter()
        self._plan_seconds: dict[Scope, float] = {}
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._throttled = 0.0

    def observed(self, seen: Observation, standing: Standing) -> None:
        """Take in what a round showed of a scope; one that failed keeps what was known before."""
        scope = seen.scope
        self._standings[scope] = standing
        for (action, result), number in seen.actions.items():
            self._actions[scope, action, result] += number
        if seen.ended is Ended.DONE:
            self._seen[scope] = seen
            if scope != FILES:
                self._noops[scope] += not seen.actions
                self._plans[scope] += 1
                before = self._plan_seconds.get(scope, 0.0)
                self._plan_seconds[scope] = before + seen.seconds
        elif seen.ended is Ended.FAILED:
            known = self._seen.get(scope, seen)
            self._seen[scope] = replace(known, is_converged=False)

    def told(self, _transition: Transition) -> None:
        """Nothing to count: the standing says it."""

    def gone(self, scope: Scope) -> None:
        """Forget a scope, so that nobody is alarmed for what is not declared any more."""
        everything: tuple[dict[Scope, Any], ...] = (
            self._standings,
            self._seen,
            self._noops,
            self._plans,
            self._plan_seconds,
        )
        for kept in everything:
            kept.pop(scope, None)
        for key in [key for key in self._actions if key[0] == scope]:
            del self._actions[key]

    def throttled(self, seconds: float) -> None:
        """Take in how long servers made a round wait by 429."""
        self._throttled += seconds

    def heard(self, exchange: "Exchange") -> None:
        """Count one request."""
        code = exchange.outcome if exchange.outcome.isdecimal() else "none"
        self._requests[exchange.method, endpoint_of(exchange.url), code] += 1

    def render(self) -> str:
        """Return everything as OpenMetrics text."""
        from prometheus_client import CollectorRegistry  # noqa: PLC0415  lazy: 60 ms
        from prometheus_client.openmetrics.exposition import generate_latest  # noqa: PLC0415  same

        registry = CollectorRegistry()
        registry.register(self)
        generate: Any = generate_latest  # it has no types
        text: str = generate(registry).decode()
        return text

    def collect(self) -> Iterator["Metric"]:
        """Yield the metrics, as a registry asks for them."""
        yield from self._collect_times()
        yield from self._collect_runs()
        yield from self._collect_counts()

    def _collect_times(self) -> Iterator["Metric"]:
        from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415  lazy

        info = Gauge("qarun_build_info", "The version of qarun; always 1.", labels=["version"])
        info.add_metric([self._version], 1)
        yield info
        standings = sorted(self._standings.items())
        for name, words, attribute in _TIMES:
            gauge = Gauge(name, words, labels=_SCOPE)
            for scope, standing in standings:
                gauge.add_metric(_labels(scope), getattr(standing, attribute))
            yield gauge
        converged = Gauge(
            "qarun_converged", "Whether nothing is left to do or to decide.", labels=_SCOPE
        )
        for scope, seen in sorted(self._seen.items()):
            converged.add_metric(_labels(scope), int(seen.is_converged))
        yield converged

    def _collect_runs(self) -> Iterator["Metric"]:
        from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415  lazy

        seen = [(scope, each) for scope, each in sorted(self._seen.items()) if scope != FILES]
        projects = {(scope.server, scope.project): each.census for scope, each in seen}
        runs = Gauge("qarun_runs", "Open runs by what they are.", labels=(*_SCOPE[:2], "state"))
        foreign = Gauge(
            "qarun_skipped_foreign_owner",
            "Open runs of other owners, which are left alone.",
            labels=(*_SCOPE[:2], "foreign_owner"),
        )
        for place, census in projects.items():
            _add(runs, place, census.runs.items())
            _add(foreign, place, census.foreign.items())
        drift = Gauge("qarun_drift_runs", "Drift by kind.", labels=(*_SCOPE, "kind"))
        blocked = Gauge(
            "qarun_blocked_actions", "What safety rules withhold.", labels=(*_SCOPE, "rule")
        )
        for scope, each in seen:
            _add(drift, _labels(scope), each.drift.items())
            _add(blocked, _labels(scope), each.blocked.items())
        yield from (runs, foreign, drift, blocked)

    def _collect_counts(self) -> Iterator["Metric"]:
        from prometheus_client.core import (  # noqa: PLC0415  lazy
            CounterMetricFamily,
            SummaryMetricFamily,
        )

        noops = CounterMetricFamily("qarun_noop", "Rounds that found nothing to do.", labels=_SCOPE)
        for scope, number in sorted(self._noops.items()):
            noops.add_metric(_labels(scope), number)
        actions = CounterMetricFamily(
            "qarun_actions",
            "What was done, and how it ended.",
            labels=(*_SCOPE, "action", "result"),
        )
        for (scope, action, result), number in sorted(self._actions.items()):
            actions.add_metric([*_labels(scope), action, result], number)
        requests = CounterMetricFamily(
            "qarun_api_requests",
            "Requests to servers; code `none` where no answer came.",
            labels=("method", "endpoint", "code"),
        )
        for key, number in sorted(self._requests.items()):
            requests.add_metric(list(key), number)
        throttled = CounterMetricFamily(
            "qarun_api_throttled_seconds", "Seconds spent waiting after a 429."
        )
        throttled.add_metric([], self._throttled)
        plans = SummaryMetricFamily(
            "qarun_plan_duration_seconds", "How long reading and planning took.", labels=_SCOPE
        )
        for scope, number in sorted(self._plans.items()):
            plans.add_metric(_labels(scope), number, self._plan_seconds[scope])
        yield from (noops, actions, requests, throttled, plans)


def endpoint_of(url: str) -> str:
    """Return the endpoint of an address, without anything that has many values."""
    words: list[str] = []
    path = _API.sub("", urlsplit(url).path, count=1)
    for part in path.strip("/").split("/"):
        is_name = words[-1:] == ["project"]
        is_word = not is_name and _WORD.fullmatch(part) is not None
        words.append(part if is_word else "{project}" if is_name else "{id}")
    return "/" + "/".join(words)


def _labels(scope: Scope) -> list[str]:
    return [scope.server, scope.project, scope.owner]


def _add(gauge: "Metric", place: Iterable[str], values: Iterable[tuple[str, float]]) -> None:
    for name, number in sorted(values):
        gauge.add_metric([*place, name], number)  # type: ignore[attr-defined]  # a gauge has it
