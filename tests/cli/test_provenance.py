"""Where an apply comes from: out of the environment, given, into the logs of runs."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cli.support import HEAD, TWO, call, rows, write

from runs_as_code.cli.provenance import ProvenanceWanted, find_provenance
from runs_as_code.server.web.faults import Fault

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "3f2c9d1e",
    "GITHUB_ACTOR": "ann",
    "GITHUB_SERVER_URL": "https://ci:secret@git.example.com",
    "GITHUB_REPOSITORY": "acme/qa",
    "GITHUB_RUN_ID": "42",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_COMMIT_SHA": "3f2c9d1e",
    "GITLAB_USER_LOGIN": "bob",
    "CI_PIPELINE_URL": "https://gitlab.example.com/acme/qa/-/pipelines/7",
}


@pytest.fixture
def manifest(tmp_path: Path, database: Path) -> Path:
    return write(tmp_path / "m.yaml", TWO)


def lines(database: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.execute("SELECT run_id, comment FROM run_log ORDER BY run_id"))


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        ({}, None),
        ({"GITHUB_SHA": "3f2c"}, None),
        (GITLAB | {"GITLAB_CI": ""}, None),
        (
            GITLAB,
            (
                ("commit", "3f2c9d1e"),
                ("author", "bob"),
                ("pipeline", "https://gitlab.example.com/acme/qa/-/pipelines/7"),
            ),
        ),
        ({"JENKINS_URL": "x", "BUILD_URL": "https://ci/7/"}, (("pipeline", "https://ci/7/"),)),
        ({"CIRCLECI": "true", "CIRCLE_SHA1": "3f"}, (("commit", "3f"),)),
        ({"BUILDKITE": "true"}, None),
        (
            {
                "BITBUCKET_BUILD_NUMBER": "7",
                "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/acme/qa",
            },
            (("pipeline", "https://bitbucket.org/acme/qa/pipelines/results/7"),),
        ),
    ],
)
def test_pipelines_are_known(environ: dict[str, str], facts: tuple[tuple[str, str], ...] | None):
    found = find_provenance(environ)
    assert (found.facts if found else None) == facts


def test_what_is_given_comes_before_what_the_environment_says():
    wanted = ProvenanceWanted((("commit", "mine"), ("ticket", "QA-7")))
    found = wanted.found_in(GITLAB)
    assert found is not None
    assert dict(found.facts)["commit"] == "mine"
    assert dict(found.facts)["ticket"] == "QA-7"
    assert ProvenanceWanted(wanted.facts, is_off=True).found_in(GITLAB) is None


def test_an_apply_leaves_one_line_for_each_change(manifest: Path, database: Path):
    assert call("apply", "--auto-approve", "-f", manifest, **GITHUB).code == 0
    told = lines(database)
    assert [run_id for run_id, _ in told] == [run_id for run_id, _, _ in rows(database)]
    assert all("commit <code>3f2c9d1e</code>; author <code>ann</code>" in line for _, line in told)
    page = "https://git.example.com/acme/qa/actions/runs/42"
    assert all(f'<a href="{page}">' in line and "secret" not in line for _, line in told)

    assert call("apply", "--auto-approve", "-f", manifest, **GITHUB).code == 0
    assert lines(database) == told


def test_outside_of_a_pipeline_nothing_is_written_unless_it_is_given(
    manifest: Path, database: Path
):
    write(manifest, TWO.split("  review:", maxsplit=1)[0])
    call("apply", "--auto-approve", "-f", manifest)
    assert lines(database) == []
    write(manifest, TWO)
    call("apply", "--auto-approve", "--provenance", "ticket=QA-7", "-f", manifest)
    assert [line.endswith("; ticket <code>QA-7</code></p>") for _, line in lines(database)] == [
        True
    ]


def test_a_pipeline_may_say_nothing(manifest: Path, database: Path):
    call("apply", "--auto-approve", "--no-provenance", "-f", manifest, **GITHUB)
    assert lines(database) == []


def test_the_plan_counts_the_lines(manifest: Path):
    plain = call("plan", "--format", "json", "-f", manifest).json
    told = call("plan", "--format", "json", "-f", manifest, **GITHUB).json
    assert (plain["cost"]["writes"], told["cost"]["writes"]) == (2, 4)
    assert plain["digest"] == told["digest"]


def test_a_saved_plan_is_applied_with_lines(manifest: Path, database: Path, tmp_path: Path):
    saved = tmp_path / "plan.json"
    call("plan", "--out", saved, "-f", manifest)
    ended = call("apply", saved, **GITLAB)
    assert ended.code == 0
    assert len(lines(database)) == 2
    assert call("apply", saved, **GITLAB).code == 0
    assert len(lines(database)) == 2


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_server_without_logs_is_noted_once(
    database: Path, tmp_path: Path, serve: Callable[..., str], status: int
):
    fault = Fault("status", "POST /project/*/run/*/log", status=status)
    serve(faults=(fault,))
    served = write(tmp_path / "hosted.yaml", TWO, head=HEAD.replace("server: embedded\n", ""))
    ended = call("apply", "--auto-approve", "--rate", "0", "-f", served, **GITHUB)
    assert ended.code == 0, ended.err
    assert ended.err.count("note: where this apply comes from is not in the log") == 1
    assert lines(database) == []


@pytest.mark.parametrize("value", ["", "=x", "Ticket=x", "ticket", "ticket=", "ticket= "])
def test_a_fact_has_a_name_and_a_value(manifest: Path, value: str):
    ended = call("apply", "--provenance", value, "-f", manifest)
    assert ended.code == 64
    assert "NAME=VALUE" in ended.err


def test_facts_are_few(manifest: Path):
    facts = [word for n in range(9) for word in ("--provenance", f"f{n}=x")]
    assert call("apply", *facts, "-f", manifest).code == 64


def test_a_loop_knows_the_commit_of_its_files(database: Path, tmp_path: Path):
    folder = tmp_path / ("3f2c9d1e" * 5)
    manifest = write(folder / "m.yaml", TWO)
    given = ["--once", "--database", database, "-f", manifest]
    assert call("reconcile", *given, PATH=str(tmp_path)).code == 0
    assert [f"; commit <code>{folder.name}</code></p>" in line for _, line in lines(database)] == [
        True,
        True,
    ]


def test_a_loop_may_say_nothing(database: Path, tmp_path: Path):
    manifest = write(tmp_path / ("3f2c9d1e" * 5) / "m.yaml", TWO)
    given = ["--once", "--no-provenance", "--database", database, "-f", manifest]
    assert call("reconcile", *given, PATH=str(tmp_path)).code == 0
    assert lines(database) == []
