"""Each rule is broken by one text and kept by its neighbour."""

import pytest

from runs_as_code.manifest import RULES, SWITCHABLE, read_manifests
from runs_as_code.manifest.findings import MAX_SHOWN

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\n"
RUNS = HEAD + "runs: {}\n"
LIVE = "type: live, queryPlans: [{folders: [Checkout]}]"
STATIC = "type: static, queryPlans: [{tcases: [BD-1]}]"
QUIET = "milestone: null, assignee: null"
SECRET = "tst0000001.1CKCEtest_JYyckc3zYtest.dhhj4Jk2L1zz"


def run(body: str, *others: str) -> str:
    bodies = [body, *others]
    lines = [f"  run-{index}: {{{QUIET}, {text}}}\n" for index, text in enumerate(bodies)]
    return HEAD + "runs:\n" + "".join(lines)


def titled(body: str) -> str:
    return run(f"title: Sprint 24 checkout, {body}")


def of_milestone(value: str) -> str:
    text = f"title: Sprint 24 checkout, milestone: {value}, assignee: null, {LIVE}"
    return f"{HEAD}runs:\n  run-0: {{{text}}}\n"


def frozen(window: str) -> str:
    return RUNS + f"freeze: [{{{window}}}]\n"


WEEKLY = 'days: [fri], from: "16:00", to: "24:00"'
ONCE = "from: 2026-12-24T12:00, to: 2027-01-04T08:00:30"

# Rule, a text that breaks it, a text that does not.
CASES = [
    ("empty-file", "# nothing\n", RUNS),
    ("binary-file", b"a: \x00\n", RUNS),
    ("not-utf8", "owner: é".encode("latin-1"), "# é\n" + RUNS),
    ("not-utf8", RUNS.encode("utf-16"), b"\xef\xbb\xbf" + RUNS.encode()),
    ("yaml-syntax", "owner: a: b\n", RUNS),
    ("yaml-syntax", HEAD + "runs: {\n", RUNS),
    ("yaml-tab", "runs:\n\ta: 1\n", RUNS + "#\ttab\n"),
    ("yaml-tab", "runs:\n  a: b\n\tc: d\n", RUNS),
    ("control-character", "owner: \x07\n", RUNS),
    ("control-character", run(r'title: "Two\nlines", ' + LIVE), run("title: One line, " + LIVE)),
    (
        "control-character",
        titled(r'description: "a\x1bb", ' + LIVE),
        titled(r'description: "a\n\tb", ' + LIVE),
    ),
    (
        "control-character",
        titled(r'replaceTitle: "{revision}\a", ' + LIVE),
        titled('replaceTitle: "{revision}", ' + LIVE),
    ),
    ("several-documents", RUNS + "---\n" + RUNS, "---\n" + RUNS),
    ("unknown-tag", HEAD + "runs: !foo {}\n", HEAD + "runs: !!map {}\n"),
    ("unknown-tag", RUNS + "prune: !!int keep\n", RUNS + "prune: !!str keep\n"),
    ("unknown-alias", RUNS + "prune: *b\n", RUNS + "prune: &b keep\n"),
    ("recursive-alias", HEAD + "runs: &a {a: *a}\n", HEAD + "runs: &a {}\n"),
    ("too-deep", "a: " + "[" * 100, RUNS),
    ("duplicate-key", RUNS + "owner: again\n", RUNS),
    (
        "duplicate-key",
        RUNS + "users: {ann@example.com: 4, ANN@example.com: 5}\n",
        RUNS + "users: {ann@example.com: 4, eve@example.com: 5}\n",
    ),
    ("duplicate-key", run("title: A title, title: Another, " + LIVE), titled(LIVE)),
    ("bad-mapping-key", RUNS + "? [a]\n: b\n", RUNS + "? prune\n: keep\n"),
    ("bad-merge", RUNS + "limits: {<<: 1}\n", RUNS + "limits: {<<: {close: 1}}\n"),
    ("unsupported-version", RUNS.replace("v1", "v2"), RUNS),
    ("unknown-key", RUNS + "ownr: x\n", RUNS),
    ("unknown-key", titled("titel: x, " + LIVE), titled(LIVE)),
    ("unknown-key", titled("type: live, queryPlans: [{folder: [1]}]"), titled(LIVE)),
    ("missing-key", HEAD, RUNS),
    ("missing-key", titled("adopt: {}"), titled("adopt: {run: 4}")),
    ("bad-freeze", frozen('days: [fri], from: "25:00", to: "08:00"'), frozen(WEEKLY)),
    ("bad-freeze", frozen('days: [fri], from: "24:00", to: "08:00"'), frozen(WEEKLY)),
    ("bad-freeze", frozen('days: [fri], from: 2026-12-24T12:00, to: "08:00"'), frozen(WEEKLY)),
    ("bad-freeze", frozen('from: "16:00", to: "08:00"'), frozen(ONCE)),
    ("bad-freeze", frozen("from: 2026-13-24T12:00, to: 2027-01-04T08:00"), frozen(ONCE)),
    ("bad-freeze", frozen("from: 2027-01-04T08:00, to: 2027-01-04T08:00"), frozen(ONCE)),
    ("bad-freeze", frozen("from: 2026-12-24T12:00Z, to: 2027-01-04T08:00"), frozen(ONCE)),
    ("bad-freeze", frozen(f"{WEEKLY}, timezone: Zurich"), frozen(f"{WEEKLY}, timezone: UTC")),
    ("bad-freeze", frozen(f"{WEEKLY}, timezone: Europe"), frozen(f"{WEEKLY}, timezone: CET")),
    (
        "bad-freeze",
        frozen(f"{WEEKLY}, timezone: ../../etc/passwd"),
        frozen(f"{WEEKLY}, timezone: America/Argentina/Buenos_Aires"),
    ),
    ("unknown-value", frozen('days: [fry], from: "16:00", to: "08:00"'), frozen(WEEKLY)),
    ("unknown-value", RUNS + "policy: none\n", RUNS + "policy: observe\n"),
    ("wrong-type", "- a list\n", RUNS),
    ("wrong-type", HEAD + "runs:\n", RUNS),
    ("wrong-type", HEAD + "runs: {a: }\n", RUNS),
    ("wrong-type", run("title: 2024, " + LIVE), run('title: "2024 checkout", ' + LIVE)),
    ("wrong-type", titled("protect: yes, " + LIVE), titled("protect: true, " + LIVE)),
    ("wrong-type", titled("type: live, queryPlans: [{folders: a}]"), titled(LIVE)),
    ("wrong-type", run("title: null, " + LIVE), titled("description: null, " + LIVE)),
    ("wrong-type", RUNS + "limits: {close: 4.0}\n", RUNS + "limits: {close: 4}\n"),
    (
        "wrong-type",
        titled("type: live, queryPlans: [{folders: [1], tags: [1.0]}]"),
        titled("type: live, queryPlans: [{folders: [1], tags: ['1.0']}]"),
    ),
    ("unknown-value", RUNS.replace("v1", "v0"), RUNS),
    ("unknown-value", titled("type: liv, queryPlans: [{folders: [1]}]"), titled(LIVE)),
    ("unknown-value", RUNS + "lint: {disable: [bad-key]}\n", RUNS + "lint: {disable: []}\n"),
    ("unknown-value", RUNS + "defaults: {replace: r2}\n", RUNS + "defaults: {replace: never}\n"),
    ("out-of-range", RUNS + "limits: {percent: 101}\n", RUNS + "limits: {percent: 100}\n"),
    ("out-of-range", titled("adopt: {run: 0}"), titled("adopt: {run: 1}")),
    ("out-of-range", RUNS + "users: {a@b: -1}\n", RUNS + "users: {a@b: 1}\n"),
    ("out-of-range", of_milestone("9" * 11), of_milestone("'99999999999'")),
    ("out-of-range", of_milestone("9" * 20), of_milestone("5")),
    ("out-of-range", of_milestone("9" * 4000), of_milestone("5")),
    ("empty-text", run('title: "  ", ' + LIVE), titled(LIVE)),
    ("empty-text", HEAD + 'runs: {a: {state: closed, milestone: ""}}\n', RUNS),
    ("empty-text", titled('type: live, queryPlans: [{folders: [1], tags: [" "]}]'), titled(LIVE)),
    ("empty-text", titled('cloneFrom: {title: " "}'), titled('cloneFrom: {title: "x"}')),
    ("empty-text", RUNS + 'defaults: {milestone: " "}\n', RUNS + "defaults: {milestone: S}\n"),
    ("empty-list", titled("type: live, queryPlans: []"), titled(LIVE)),
    ("empty-list", titled("type: live, queryPlans: [{folders: []}]"), titled(LIVE)),
    ("secret-in-manifest", RUNS + "token: abc\n", RUNS),
    ("secret-in-manifest", RUNS + "users: {api_key: 7}\n", RUNS + "users: {a@b: 7}\n"),
    ("secret-in-manifest", RUNS + f"# {SECRET}\n", RUNS + f"# {SECRET[:30]}\n"),
    ("bad-owner", RUNS.replace("web-team", "Web"), RUNS),
    ("bad-owner", RUNS.replace("web-team", "a" * 33), RUNS.replace("web-team", "a" * 32)),
    ("bad-owner-alias", RUNS + "ownerAliases: [web-team]\n", RUNS + "ownerAliases: [old]\n"),
    ("bad-owner-alias", RUNS + "ownerAliases: [Old]\n", RUNS + "ownerAliases: []\n"),
    ("bad-project", RUNS.replace("BD", "TOOLONG"), RUNS.replace("BD", "1CEPaUhgH_Tvt2LZygwVRQa")),
    ("bad-server", RUNS + "server: example.com\n", RUNS + "server: https://a.b:1/c\n"),
    ("bad-server", RUNS + "server: https://u:p@a.b\n", RUNS + "server: http://[::1]:8/\n"),
    ("bad-server", RUNS + "server: https://a.b/?x=1\n", RUNS + "server: embedded\n"),
    ("bad-server", RUNS + "server: https://a.b:99999\n", RUNS + "server: https://a.b\n"),
    ("bad-email", RUNS + "users: {ann: 7}\n", RUNS + "users: {ann@example.com: 7}\n"),
    ("bad-email", RUNS + "defaults: {assignee: ann}\n", RUNS + "defaults: {assignee: 7}\n"),
    ("bad-key", HEAD + "runs: {a b: {state: closed}}\n", HEAD + "runs: {a@b.c: {state: closed}}\n"),
    (
        "bad-key",
        HEAD + f"runs: {{{'k' * 65}: {{state: closed}}}}\n",
        HEAD + f"runs: {{{'k' * 64}: {{state: closed}}}}\n",
    ),
    (
        "bad-previous-key",
        titled("previousKeys: [a b], " + LIVE),
        titled("previousKeys: [], " + LIVE),
    ),
    ("bad-previous-key", titled("previousKeys: [run-0], " + LIVE), titled(LIVE)),
    (
        "bad-previous-key",
        run("title: One thing, previousKeys: [run-1], " + LIVE, "state: closed"),
        run("title: One thing, previousKeys: [run-2], " + LIVE, "state: closed"),
    ),
    (
        "bad-previous-key",
        run("state: closed, previousKeys: [x]", "state: closed, previousKeys: [x]"),
        run("state: closed, previousKeys: [x]", "state: closed, previousKeys: [y]"),
    ),
    ("title-missing", run(LIVE), run("state: closed")),
    ("title-too-long", run(f"title: {'x' * 256}, {LIVE}"), run(f"title: ' {'x' * 255} ', {LIVE}")),
    (
        "marker-in-text",
        titled("description: 'a [QARUN:1', " + LIVE),
        titled("description: a, " + LIVE),
    ),
    ("marker-in-text", run("title: 'x &amp;#91;qarun:1', " + LIVE), run("title: 'qarun', " + LIVE)),
    ("marker-in-text", run("title: 'x [qa<b>run:1', " + LIVE), run("title: '[qarun]', " + LIVE)),
    (
        "marker-in-text",
        titled("replaceTitle: '[qarun: {revision}', " + LIVE),
        titled("replaceTitle: '[{revision}', " + LIVE),
    ),
    ("type-missing", titled("queryPlans: [{folders: [1]}]"), titled(LIVE)),
    (
        "type-missing",
        titled("adopt: {run: 4}, queryPlans: [{folders: [1]}]"),
        titled("queryPlans: [{folders: [1]}]") + "defaults: {type: live}\n",
    ),
    ("query-plans-missing", titled("type: live"), titled(LIVE)),
    ("query-plans-missing", titled("adopt: {run: 4}, type: live"), titled("adopt: {run: 4}")),
    ("query-plans-missing", titled("state: closed, type: live"), titled("state: closed")),
    ("query-plans-missing", titled("state: open"), titled("state: unmanaged")),
    (
        "one-plan-only",
        titled("type: static, queryPlans: [{tags: [a]}, {tags: [b]}]"),
        titled("type: live, queryPlans: [{folders: [a]}, {folders: [b]}]"),
    ),
    (
        "one-plan-only",
        titled("queryPlans: [{tags: [a]}, {tags: [b]}]") + "defaults: {type: static_struct}\n",
        titled("queryPlans: [{tags: [a]}]") + "defaults: {type: static_struct}\n",
    ),
    ("live-plan-needs-folder", titled("type: live, queryPlans: [{tags: [a]}]"), titled(LIVE)),
    ("live-plan-has-tcases", titled("type: live, queryPlans: [{tcases: [1]}]"), titled(STATIC)),
    ("plan-needs-filter", titled("type: live, queryPlans: [{}]"), titled(LIVE)),
    (
        "bad-folder-path",
        titled("type: live, queryPlans: [{folders: [a//b]}]"),
        titled("type: live, queryPlans: [{folders: [a/b]}]"),
    ),
    ("bad-clone-source", titled("cloneFrom: {}"), titled("cloneFrom: {run: 12}")),
    ("bad-clone-source", titled("cloneFrom: {run: 1, title: x}"), titled("cloneFrom: {title: x}")),
    (
        "clone-unknown-key",
        run("title: Second round, cloneFrom: run-2", "state: closed"),
        run("title: Second round, cloneFrom: run-1", "state: closed"),
    ),
    (
        "clone-with-selection",
        titled("cloneFrom: {run: 1}, type: live"),
        titled("cloneFrom: {run: 1}"),
    ),
    (
        "clone-with-selection",
        titled("cloneFrom: {run: 1}, queryPlans: [{tags: [a]}]"),
        titled("cloneFrom: {run: 1}") + "defaults: {type: live}\n",
    ),
    ("clone-with-adopt", titled("cloneFrom: {run: 1}, adopt: {run: 2}"), titled("adopt: {run: 2}")),
    ("clone-cycle", titled("cloneFrom: run-0"), titled("cloneFrom: {run: 1}")),
    (
        "clone-cycle",
        run("title: First one, cloneFrom: run-1", "title: Second one, cloneFrom: run-0"),
        run("title: First one, cloneFrom: run-1", "title: Second one, cloneFrom: {run: 1}"),
    ),
    (
        "protect-contradiction",
        run("state: closed, protect: true"),
        run("state: closed, protect: false") + "defaults: {protect: true}\n",
    ),
    (
        "protect-contradiction",
        titled(f"closeWhen: complete, {LIVE}") + "defaults: {protect: true}\n",
        titled(f"closeWhen: never, {LIVE}") + "defaults: {protect: true, closeWhen: complete}\n",
    ),
    ("bad-replace", titled("replace: r0, " + LIVE), titled("replace: r2, " + LIVE)),
    ("bad-replace", titled("replace: yes, " + LIVE), titled("replace: always, " + LIVE)),
    ("bad-replace-title", titled("replaceTitle: again, " + LIVE), titled(LIVE)),
    (
        "bad-replace-title",
        titled("replaceTitle: '{revision} {owner}', " + LIVE),
        titled("replaceTitle: '{key} {title} {revision}', " + LIVE),
    ),
    (
        "bad-replace-title",
        titled("replaceTitle: '{{revision}}', " + LIVE),
        titled("replaceTitle: '{revision}{revision}', " + LIVE),
    ),
    (
        "duplicate-title",
        run("title: One  thing, " + LIVE, "title: ' one Thing ', " + LIVE),
        run("title: One thing, " + LIVE, "state: closed, title: One thing, " + LIVE),
    ),
    (
        "duplicate-title",
        HEAD + f"runs: {{a: &a {{title: One thing, {LIVE}}}, b: *a}}\n",
        HEAD + f"runs: {{a: &a {{title: One thing, {LIVE}}}, b: {{<<: *a, title: Other}}}}\n",
    ),
    (
        "adopted-twice",
        run("title: One thing, adopt: {run: 1}", "title: Other thing, adopt: {run: 1}"),
        run("title: One thing, adopt: {run: 1}", "title: Other thing, adopt: {run: 2}"),
    ),
    (
        "duplicate-in-filter",
        titled("type: live, queryPlans: [{folders: [a, b, a]}]"),
        titled("type: live, queryPlans: [{folders: [a, b]}, {folders: [a]}]"),
    ),
    (
        "replace-title-too-long",
        run(f"title: {'x' * 250}, {LIVE}"),
        run(f"title: {'x' * 249}, {LIVE}"),
    ),
    (
        "fixed-set-static",
        titled("type: static_struct, queryPlans: [{tcases: [BD-1]}]"),
        titled("type: static, queryPlans: [{tcases: [BD-1]}]"),
    ),
    (
        "ongoing-suite-live",
        titled("type: static_struct, queryPlans: [{folders: [a]}]"),
        titled("type: static_struct, queryPlans: [{tags: [a]}]"),
    ),
    ("title-says-something", run("title: Test run 12, " + LIVE), titled(LIVE)),
    ("title-says-something", run("title: 'R1', " + LIVE), run("title: Überweisungen, " + LIVE)),
    (
        "run-has-milestone",
        HEAD + f"runs: {{a: {{title: Checkout, assignee: 1, {LIVE}}}}}\n",
        HEAD
        + f"defaults: {{milestone: 1}}\nruns: {{a: {{title: Checkout, assignee: 1, {LIVE}}}}}\n",
    ),
    (
        "run-has-assignee",
        HEAD + f"runs: {{a: {{title: Checkout, milestone: 1, {LIVE}}}}}\n",
        HEAD + f"runs: {{a: {{title: Checkout, milestone: 1, state: closed, {LIVE}}}}}\n",
    ),
]
# These need more than one small text and stand in a test of their own.
ELSEWHERE = {
    "file-not-found",  # test_paths.py
    "file-unreadable",
    "file-too-large",
    "folder-without-manifests",
    "duplicate-run",
    "alias-in-use",  # test_aliases.py
    "too-many-values",  # test_loading.py
    "text-too-long",
    "description-too-long",  # below
    "more-problems",
}


@pytest.mark.parametrize(("rule", "bad", "good"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_sees_its_breach_and_nothing_else(read, rule, bad, good):
    breached = {diagnostic.rule for diagnostic in read(m=bad).diagnostics}
    kept = read(m=good).diagnostics

    assert rule in breached
    assert rule not in {diagnostic.rule for diagnostic in kept}
    assert [diagnostic for diagnostic in kept if diagnostic.severity == "error"] == []


def test_every_rule_has_a_case():
    assert {case[0] for case in CASES} | ELSEWHERE == set(RULES)


def test_breaches_have_place_and_severity(read):
    for rule, bad, _ in CASES:
        result = read(m=bad)
        found = [diagnostic for diagnostic in result.diagnostics if diagnostic.rule == rule]
        assert all(diagnostic.location.file == "m.yaml" for diagnostic in found)
        assert {diagnostic.severity for diagnostic in found} == {RULES[rule].severity}
        is_valid = not any(diagnostic.severity == "error" for diagnostic in result.diagnostics)
        assert len(result.manifests) == is_valid


def test_messages_end_without_full_stop_and_never_speak_of_jsonschema(read):
    for _, bad, _ in CASES:
        for diagnostic in read(m=bad).diagnostics:
            for text in (diagnostic.message, diagnostic.hint, diagnostic.expected):
                assert not text.endswith(".")
                assert "is not valid under" not in text
                assert "is not of type" not in text


@pytest.mark.parametrize("rule", SWITCHABLE)
def test_advice_can_be_switched_off(read, rule):
    bad = next(bad for name, bad, _ in CASES if name == rule)

    result = read(m=bad + f"lint: {{disable: [{rule}]}}\n")

    assert rule not in {diagnostic.rule for diagnostic in result.diagnostics}


def test_a_description_leaves_room_for_the_marker(read):
    rules = {}
    for length in range(380, 420):
        text = titled(f"description: {'x' * length}, {LIVE}")
        rules[length] = {diagnostic.rule for diagnostic in read(m=text).diagnostics}

    longest = max(length for length, found in rules.items() if not found)

    # 512 less two line breaks less `[qarun:1 web-team run-0 r9999 s… d… t… n… m… a… p]`.
    assert longest == 512 - 2 - len("[qarun:1 web-team run-0 r9999" + " s12345678" * 4) - 27
    assert all("description-too-long" in rules[length] for length in rules if length > longest)
    assert all(not rules[length] for length in rules if length <= longest)


def test_an_inherited_description_is_measured_for_each_key(read):
    text = HEAD + f"defaults: {{description: {'x' * 370}}}\nruns:\n"
    text += "  short: {state: closed}\n  " + "k" * 60 + ": {state: closed}\n"

    (diagnostic,) = read(m=text).diagnostics

    assert diagnostic.rule == "description-too-long"
    assert diagnostic.location.line == 4
    assert "k" * 59 in diagnostic.expected


def test_problems_are_bounded_and_counted(read):
    text = HEAD + "runs:\n" + "".join(f"  bad key {index}: {{}}\n" for index in range(250))

    diagnostics = read(m=text).diagnostics

    assert len(diagnostics) == MAX_SHOWN + 1
    assert diagnostics[-1].rule == "more-problems"
    assert diagnostics[-1].severity == "error"
    assert "650 more errors and 500 more warnings" in diagnostics[-1].message
    assert {diagnostic.severity for diagnostic in diagnostics} == {"error"}


def test_too_many_warnings_are_no_error(read):
    body = f"{{{LIVE}, title: Checkout part number %d}}"
    text = HEAD + "runs:\n" + "".join(f"  k{i}: {body % i}\n" for i in range(60))

    result = read(m=text)

    assert result.diagnostics[-1].message == "and 20 more warnings in this file"
    assert result.diagnostics[-1].severity == "warning"
    assert len(result.manifests[0].runs) == 60


def test_explaining_stops_when_nobody_would_read_on(read):
    text = HEAD + "runs:\n" + "".join(f"  k{i}: {{x: 1, state: closed}}\n" for i in range(12000))

    diagnostics = read(m=text).diagnostics

    assert diagnostics[-1].message == "and at least 900 more errors in this file"


def test_a_secret_is_never_repeated(read):
    texts = [
        RUNS + f"token: {SECRET}\n",
        RUNS.replace("web-team", SECRET),
        RUNS + f"users: {{token: {SECRET}}}\n",
        RUNS + f"prune: {SECRET}\nserver: https://{SECRET}@a.b\n{SECRET}: 1\n",
        HEAD + f"runs: {{'{SECRET}': {{title: {SECRET}, cloneFrom: {SECRET}, type: {SECRET}}}}}\n",
        RUNS + "users: {password: hunter2}\ntoken: hunter2\nserver: http://ann:hunter2@a.b\n",
    ]
    for text in texts:
        diagnostics = read(m=text).diagnostics
        assert "secret-in-manifest" in {diagnostic.rule for diagnostic in diagnostics}
        assert SECRET[-12:] not in repr(diagnostics)
        assert "hunter2" not in repr(diagnostics)


def test_terminal_escapes_do_not_get_into_a_message(read):
    text = HEAD + r'runs: {"a\e[31m\u202e": {type: "\e]0;x\a", "\e[2J": 1}}' + "\n"

    shown = "".join(d.message + d.hint + d.expected for d in read(m=text).diagnostics)

    assert "a\\u001b[31m\\u202e" in shown
    assert shown.isprintable()


def test_reading_nothing_says_nothing():
    assert read_manifests([]).diagnostics == ()
