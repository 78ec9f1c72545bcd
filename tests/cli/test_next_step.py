"""The command that a plan prints for its apply means what the plan was made with."""

import shlex
from pathlib import Path

import pytest
from cli.support import call

from runs_as_code.cli import apply
from runs_as_code.cli.options import Sources
from runs_as_code.cli.publications import apply_command
from runs_as_code.errors import ExitCode
from runs_as_code.model.plan import Approvals
from runs_as_code.model.restraint import Policy

DIGEST = "sha256:" + "0" * 64
ODD = "it's $HOME"
FILES = Sources(files=("runs folder/a.yaml", "b.yaml"))
CASES = [
    (FILES, Approvals(), None),
    (Sources(), Approvals(), None),
    (Sources(("a.yaml",), server="https://qa.example.com"), Approvals(), None),
    (Sources(("a.yaml",), database=Path("other place/my.db")), Approvals(), None),
    (Sources(("a.yaml",), is_insecure_http_allowed=True), Approvals(), None),
    (FILES, Approvals(keys=frozenset({"smoke[chrome]", ODD, "-k"})), None),
    (FILES, Approvals(closes=0), None),
    (FILES, Approvals(closes=12), None),
    (FILES, Approvals(replace=frozenset({"BD/web-team/smoke", "other"})), None),
    (FILES, Approvals(allow_empty=True), None),
    (FILES, Approvals(targets=("sm*", "[ab]?")), None),
    (FILES, Approvals(ignore_freeze=ODD), None),
    *[(FILES, Approvals(), policy) for policy in Policy],
]


@pytest.mark.parametrize(("sources", "approvals", "policy"), CASES)
def test_the_printed_command_says_what_the_plan_was_made_with(
    sources: Sources, approvals: Approvals, policy: Policy | None, monkeypatch: pytest.MonkeyPatch
):
    heard = []

    def hear(asked: apply._Call, given: Sources) -> ExitCode:
        heard.append((given, asked.approvals, asked.policy, asked.decision.expect_digest))
        return ExitCode.DONE

    monkeypatch.setattr(apply, "_apply_manifests", hear)
    program, *words = shlex.split(
        apply_command(sources, approvals, policy=policy, digest=DIGEST), posix=True
    )
    ended = call(*words)
    assert (program, ended.code) == ("qarun", 0), ended.all
    assert heard == [(sources, approvals, policy, DIGEST)]


def test_a_saved_plan_is_applied_by_its_name():
    command = apply_command(FILES, Approvals(closes=3), digest=DIGEST, saved=Path("my plan.json"))
    assert shlex.split(command) == ["qarun", "apply", "my plan.json"]
