"""The GitHub example as a new user lives it: propose, review, merge, apply, drift, heal.

Everything is real but the forge: Git, the workflow files and their shell, `qarun`, the server.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ci_examples.conftest import Service
from ci_examples.forge import CI, ROOT, Repository
from ci_examples.runner import Ran, Site, approve, run_workflow

WORKFLOWS = CI / "github" / "workflows"
PLAN, APPLY, DRIFT = (WORKFLOWS / f"qarun-{name}.yml" for name in ("plan", "apply", "drift"))

HEAD = """\
apiVersion: qarun/v1
project: BD
owner: web-team
lint: {disable: [run-has-milestone, run-has-assignee, ongoing-suite-live, fixed-set-static]}
runs:
"""
SMOKE = """\
  smoke:
    title: Smoke of the week
    type: live
    queryPlans: [{folders: [Menu]}]
    replace: auto
    description: The first look.
"""
REVIEW = """\
  review:
    title: Menu review
    type: live
    queryPlans: [{folders: [Menu]}]
"""
SHA = re.compile(r"\b[0-9a-f]{40}\b")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@pytest.fixture
def shown(site: Site, repository: Repository) -> "Story":
    return Story(site, repository)


class Story:
    """What people and workflows do, in a few words each."""

    def __init__(self, site: Site, repository: Repository) -> None:
        self.site, self.repository = site, repository

    def plan(self, number: int, runs: str, **others: str) -> Ran:
        """Propose the runs of `web-team`, and those of other owners by name."""
        event = self.repository.propose(number, declared(runs, **others))
        return run_workflow(self.site, PLAN, event)["plan"]

    def copy(self, folder: Path, name: str) -> dict[str, Path]:
        """Return a copy of the workflows for another set of manifests, as docs/ci.md tells it."""
        made = {}
        for path in (PLAN, APPLY, DRIFT):
            text = path.read_text("utf-8").replace("name: qarun ", f"name: {name} ")
            text = text.replace("FILES: qa", f"FILES: {name}").replace('"qa/**', f'"{name}/**')
            made[path.stem] = folder / path.name
            made[path.stem].write_text(
                text.replace("CONTEXT: qarun/plan", f"CONTEXT: qarun/{name}")
            )
        return made

    def merge(self, number: int) -> dict[str, Ran]:
        return run_workflow(self.site, APPLY, self.repository.merge(number))

    def night(self) -> dict[str, Ran]:
        return run_workflow(self.site, APPLY, self.repository.head())

    def drift(self) -> Ran:
        return run_workflow(self.site, DRIFT, self.repository.head())["drift"]

    def issues(self) -> list[tuple[str, str]]:
        return [(each["state"], each["title"]) for each in self.repository.state["issues"]]

    def status(self) -> dict[str, str]:
        found: dict[str, str] = self.repository.state["statuses"][0]
        return found


def declared(runs: str, **others: str) -> dict[str, str]:
    """Return a file of `web-team`, and one for each other owner."""
    files = {f"{owner}.yaml": HEAD.replace("web-team", owner) + others[owner] for owner in others}
    return {"runs.yaml": HEAD + runs, **files}


def comment_of_the_guide() -> str:
    """Return the comment that docs/ci.md shows."""
    guide = (ROOT / "docs" / "ci.md").read_text("utf-8")
    found = re.search(r"````markdown\n(.*?)````\n", guide, re.DOTALL)
    assert found is not None
    return found[1]


def as_in_the_guide(comment: str, service: Service) -> str:
    """Return a comment with the address, the run, the commit and the digest of the guide."""
    shown = comment_of_the_guide()
    commit, digest = SHA.search(shown), DIGEST.search(shown)
    assert commit is not None
    assert digest is not None
    text = comment.replace(service.address, "https://acme.eu1.qasphere.com")
    # Which of two runs that were made at once got which number is a matter of luck.
    text = text.replace("run 1", "run 2")
    return DIGEST.sub(digest[0], SHA.sub(commit[0], text))


def statuses(jobs: dict[str, Ran]) -> dict[str, str]:
    return {name: ran.status for name, ran in jobs.items()}


def lines(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT comment FROM run_log ORDER BY id")]


def test_the_whole_way(shown: Story, service: Service) -> None:
    shown.repository.push(declared("  {}\n"))
    a_plan_is_one_comment_that_follows_the_branch(shown, service)
    what_was_reviewed_is_applied_on_merge(shown, service)
    a_plan_that_another_merge_made_stale_waits_for_an_approval(shown, service)
    drift_is_one_issue_until_it_is_healed(shown, service)


def test_whoever_comes_to_be_declared_the_comment_and_the_issue_stay_one(
    shown: Story, service: Service
) -> None:
    menu = REVIEW.replace("Menu review", "Menu of the app")
    for others in ({}, {"app": menu}, {}):
        assert shown.plan(1, SMOKE, **others).status == "success"
        (comment,) = shown.repository.comments(1)
        assert ("owner `app`" in comment) is bool(others)
    shown.merge(1)
    service.close("Smoke of the week")
    shown.drift()
    shown.repository.push(declared(SMOKE, app=menu))
    shown.drift()
    assert [state for state, _ in shown.issues()] == ["open"]
    assert "owner `app`" in shown.repository.state["issues"][0]["body"]
    shown.repository.push(declared(SMOKE + "    state: closed\n", app=menu))
    shown.drift()
    assert [state for state, _ in shown.issues()] == ["closed"]


def test_two_sets_of_workflows_leave_each_other_alone(
    shown: Story, service: Service, tmp_path: Path
) -> None:
    app = shown.copy(tmp_path, "app")
    files = {"../app/runs.yaml": HEAD.replace("web-team", "app-team") + REVIEW}
    broken = declared(SMOKE.replace("title:", "titel:")) | files
    event = shown.repository.propose(1, broken)
    assert run_workflow(shown.site, PLAN, event)["plan"].status == "failure"
    assert run_workflow(shown.site, app["qarun-plan"], event)["plan"].status == "success"
    markers = [text.splitlines()[0] for text in shown.repository.comments(1)]
    assert markers == ["<!-- qarun:validate:qarun/plan -->", "<!-- qarun:plan:qarun/app -->"]

    event = shown.repository.propose(1, declared(SMOKE) | files)
    for path in (PLAN, app["qarun-plan"]):
        assert run_workflow(shown.site, path, event)["plan"].status == "success"
    assert len(shown.repository.comments(1)) == 2
    event = shown.repository.merge(1)
    for path in (APPLY, app["qarun-apply"]):
        assert statuses(run_workflow(shown.site, path, event))["again"] == "skipped"
    assert service.open_titles() == ["Menu review", "Smoke of the week"]
    assert len(shown.repository.comments(1)) == 4

    service.close("Smoke of the week")
    service.close("Menu review")
    for path in (DRIFT, app["qarun-drift"]):
        run_workflow(shown.site, path, shown.repository.head())
    assert [state for state, _ in shown.issues()] == ["open", "open"]


def test_nobody_is_asked_for_an_approval_that_can_do_nothing(
    shown: Story, service: Service
) -> None:
    assert shown.plan(1, SMOKE + REVIEW).status == "success"
    service.make("Menu review")
    jobs = shown.merge(1)
    assert statuses(jobs) == {"reviewed": "success", "again": "failure", "approved": "skipped"}
    assert service.open_titles() == ["Menu review"]
    (comment,) = shown.repository.comments(1)
    assert "### Plan: 1 to create, 1 blocked" in comment
    assert "nothing was done. Something is withheld, so nobody is asked" in comment
    assert "waits for an approval" not in comment
    by_night = {"reviewed": "success", "again": "success", "approved": "skipped"}
    assert statuses(shown.night()) == by_night


def test_what_is_merged_in_a_freeze_window_is_applied_after_it(
    shown: Story, service: Service
) -> None:
    window = "freeze: [{from: 2020-01-01T00:00, to: 2099-01-01T00:00, reason: release}]\n"
    frozen = {"runs.yaml": HEAD.replace("runs:\n", f"{window}runs:\n") + SMOKE}
    shown.site.environ["THAWED"] = "yes"
    event = shown.repository.propose(1, frozen)
    assert run_workflow(shown.site, PLAN, event)["plan"].status == "success"
    assert shown.status()["state"] == "success"

    del shown.site.environ["THAWED"]
    jobs = shown.merge(1)
    assert statuses(jobs) == {"reviewed": "failure", "again": "skipped", "approved": "skipped"}
    told = shown.repository.comments(1)[1]
    assert told.startswith("<!-- qarun:apply:qarun/plan -->\n### Apply: exit 5\n\n```text\nerror: ")
    assert "withheld by safety rules (`freeze-window`); nothing was written" in told
    jobs = shown.night()
    assert jobs["reviewed"].status == "success", jobs["reviewed"].log
    assert service.runs() == {}
    assert shown.repository.comments(1)[1] == told

    shown.repository.push({"../README.md": "Not of any manifest\n"})
    shown.site.environ["THAWED"] = "yes"
    jobs = shown.night()
    assert statuses(jobs) == {"reviewed": "success", "again": "skipped", "approved": "skipped"}
    assert service.open_titles() == ["Smoke of the week"]
    assert "### Apply: 1 done" in shown.repository.comments(1)[1]
    writes = len(shown.repository.state["writes"])
    assert shown.night()["reviewed"].status == "success"
    assert len(shown.repository.state["writes"]) == writes


def a_plan_is_one_comment_that_follows_the_branch(shown: Story, service: Service) -> None:
    first = shown.plan(1, SMOKE)
    assert first.status == "success", first.log
    (comment,) = shown.repository.comments(1)
    assert comment.startswith("<!-- qarun:plan:qarun/plan -->\n### Plan: 1 to create")
    assert shown.status()["state"] == "success"
    assert comment.count(shown.status()["description"]) == 2
    assert DIGEST.fullmatch(shown.status()["description"])
    assert {"plan.json", "plan.html", "plan.md"} <= set(first.artifacts["plan"])
    assert "1 to create" in first.summary

    broken = shown.plan(1, SMOKE.replace("title:", "titel:"))
    assert broken.status == "failure"
    assert "::error file=qa/runs.yaml,line=7,col=5" in broken.log
    assert shown.status()["state"] == "failure"
    problems = shown.repository.comments(1)[1]
    assert problems.startswith("<!-- qarun:validate:qarun/plan -->\n### Files: 2 errors")

    second = shown.plan(1, SMOKE + REVIEW)
    assert second.status == "success", second.log
    (comment,) = shown.repository.comments(1)
    assert "### Plan: 2 to create" in comment
    assert service.runs() == {}


def what_was_reviewed_is_applied_on_merge(shown: Story, service: Service) -> None:
    jobs = shown.merge(1)
    assert statuses(jobs) == {"reviewed": "success", "again": "skipped", "approved": "skipped"}
    assert service.open_titles() == ["Menu review", "Smoke of the week"]
    assert "2 done" in jobs["reviewed"].summary
    report = shown.repository.comments(1)[1]
    assert "### Apply: 2 done" in report
    assert f"{service.address}/project/BD/run/2" in report
    told = lines(service.database)
    sha = shown.repository.head().sha
    page = f"https://github.com/acme/qa/actions/runs/{shown.site.runs}"
    assert len(told) == 2
    assert all(f"commit <code>{sha}</code>; author <code>ann</code>" in line for line in told)
    assert all(page in line for line in told)


def a_plan_that_another_merge_made_stale_waits_for_an_approval(
    shown: Story, service: Service
) -> None:
    renamed = SMOKE.replace("Smoke of the week", "Smoke of the month")
    described = SMOKE.replace("The first look.", "A closer look.")
    assert shown.plan(2, renamed + REVIEW).status == "success"
    assert shown.plan(3, described + REVIEW).status == "success"
    (comment,) = shown.repository.comments(3)
    assert as_in_the_guide(comment, service) == comment_of_the_guide()
    assert statuses(shown.merge(2))["reviewed"] == "success"
    assert service.open_titles() == ["Menu review", "Smoke of the month"]

    event = shown.repository.merge(3)
    before = service.runs()
    jobs = run_workflow(shown.site, APPLY, event)
    assert statuses(jobs) == {"reviewed": "success", "again": "success", "approved": "waiting"}
    assert service.runs() == before
    assert "the plan is not the reviewed one" in jobs["reviewed"].log
    (comment,) = shown.repository.comments(3)
    assert comment.count(jobs["again"].outputs["digest"]) == 2
    assert ". This plan waits for an approval: https://github.com/acme/qa/actions/runs/" in comment

    jobs = approve(shown.site, APPLY, event, jobs)
    assert jobs["approved"].status == "success", jobs["approved"].log
    assert service.open_titles() == ["Menu review", "Smoke of the month (r3)"]
    assert "### Apply: 2 done" in shown.repository.comments(3)[1]


def drift_is_one_issue_until_it_is_healed(shown: Story, service: Service) -> None:
    service.close("Menu review")
    night = shown.drift()
    assert night.status == "success", night.log
    assert shown.issues() == [("open", "Drift: 1 closed-by-hand; 2 runs checked")]
    (issue,) = shown.repository.state["issues"]
    assert "closed-by-hand: run" in issue["body"]
    assert "drift.xml" in night.artifacts["drift"]

    service.close("Smoke of the month (r3)")
    assert shown.drift().status == "success"
    assert shown.issues() == [("open", "Drift: 2 closed-by-hand; 2 runs checked")]

    runs = SMOKE.replace("of the week", "of the month").replace("The first", "A closer") + REVIEW
    healed = runs.replace("    type: live\n", "    type: live\n    onClosed: recreate\n")
    assert shown.plan(4, healed).status == "success"
    jobs = shown.merge(4)
    assert jobs["reviewed"].status == "success", jobs["reviewed"].log
    assert service.open_titles() == ["Menu review (r2)", "Smoke of the month (r4)"]
    assert shown.drift().status == "success"
    assert shown.issues() == [("closed", "Drift: 2 closed-by-hand; 2 runs checked")]
    (issue,) = shown.repository.state["issues"]
    (farewell,) = shown.repository.comments(issue["number"])
    assert farewell.startswith("No drift. 2 runs checked. https://github.com/acme/qa/actions/runs/")
