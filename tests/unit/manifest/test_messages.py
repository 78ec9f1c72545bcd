"""What people read: what is wrong, what was expected, what to do."""

import pytest

HEAD = "apiVersion: qarun/v1\nproject: BD\nowner: web-team\n"
RUN = HEAD + "runs:\n  a:\n    state: closed\n"
TABLE = [
    ("owner: a\nownr: b\n", "unknown key `ownr`", "did you mean `owner`?"),
    (RUN + "    titel: b\n", "unknown key `titel`", "did you mean `title`?"),
    (RUN + "    closewhen: never\n", "unknown key `closewhen`", "did you mean `closeWhen`?"),
    (
        RUN + "    folders: [a]\n",
        "unknown key `folders`",
        "it belongs into an item of `queryPlans`",
    ),
    (RUN + "    zzzz: 1\n", "unknown key `zzzz`", ""),
    (RUN + "    type: liv\n", "`liv` is not allowed for `type`", "did you mean `live`?"),
    (
        RUN + "    queryPlans: [{priorities: [hihg]}]\n",
        "`hihg` is not allowed for an item of `priorities`",
        "did you mean `high`?",
    ),
    (
        RUN + "    protect: on\n",
        "`protect` must be `true` or `false`, not the text `on`",
        "write `true`",
    ),
    (
        RUN + "    protect: perhaps\n",
        "`protect` must be `true` or `false`, not the text `perhaps`",
        "",
    ),
    (RUN + "    title: 12\n", "`title` must be a text, not the number `12`", "put it in quotes"),
    (
        RUN + "    title: true\n",
        "`title` must be a text, not the boolean `true`",
        "put it in quotes",
    ),
    (
        RUN + "    title:\n",
        "`title` must be a text, not nothing",
        "write a value, or leave the key out",
    ),
    (RUN + "    title: [a]\n", "`title` must be a text, not a list", ""),
    (
        RUN + "    milestone: {a: 1}\n",
        "`milestone` must be a text or a whole number or `null`, not a mapping",
        "",
    ),
    (
        RUN + "    queryPlans: {folders: [a]}\n",
        "`queryPlans` must be a list, not a mapping",
        "begin each item with `- `",
    ),
    (
        RUN + "    previousKeys: old\n",
        "`previousKeys` must be a list, not the text `old`",
        "put it in brackets: `[old]`",
    ),
    (
        RUN + "    adopt: {run: '4'}\n",
        "`run` must be a whole number, not the text `4`",
        "write the number without quotes",
    ),
    (RUN + "  b: text\n", "the run `b` must be a mapping, not the text `text`", ""),
    (HEAD, "`runs` is missing", "`runs: {}` says that there are none"),
    ("owner: a\nruns: {}\n", "`project` is missing", "`project: BD`"),
    (RUN + "    adopt: {run: 0}\n", "`run` can't be `0`", ""),
    (
        RUN + "    queryPlans: []\n",
        "`queryPlans` is an empty list",
        "add an item, or leave the key out",
    ),
    (RUN + "    cloneFrom: b\n", "no run `b` in this file", ""),
    (RUN + "    cloneFrom: aa\n", "no run `aa` in this file", "did you mean `a`?"),
    (
        RUN + "    title: " + "x" * 300 + "\n",
        "the title has 300 characters",
        "",
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), TABLE, ids=[row[1] for row in TABLE])
def test_a_message_is_said_in_words(read, text, message, hint):
    said = {diagnostic.message: diagnostic.hint for diagnostic in read(m=text).diagnostics}

    assert message in said
    assert said[message] == hint


def test_expectations_name_what_is_allowed(read):
    text = HEAD + "prune: x\nlimits: {percent: 101}\nruns: {a: {state: closed, type: 3}}\n"

    expected = {d.rule: d.expected for d in read(m=text).diagnostics}

    assert expected["unknown-value"] == "one of `keep`, `close`"
    assert expected["out-of-range"] == "0 to 100"
    assert expected["wrong-type"] == "a text"


def test_all_problems_of_a_file_come_at_once(read):
    text = (
        "apiVersion: qarun/v1\n"
        "project: TOOLONG\n"
        "ownr: web-team\n"
        "server: ftp://a\n"
        "runs:\n"
        "  bad key: {state: closed}\n"
        "  a: {title: 1, state: closed, protect: true}\n"
        "  b: {state: closed, state: open}\n"
        "  c: {state: closed, cloneFrom: nobody, description: '[qarun:'}\n"
    )

    found = [(d.location.line, d.rule) for d in read(m=text).diagnostics]

    assert found == [
        (1, "missing-key"),
        (2, "bad-project"),
        (3, "unknown-key"),
        (4, "bad-server"),
        (6, "bad-key"),
        (7, "wrong-type"),
        (7, "protect-contradiction"),
        (8, "duplicate-key"),
        (9, "clone-unknown-key"),
        (9, "marker-in-text"),
    ]


def test_long_values_are_shortened(read):
    (diagnostic,) = read(m=HEAD + f"runs: {{}}\nprune: {'x' * 500}\n").diagnostics

    assert len(diagnostic.message) < 100
    assert "…" in diagnostic.message
