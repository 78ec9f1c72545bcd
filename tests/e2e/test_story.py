"""The whole way of a file, from the first plan to the last close, over a socket and with keys."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.support import Site, manifest, qarun, run_lines

Serve = Callable[..., Site]

FIRST = run_lines("smoke", "Smoke", assignee="7") + run_lines(
    "review", "Review", queryPlans="[{folders: [Cart/Discounts], tags: [smoke]}]"
)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return manifest(tmp_path / "qarun.yaml", FIRST)


def test_plan_apply_and_plan_again(serve: Serve, runs: Path) -> None:
    site = serve()
    environ = site.environ()

    assert qarun("plan", "--detailed-exitcode", "-f", runs, **environ).code == 2
    assert site.titles() == []
    applied = qarun("apply", "--auto-approve", "-f", runs, **environ)
    assert applied.code == 0, applied.err
    assert site.titles() == ["Review", "Smoke"]
    again = qarun("plan", "--detailed-exitcode", "-f", runs, **environ)
    assert again.code == 0, again.out
    assert qarun("apply", "--auto-approve", "-f", runs, **environ).code == 0
    assert len(site.runs()) == 2

    listed = qarun("list", "--format", "json", "-f", runs, **environ).json
    assert "/project/BD/run/1" in json.dumps(listed)


def test_a_change_by_a_saved_plan(serve: Serve, runs: Path, tmp_path: Path) -> None:
    site = serve()
    environ = site.environ()
    assert qarun("apply", "--auto-approve", "-f", runs, **environ).code == 0
    changed = run_lines("smoke", "Smoke", assignee="4")
    changed += run_lines("review", "Review", state="closed")
    changed += "  again:\n    title: Smoke again\n    cloneFrom: smoke\n"
    manifest(runs, changed)
    saved = tmp_path / "plan.json"

    assert qarun("plan", "--out", saved, "--detailed-exitcode", "-f", runs, **environ).code == 2
    shown = qarun("show", saved)
    assert shown.code == 0
    assert "Smoke (r2)" in shown.out
    applied = qarun("apply", saved, **environ)
    assert applied.code == 0, applied.err
    assert site.titles() == ["Smoke (r2)", "Smoke again"]
    assert [run["assignmentId"] for run in site.runs() if run["title"] == "Smoke (r2)"] == [4]
    consumed = qarun("apply", saved, **environ)
    assert consumed.code == 0, consumed.err
    assert len(site.runs()) == 4
    assert qarun("plan", "--detailed-exitcode", "-f", runs, **environ).code == 0


def test_a_saved_plan_that_people_overtook(serve: Serve, runs: Path, tmp_path: Path) -> None:
    site = serve()
    environ = site.environ()
    assert qarun("apply", "--auto-approve", "-f", runs, **environ).code == 0
    manifest(runs, FIRST.replace("assignee: 7", "assignee: 4"))
    saved = tmp_path / "plan.json"
    assert qarun("plan", "--out", saved, "-f", runs, **environ).code == 0
    run_id = next(run["id"] for run in site.runs() if run["title"] == "Smoke")
    case = "Search finds dishes by ingredient"
    members = _cases(site, run_id)
    site.post(f"/run/{run_id}/tcase/{members[case]}/result", {"status": "passed", "comment": ""})

    stale = qarun("apply", saved, **environ)
    assert stale.code == 6, stale.err
    assert f"run {run_id}" in stale.err
    assert site.titles() == ["Review", "Smoke"]
    withheld = qarun("apply", "--auto-approve", "-f", runs, **environ)
    assert withheld.code == 5
    assert "replace: r2" in withheld.out + withheld.err
    approved = qarun("apply", "--auto-approve", "--approve", "smoke", "-f", runs, **environ)
    assert approved.code == 0, approved.err
    assert site.titles() == ["Review", "Smoke (r2)"]


def _cases(site: Site, run_id: int) -> dict[str, str]:
    import httpx  # noqa: PLC0415 -- only here

    url = f"{site.address}/api/public/v0/project/BD/run/{run_id}/tcase"
    headers = {"Authorization": f"Bearer {site.keys['viewer']}"}
    with httpx.Client(trust_env=False) as client:
        cases = client.get(url, headers=headers).raise_for_status().json()["tcases"]
    return {case["title"]: case["id"] for case in cases}


def test_keys_that_are_wrong_or_weak(serve: Serve, runs: Path) -> None:
    site = serve()
    wrong = {**site.environ(), "QAS_TOKEN": site.keys["user"][:-4] + "AAAA"}
    for command in (("plan",), ("apply", "--auto-approve")):
        ended = qarun(*command, "-f", runs, **wrong)
        assert ended.code == 4, ended.err
        assert wrong["QAS_TOKEN"] not in ended.out + ended.err

    weak = qarun("apply", "--auto-approve", "-f", runs, **site.environ("viewer"))
    assert weak.code == 4, weak.err
    assert site.runs() == []


def test_nothing_is_applied_without_a_word(serve: Serve, runs: Path) -> None:
    site = serve()
    refused = qarun("apply", "-f", runs, **site.environ())

    assert refused.code == 5
    assert "--auto-approve" in refused.err
    assert site.runs() == []


@pytest.mark.parametrize(
    "options",
    [
        ("--title-scope", "milestone", "--mangle-text", "escape"),
        ("--title-scope", "none", "--mangle-text", "trim"),
    ],
)
def test_servers_of_another_mind(serve: Serve, runs: Path, options: tuple[str, ...]) -> None:
    site = serve(*options)
    environ = site.environ()
    manifest(runs, run_lines("smoke", "Fish & <chips>", description="'Say \"cheese\" & <smile>'"))
    assert qarun("apply", "--auto-approve", "-f", runs, **environ).code == 0
    assert qarun("plan", "--detailed-exitcode", "-f", runs, **environ).code == 0
    manifest(runs, run_lines("smoke", "Fish & <chips>", description="'Say \"cheese\" twice'"))
    assert qarun("apply", "--auto-approve", "-f", runs, **environ).code == 0
    assert qarun("plan", "--detailed-exitcode", "-f", runs, **environ).code == 0
    assert len(site.titles()) == 1
