"""`qarun apply`: show a plan, get it approved, carry it out, report."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from runs_as_code import __version__
from runs_as_code.cli.approving import (
    Decision,
    WithheldError,
    ask,
    check_age,
    check_digest,
    check_saved,
    check_withheld,
    decision_options,
)
from runs_as_code.cli.console import Console, OutputClosedError
from runs_as_code.cli.ending import code_of, known_errors
from runs_as_code.cli.looping import Loop, connected
from runs_as_code.cli.options import (
    Sources,
    approval_options,
    format_option,
    output_options,
    policy_option,
    source_options,
)
from runs_as_code.cli.outputs import (
    REPORT_FORMATS,
    Outputs,
    outputs_options,
    publish,
)
from runs_as_code.cli.progress import showing_progress
from runs_as_code.cli.provenance import ProvenanceWanted, provenance_options
from runs_as_code.cli.publishing import read_or_publish
from runs_as_code.cli.reading import (
    check_approvals,
    check_frozen,
    check_targets,
    connection_settings,
    first_file,
    now,
    read_plan_file,
    with_database_of,
)
from runs_as_code.cli.showing import plan_text
from runs_as_code.cli.writing import write_file
from runs_as_code.engine.applying import ApplySettings, Job, apply_jobs, jobs_of
from runs_as_code.engine.planning import make_plan
from runs_as_code.engine.reviewed import review_plan
from runs_as_code.errors import ExitCode, QarunError, UsageError
from runs_as_code.model.plan import Approvals, Plan
from runs_as_code.model.provenance import Provenance
from runs_as_code.model.report import ApplyReport, Failure
from runs_as_code.model.restraint import Policy
from runs_as_code.report.applied import render_report
from runs_as_code.report.document import failure_to_json, report_to_json
from runs_as_code.report.jsontext import dump_json

_CUT_OFF = (
    "interrupted again; what was under way may or may not have run, so look before you go on:"
    " running it again converges"
)


@dataclass(slots=True)
class _Call:
    """What one apply was asked for, and whether its report was written."""

    console: Console
    approvals: Approvals
    decision: Decision
    output: str
    outputs: Outputs
    provenance: Provenance | None = None
    policy: Policy | None = None
    is_reported: bool = False


@click.command("apply")
@click.argument("saved", metavar="[PLAN.json]", required=False, type=click.Path(path_type=Path))
@source_options
@decision_options
@approval_options
@policy_option
@provenance_options
@format_option
@outputs_options(REPORT_FORMATS, has_quiet=False)
@output_options
@click.pass_obj
def command(  # noqa: PLR0913  one for each group of options
    console: Console,
    saved: Path | None,
    sources: Sources,
    approvals: Approvals,
    decision: Decision,
    wanted: ProvenanceWanted,
    *,
    output: str,
    outputs: Outputs,
    policy: Policy | None,
) -> ExitCode:
    """Create, clone and close runs until they are as the manifests say.

    Shows the plan and asks. Nobody is asked with `--auto-approve`, with `--expect-digest`, or for
    a saved plan: the last two were reviewed. Without a terminal, or with CI set, apply never asks,
    and ends with 5 when the approval is missing.

    With PLAN.json exactly that plan is applied, or nothing: when what is live no longer fits it,
    apply ends with 6. What it did in an earlier apply is not done again.

    The first SIGINT or SIGTERM lets finish what is under way, the second ends at once.
    """
    outputs.check(read=sources.read if saved is None else [saved])
    provenance = wanted.found_in(console.environ)
    call = _Call(console, approvals, decision, output, outputs, provenance, policy)
    try:
        if saved is not None:
            return _apply_saved(call, saved, sources)
        return _apply_manifests(call, sources)
    except (QarunError, BaseExceptionGroup) as error:
        _tell_failure(call, known_errors(error))
        raise


def _apply_manifests(call: _Call, sources: Sources) -> ExitCode:
    if call.decision.max_plan_age is not None:
        raise UsageError(
            "`--max-plan-age` is about a saved plan, and none is given",
            hint="save one with `qarun plan --out plan.json`, then `qarun apply plan.json`",
        )
    manifests = read_or_publish(sources, call.console, call.outputs, call.policy)
    check_targets(call.approvals, manifests)
    settings = connection_settings(sources, call.console)
    with Loop() as loop, connected(loop, settings, first_file(manifests)) as connections:
        planning = make_plan(
            manifests,
            connections.server_of,
            connections.open,
            call.approvals,
            now(),
            is_logged=call.provenance is not None,
        )
        planned = loop.run(planning)
        plan = connections.bind(planned.plan)
        check_approvals(call.approvals, plan)
        _show(call, plan)
        if plan.actions:
            check_digest(plan, call.decision.expect_digest)
        check_withheld(plan, call.decision)
        if not plan.actions:
            return _report(call, ApplyReport())
        if not call.decision.auto_approve and call.decision.expect_digest is None:
            ask(plan, call.console)
        return _carry_out(call, loop, plan, jobs_of(plan, planned.sessions))


def _apply_saved(call: _Call, path: Path, sources: Sources) -> ExitCode:
    check_saved(sources.files, _given(sources, call))
    reviewed, _ = read_plan_file(path)
    check_digest(reviewed, call.decision.expect_digest)
    check_age(reviewed, call.decision.max_plan_age, datetime.now(UTC))
    check_frozen(reviewed, call.approvals)
    settings = connection_settings(with_database_of(reviewed, sources), call.console)
    with Loop() as loop, connected(loop, settings, None) as connections:
        _show(call, reviewed)
        connections.check(reviewed)
        plan, jobs = loop.run(review_plan(reviewed, connections.open))
        check_withheld(reviewed, call.decision)
        if not plan.actions:
            done = tuple(result for job in jobs for result in job.done)
            # What is there already was seen in the listings that the plan was held against.
            calls = sum(job.provider.calls for job in jobs)
            report = ApplyReport(
                results=done, is_withheld=plan.is_withheld, is_read_back=True, calls=calls
            )
            return _report(call, report)
        return _carry_out(call, loop, plan, jobs)


def _given(sources: Sources, call: _Call) -> list[str]:
    approvals = call.approvals
    flags = {
        "--policy": call.policy,
        "--server": sources.server,
        "--approve": approvals.keys,
        "--approve-closes": approvals.closes is not None,
        "--replace": approvals.replace,
        "--allow-empty": approvals.allow_empty,
        "--target": approvals.targets,
    }
    return [flag for flag, value in flags.items() if value]


def _show(call: _Call, plan: Plan) -> None:
    """Show the plan where it does not mix with a JSON report."""
    if call.output == "json":
        call.console.say(plan_text(plan, call.console.message_style))
    else:
        call.console.data(plan_text(plan, call.console.style))


def _carry_out(call: _Call, loop: Loop, plan: Plan, jobs: Sequence[Job]) -> ExitCode:
    with showing_progress(call.console) as progress:
        if not call.approvals.ignore_freeze:
            progress.stop_signal.today = lambda: datetime.now(UTC)
        settings = ApplySettings(
            listener=progress.listener,
            stop=progress.stop_signal,
            is_verified=not call.decision.no_verify,
            approvals=call.approvals,
            provenance=call.provenance,
        )
        report = loop.run_gracefully(apply_jobs(plan, jobs, settings), progress.stop, _CUT_OFF)
    return _report(call, report)


def _report(call: _Call, report: ApplyReport) -> ExitCode:
    """Write the report; what was done is done, so its exit code outlives a broken output."""
    call.is_reported = True
    if call.output == "json":
        text = dump_json(report_to_json(report, tool_version=__version__))
    else:
        text = render_report(report, call.console.style)
    codes = [report.exit_code, _publish(call, report)]
    try:
        call.console.data(text)
    except OutputClosedError:
        pass
    except QarunError as error:
        call.console.fail(error.message, error.hint)
        call.console.say(text)
        codes.append(error.exit_code)
    return next((code for code in codes if code), ExitCode.DONE)


def _tell_failure(call: _Call, errors: Sequence[QarunError]) -> None:
    """Say in JSON, where that is wanted, why there is no report; people read it on stderr."""
    if not errors or call.is_reported:
        return
    failure = Failure(
        message="; ".join(dict.fromkeys(error.message for error in errors)),
        hint="; ".join(dict.fromkeys(error.hint for error in errors if error.hint)),
        exit_code=code_of(errors),
        is_withheld=any(isinstance(error, WithheldError) for error in errors),
    )
    text = dump_json(failure_to_json(failure, tool_version=__version__))
    # What went wrong first is what the call ends with.
    with suppress(QarunError, OutputClosedError):
        for name, path in call.outputs.files:
            if name == "json":
                write_file(path, text)
        if call.output == "json":
            call.console.data(text)


def _publish(call: _Call, report: ApplyReport) -> ExitCode:
    if not call.outputs.is_wanted:
        return ExitCode.DONE
    from runs_as_code.cli.publications import report_publication  # noqa: PLC0415  lazy: few need it

    try:
        publish(call.console, call.outputs, report_publication(report, call.outputs))
    except QarunError as error:
        call.console.fail(error.message, error.hint)
        return error.exit_code
    return ExitCode.DONE
