"""Checks what the fields of one run, defaults merged in, say together."""

from runs_as_code.manifest.advice import advise
from runs_as_code.manifest.check_fields import check_fields, check_key
from runs_as_code.manifest.document import Document, RunNode
from runs_as_code.manifest.findings import Findings
from runs_as_code.manifest.text import quote
from runs_as_code.manifest.tree import MapNode, SeqNode
from runs_as_code.model.marker import (
    MARKER_SEPARATOR,
    MAX_DESCRIPTION_LENGTH,
    marker_length_bound,
)

_SELECTION_FIELDS = ("type", "queryPlans")


def check_runs(document: Document) -> None:
    """Check every run of the file."""
    findings = document.findings
    check_fields(document.defaults, findings)
    owner = document.text("owner")
    for run in document.runs():
        check_key("bad-key", run.key, run.place, findings)
        check_fields(run.fields, findings)
        if run.is_open and "title" not in run.fields:
            hint = "write `title: …`, or `state: closed` if it is not wanted any more"
            findings.add("title-missing", run.place, "an open run needs a `title`", hint=hint)
        _check_selection(run, findings)
        _check_description(run, owner, findings)
        _check_protection(run, findings)
        if run.is_open:
            advise(run, findings)


def _check_selection(run: RunNode, findings: Findings) -> None:
    if "cloneFrom" in run.fields:
        _check_clone(run, findings)
        return
    plans, run_type = run.fields.get("queryPlans"), run.merged.get("type")
    if plans is None:
        is_needed = "queryPlans" not in run.fields and run.is_open and "adopt" not in run.fields
        if is_needed or ("type" in run.fields and "queryPlans" not in run.fields):
            hint = "write `queryPlans: [{folders: […]}]`, or `cloneFrom` to clone another run"
            message = "the run says nowhere which test cases it has"
            findings.add(
                "query-plans-missing", run.place, message, expected="`queryPlans`", hint=hint
            )
        return
    if run_type is None:
        message = "the run has `queryPlans` and no `type`"
        expected = "`type: static`, `static_struct` or `live`, here or in `defaults`"
        findings.add("type-missing", run.place, message, expected=expected)
    if isinstance(plans, SeqNode):
        _check_plans(run, plans, findings)


def _check_clone(run: RunNode, findings: Findings) -> None:
    for field in _SELECTION_FIELDS:
        if field in run.fields:
            message = f"`{field}` beside `cloneFrom`: a clone has those of its source"
            place = run.fields.key_place(field)
            findings.add("clone-with-selection", place, message, hint="drop one of the two")
    if "adopt" in run.fields:
        message = "`adopt` beside `cloneFrom`: a run is either found or made"
        place = run.fields.key_place("adopt")
        findings.add("clone-with-adopt", place, message, hint="drop one of the two")


def _check_plans(run: RunNode, plans: SeqNode, findings: Findings) -> None:
    run_type = run.text("type")
    if run_type in {"static", "static_struct"} and len(plans) > 1:
        message = f"a `{run_type}` run has exactly one query plan, this one has {len(plans)}"
        hint = "put the filters into one plan, or split the run"
        findings.add("one-plan-only", plans.places[1], message, hint=hint)
    if run_type != "live":
        return
    for plan, place in zip(plans, plans.places, strict=True):
        if not isinstance(plan, MapNode):
            continue
        if "folders" not in plan:
            message = "each query plan of a live run needs at least one folder"
            hint = "add `folders: […]`"
            findings.add("live-plan-needs-folder", place, message, hint=hint)
        if "tcases" in plan:
            message = "a live run can't name test cases, it only filters"
            hint = "make the run `static`, or choose by folder, tag and priority"
            findings.add("live-plan-has-tcases", plan.key_place("tcases"), message, hint=hint)


def _check_description(run: RunNode, owner: str, findings: Findings) -> None:
    text = run.text("description")
    if text is None:
        return
    room = MAX_DESCRIPTION_LENGTH - len(MARKER_SEPARATOR) - marker_length_bound(owner, run.key)
    length = len(text.strip())
    # The second condition is the schema's, which can't know what is trimmed.
    if length > room or len(text) > MAX_DESCRIPTION_LENGTH:
        findings.add(
            "description-too-long",
            run.place_of("description"),
            f"the description has {max(length, len(text))} characters",
            expected=f"at most {room}: {MAX_DESCRIPTION_LENGTH} less the marker of run"
            f" {quote(run.key)}",
        )


def _check_protection(run: RunNode, findings: Findings) -> None:
    if run.merged.get("protect") is not True:
        return
    hint = "write `protect: false` on the run"
    for field, value in (("state", "closed"), ("closeWhen", "complete")):
        if run.merged.get(field) == value:
            message = f"a protected run can't have `{field}: {value}`"
            findings.add("protect-contradiction", run.place_of(field), message, hint=hint)
