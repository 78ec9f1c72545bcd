"""Metrics and health: names, labels that may hold anything, what is forgotten, who is alive."""

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runs_as_code.engine.reconcile.metrics import Metrics, endpoint_of
from runs_as_code.engine.reconcile.settings import FILES
from runs_as_code.engine.reconcile.status_server import Status
from runs_as_code.model.reconciling import Census, Ended, Observation, Scope, Standing
from runs_as_code.provider.exchange import Exchange

SCOPE = Scope("embedded", "BD", "web-team")
NAMES = {
    "qarun_actions_total",
    "qarun_api_requests_total",
    "qarun_api_throttled_seconds_total",
    "qarun_blocked_actions",
    "qarun_build_info",
    "qarun_consecutive_failures",
    "qarun_converged",
    "qarun_drift_runs",
    "qarun_last_reconcile_timestamp_seconds",
    "qarun_last_success_timestamp_seconds",
    "qarun_noop_total",
    "qarun_plan_duration_seconds",
    "qarun_runs",
    "qarun_skipped_foreign_owner",
}
SEEN = Observation(
    SCOPE,
    100.0,
    Ended.DONE,
    drift={"copied": 2},
    blocked={"has-results": 1},
    actions={("create", "done"): 3},
    census=Census({"managed": 4, "foreign": 1}, {"mobile": 1}),
    seconds=0.5,
)


def samples(metrics: Metrics) -> dict[str, float]:
    return {
        f"{sample.name} {' '.join(value for _, value in sorted(sample.labels.items()))}": (
            sample.value
        )
        for family in text_string_to_metric_families(metrics.render())
        for sample in family.samples
    }


def full() -> Metrics:
    metrics = Metrics("1.0")
    metrics.observed(SEEN, Standing(last_round=100.0, last_success=100.0))
    metrics.throttled(2.5)
    metrics.heard(Exchange("GET", "https://h/api/public/v0/project/BD/run?a=1", "200", 0.1))
    metrics.heard(Exchange("GET", "https://h/api/public/v0/project/BD/run", "no answer", 0.1))
    return metrics


def test_every_metric_has_its_name():
    families = {
        name.split()[0].removesuffix("_count").removesuffix("_sum") for name in samples(full())
    }
    assert families == NAMES


def test_every_metric_is_in_the_guide():
    page = (Path(__file__).parents[4] / "docs" / "reconcile.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(qarun_[a-z_]+)", page, re.MULTILINE)) == NAMES


def test_values():
    found = samples(full())
    assert found["qarun_actions_total create web-team BD done embedded"] == 3
    assert found["qarun_api_requests_total 200 /project/{project}/run GET"] == 1
    assert found["qarun_api_requests_total none /project/{project}/run GET"] == 1
    assert found["qarun_api_throttled_seconds_total "] == 2.5
    assert found["qarun_drift_runs copied web-team BD embedded"] == 2
    assert found["qarun_runs BD embedded managed"] == 4
    assert found["qarun_skipped_foreign_owner mobile BD embedded"] == 1
    assert found["qarun_plan_duration_seconds_sum web-team BD embedded"] == 0.5


def test_a_failed_round_keeps_what_was_known():
    metrics = full()
    metrics.observed(
        Observation(SCOPE, 200.0, Ended.FAILED), Standing(failures=1, last_round=200.0)
    )
    found = samples(metrics)
    assert found["qarun_converged web-team BD embedded"] == 0
    assert found["qarun_runs BD embedded managed"] == 4
    assert found["qarun_consecutive_failures web-team BD embedded"] == 1


def test_what_is_gone_is_not_told():
    metrics = full()
    metrics.gone(SCOPE)
    assert not [name for name in samples(metrics) if "web-team" in name]


def test_broken_files_have_failures_and_nothing_else():
    metrics = Metrics("1.0")
    metrics.observed(Observation(FILES, 1.0, Ended.FAILED), Standing(failures=2))
    found = samples(metrics)
    assert found["qarun_consecutive_failures   "] == 2
    assert "qarun_noop_total   " not in found


def test_hostile_labels_stay_labels():
    scope = Scope('a"b\\', "c\nd", "e}\u2028")
    metrics = Metrics("1.0")
    metrics.observed(Observation(scope, 1.0, Ended.DONE), Standing())
    families = list(text_string_to_metric_families(metrics.render()))
    labels = {tuple(sorted(s.labels.items())) for f in families for s in f.samples if s.labels}
    wanted = {"server": scope.server, "project": scope.project, "owner": scope.owner}
    assert tuple(sorted(wanted.items())) in labels


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://h/api/public/v0/project/BD/run", "/project/{project}/run"),
        ("https://h/x/api/public/v0/project/bd/run/12/close", "/project/{project}/run/{id}/close"),
        ("https://h/api/public/v0/project/1CEPaUhgH_Tvt2LZygwVRQa", "/project/{project}"),
        ("https://h/api/public/v0/project", "/project"),
        ("http://127.0.0.1/api/public/v0/users?x=1", "/users"),
        ("embedded", "/embedded"),
    ],
)
def test_endpoints_have_few_values(url, endpoint):
    assert endpoint_of(url) == endpoint


def test_health():
    moment = [0.0]
    status = Status(patience=10.0, clock=lambda: moment[0])
    assert status.answer("/healthz")[0] == 503
    status.beat()
    moment[0] = 10.0
    assert status.answer("/healthz")[::2] == (200, "ok\n")
    moment[0] = 10.1
    assert status.answer("/healthz")[0] == 503
    assert status.answer("/readyz")[0] == 503
    status.is_ready = True
    assert status.answer("/readyz")[0] == 200
    assert list(text_string_to_metric_families(status.answer("/metrics")[2])) == []
