"""Notifications: the documented body, its keys, and templates that may hold mistakes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runs_as_code.errors import UsageError
from runs_as_code.model.reconciling import (
    Condition,
    Ended,
    Happening,
    Observation,
    Scope,
    Transition,
)
from runs_as_code.report.notification import check_template, notification, notification_body

PAGE = (Path(__file__).parents[3] / "docs" / "reconcile.md").read_text("utf-8")
ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "schemas/notification.v1.schema.json").read_text("utf-8"))
SEEN = Observation(
    Scope("embedded", "BD", "web-team"),
    1_795_000_000.0,
    Ended.DONE,
    drift={"closed-by-hand": 2, "copied": 1},
    blocked={"has-results": 1},
    error="no\nanswer",
    hint="look",
)
DRIFT = Transition(Happening.DRIFT, Condition.IN_SYNC, SEEN, "0" * 40)


def document(transition: Transition):
    return notification(transition, tool_version="1.0")


@pytest.mark.parametrize("happening", Happening)
@pytest.mark.parametrize("before", [None, Condition.DRIFT])
def test_every_body_follows_the_schema(happening, before):
    Draft202012Validator.check_schema(SCHEMA)
    body = document(Transition(happening, before, SEEN))
    Draft202012Validator(SCHEMA).validate(body)
    assert set(body) == set(SCHEMA["required"]) == set(SCHEMA["properties"])


def test_the_summary_is_one_line_for_people():
    assert document(DRIFT)["summary"] == (
        "web-team in BD on embedded: people changed runs: 2 closed-by-hand, 1 copied"
    )
    failing = document(replace(DRIFT, happening=Happening.FAILING))
    assert failing["summary"].endswith(r"reconciling fails: no\nanswer")
    assert (failing["error"], failing["hint"]) == (r"no\nanswer", "look")
    assert document(DRIFT)["error"] is None


def test_the_same_news_has_the_same_key():
    key = document(DRIFT)["dedupKey"]
    later = replace(SEEN, at=SEEN.at + 60, error="another")
    assert document(Transition(Happening.DRIFT, None, later))["dedupKey"] == key
    more = replace(SEEN, drift={"copied": 1})
    assert document(replace(DRIFT, observation=more))["dedupKey"] != key
    assert document(replace(DRIFT, happening=Happening.FAILING))["dedupKey"] != key
    other = replace(SEEN, scope=Scope("embedded", "QA", "web-team"))
    assert (
        document(replace(DRIFT, observation=other))["incidentKey"]
        != (document(DRIFT)["incidentKey"])
    )


def test_a_template_shapes_the_body():
    template = '{"text": {{ (event ~ ": " ~ summary) | tojson }}, "n": {{ drift | length }}}'
    body = json.loads(notification_body(document(DRIFT), template))
    assert body["text"].startswith("drift: web-team in BD")
    assert body["n"] == 2
    check_template(template, tool_version="1.0")


def test_the_guide_tells_true_examples():
    templates = re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    assert len(templates) == 2
    for template in templates:
        check_template(template, tool_version="1.0")
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    body = json.loads(example)
    Draft202012Validator(SCHEMA).validate(body)
    scope = Scope(body["server"], body["project"], body["owner"])
    seen = Observation(scope, 1_795_351_817.0, Ended.DONE, drift=body["drift"])
    tool_version = body["tool"]["version"]
    assert notification(Transition(Happening.DRIFT, None, seen), tool_version=tool_version) == body
    said = notification_body(body, templates[0])
    assert f"`{json.dumps(json.loads(said), ensure_ascii=False)}`" in PAGE


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ('{"text": "{{ summary }}"}', "makes no JSON"),
        ('{"text": {{ sumary | tojson }}}', "can't be rendered"),
        ('{"text": {{ summary | nofilter }}}', "can't be rendered"),
        ("{% if %}", "can't be rendered"),
        ('{{ "".__class__.__mro__ }}', "can't be rendered"),
        ("{{ cycler.__init__.__globals__.os.system('true') }}", "can't be rendered"),
        ('{% include "/etc/passwd" %}', "can't be rendered"),
        ("{{ range(1000000000) | list }}", "can't be rendered"),
        ('{"a": {{ ("x" * 300000) | tojson }}}', "more than 256 KiB"),
        ("{{ 1 / 0 }}", "can't be rendered"),
        ('{{ "x" * 10 ** 17 }}', "it makes too much"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it makes too much"),
    ],
)
def test_a_bad_template_is_refused_at_the_start(template, words):
    with pytest.raises(UsageError, match=words):
        check_template(template, tool_version="1.0")
