"""The exit code of an apply: the worst that happened, in the order a pipeline cares for."""

import pytest
from unit.engine.support import make

from runs_as_code.errors import ExitCode
from runs_as_code.model.report import ActionResult, ApplyReport, Finding, Status

FINDING = Finding("fake", "BD", "team", "a", "wanted again")
CODES = {
    Status.FAILED: ExitCode.ERROR,
    Status.STALE: ExitCode.STALE,
    Status.UNKNOWN: ExitCode.UNREACHABLE,
    Status.UNVERIFIED: ExitCode.UNVERIFIED,
}


def results(*words: str | tuple[str, ExitCode]) -> tuple[ActionResult, ...]:
    pairs = [(w, CODES.get(Status(w), ExitCode.DONE)) if isinstance(w, str) else w for w in words]
    return tuple(
        ActionResult("fake", "BD", "team", make(f"k{n}"), Status(word), exit_code=code)
        for n, (word, code) in enumerate(pairs)
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), ExitCode.DONE),
        (("done",), ExitCode.DONE),
        (("already-done",), ExitCode.DONE),
        (("done", "failed"), ExitCode.PARTIAL),
        (("already-done", "failed"), ExitCode.PARTIAL),
        (("done", "stale"), ExitCode.PARTIAL),
        (("done", "unknown"), ExitCode.PARTIAL),
        (("done", "failed", "skipped"), ExitCode.PARTIAL),
        (("unverified", "failed"), ExitCode.PARTIAL),
        (("unverified", "skipped"), ExitCode.UNVERIFIED),
        (("done", "unverified"), ExitCode.UNVERIFIED),
        # Nothing was done at all: the one reason that all share.
        (("failed",), ExitCode.ERROR),
        (("failed", "skipped"), ExitCode.ERROR),
        (("stale", "skipped"), ExitCode.STALE),
        (("unknown",), ExitCode.UNREACHABLE),
        ((("failed", ExitCode.ACCESS), ("failed", ExitCode.ACCESS)), ExitCode.ACCESS),
        ((("failed", ExitCode.ACCESS), ("failed", ExitCode.ERROR)), ExitCode.PARTIAL),
    ],
)
def test_the_code_of_the_results(words: tuple[str, ...], code: ExitCode) -> None:
    assert ApplyReport(results=results(*words)).exit_code is code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("done",), ExitCode.REFUSED),
        ((), ExitCode.REFUSED),
        (("done", "failed"), ExitCode.PARTIAL),
        (("done", "unverified"), ExitCode.UNVERIFIED),
    ],
)
def test_withheld_counts_when_nothing_failed(words: tuple[str, ...], code: ExitCode) -> None:
    assert ApplyReport(results=results(*words), is_withheld=True).exit_code is code


@pytest.mark.parametrize("code", [ExitCode.SIGINT, ExitCode.SIGTERM])
def test_an_interrupt_comes_first(code: ExitCode) -> None:
    report = ApplyReport(results("done", "failed"), (FINDING,), (), True, True, code)  # noqa: FBT003 - in order

    assert report.exit_code is code


def test_a_finding_is_a_difference() -> None:
    assert ApplyReport(results("done"), findings=(FINDING,)).exit_code is ExitCode.UNVERIFIED


def test_what_others_changed_is_no_error() -> None:
    report = ApplyReport(results("done"), changed_by_others=(FINDING,))

    assert report.exit_code is ExitCode.DONE
