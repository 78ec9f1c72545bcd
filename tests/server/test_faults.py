"""Faults on purpose: what the client sees, and what was really done."""

import time
from pathlib import Path

import pytest
from server.conftest import Start
from server.support import Api

from runs_as_code.server import (
    DocumentError,
    Fault,
    Faults,
    create_key,
    read_faults,
)

RUN = {"title": "A run", "type": "live", "queryPlans": [{"folderIds": [2]}]}
CREATE = "POST /project/*/run"


def titles(api: Api) -> list[str]:
    return [run["title"] for run in api.get("/project/BD/run")["runs"]]


@pytest.mark.parametrize(("kind", "made"), [("lost-before", []), ("lost-after", ["A run"])])
def test_a_lost_reply_leaves_the_outcome_open(start: Start, kind: str, made: list[str]):
    api = start(faults=(Fault(kind, CREATE, times=1),))
    with pytest.raises(ConnectionResetError):
        api.send("POST", "/project/BD/run", json=RUN)
    assert titles(api) == made
    api.make_run("Another")


@pytest.mark.parametrize(("kind", "made"), [("status", []), ("status-after", ["A run"])])
def test_an_error_status_may_come_before_or_after_the_work(
    start: Start, kind: str, made: list[str]
):
    api = start(faults=(Fault(kind, CREATE, times=1, status=502),))
    response = api.send("POST", "/project/BD/run", json=RUN)
    assert (response.status_code, response.json()) == (502, {"message": "injected fault 502"})
    assert titles(api) == made


def test_a_429_has_the_documented_message_and_may_say_when(start: Start):
    api = start(faults=(Fault("status", status=429, retry_after=3, times=1),))
    response = api.send("GET", "/project")
    assert response.status_code == 429
    assert response.headers["retry-after"] == "3"
    assert response.json() == {"message": "Too many requests, please try again later."}
    assert api.send("GET", "/project").status_code == 200


def test_a_slow_request_is_carried_out(start: Start):
    api = start(faults=(Fault("slow", CREATE, seconds=0.2),))
    began = time.monotonic()
    api.make_run()
    assert time.monotonic() - began >= 0.2


def test_a_stale_list_misses_what_was_just_made(start: Start):
    api = start(faults=(Fault("stale-list", "GET /project/*/run", skip=2, times=2),))
    api.make_run("First")
    assert titles(api) == ["First"]
    api.make_run("Second")
    assert titles(api) == ["Second", "First"]
    api.make_run("Third")
    assert titles(api) == ["Second", "First"]
    assert titles(api) == ["Second", "First"]
    assert titles(api) == ["Third", "Second", "First"]


def test_faults_are_added_and_cleared_while_it_runs(api: Api):
    faults: Faults = api.app.state.faults
    faults.add(Fault("status", "GET /users"))
    assert api.send("GET", "/users").status_code == 503
    assert api.send("GET", "/users/me").status_code == 200
    faults.clear()
    assert api.send("GET", "/users").status_code == 200


def test_the_same_seed_gives_the_same_chances():
    def hits(seed: int) -> list[bool]:
        faults = Faults([Fault("status", probability=0.3)], seed)
        return [faults.pick("GET /project") is not None for _ in range(200)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


def test_a_faults_file_is_read_and_checked(tmp_path: Path):
    path = tmp_path / "faults.yaml"
    path.write_text(
        "apiVersion: qarun/faults/v1\nseed: 7\nfaults:\n"
        "  - {kind: status, status: 429, retryAfter: 2, endpoint: 'POST *', times: 1}\n"
        "  - {kind: slow, seconds: 0.5, probability: 0.1, skip: 3}\n"
    )
    assert read_faults(path) == (
        (
            Fault("status", "POST *", times=1, status=429, retry_after=2),
            Fault("slow", skip=3, probability=0.1, seconds=0.5),
        ),
        7,
    )
    path.write_text("apiVersion: qarun/faults/v1\nfaults: [{kind: earthquake}]\n")
    with pytest.raises(DocumentError, match=r"faults\[0\]\.kind: 'earthquake' is not one of"):
        read_faults(path)


def test_a_stale_list_shows_nobody_what_another_key_saw(start: Start, database: Path):
    keys = [create_key(database, email) for email in ("adam@example.com", "vera@example.com")]
    api = start(require_key=True, faults=(Fault("stale-list", "GET /users", skip=1),))
    answers = [
        api.send("GET", "/users", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (keys[0], keys[1], "nonsense", keys[0])
    ]
    assert answers == [200, 403, 401, 200]


def test_a_stale_list_repeats_no_error(start: Start):
    refusal = Fault("status", "GET /project/*/run", skip=1, times=1)
    api = start(faults=(refusal, Fault("stale-list", "GET /project/*/run", skip=1)))
    assert titles(api) == []
    assert api.send("GET", "/project/BD/run").status_code == 503
    api.make_run("A run")
    assert titles(api) == []


@pytest.mark.parametrize("endpoint", ["*", "* /project/*/milestone"])
def test_a_stale_list_swallows_no_write(start: Start, endpoint: str):
    fault = Fault("stale-list", endpoint, skip=1, times=1)
    api = start(faults=(fault,))
    before = api.get("/project/BD/milestone")
    assert api.post("/project/BD/milestone", {"title": "New"})["id"]
    assert api.get("/project/BD/milestone") == before
    assert "New" in str(api.get("/project/BD/milestone"))


@pytest.mark.parametrize(
    "endpoint",
    ["/project/*/run", "post /project/*/run", "POST project", "GET /api/public/v0/project", ""],
)
def test_an_endpoint_that_nothing_can_match_is_refused(tmp_path: Path, endpoint: str):
    path = tmp_path / "faults.yaml"
    head = "apiVersion: qarun/faults/v1\nfaults: [{kind: slow, endpoint: "
    path.write_text(f"{head}'{endpoint}'}}]\n")
    with pytest.raises(DocumentError, match=r"faults\[0\]\.endpoint"):
        read_faults(path)
    for good in ("*", "GET *", "* /project/*", "*/run", "POST /project/*/run"):
        path.write_text(f"{head}'{good}'}}]\n")
        assert read_faults(path)[0][0].endpoint == good


@pytest.mark.parametrize("line", ["seconds: .nan", "probability: .nan", "times: .inf", "seed: .5"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, line: str):
    path = tmp_path / "faults.yaml"
    path.write_text("apiVersion: qarun/faults/v1\nfaults: [{kind: slow, " + line + "}]\n")
    with pytest.raises(DocumentError, match=line.partition(":")[0]):
        read_faults(path)
