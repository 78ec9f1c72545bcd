"""Runs on the wire: replies to values, and values to request bodies; pure.

The names of the JSON members stand here and in `wire_names.py`, and nowhere else on the live side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runs_as_code.model.live import Listing, LiveRun, RunCase, StatusCounts
from runs_as_code.model.provider import ResolvedPlan, RunFields
from runs_as_code.provider.shape import (
    MAX_INTEGER,
    Body,
    MismatchError,
    decode,
    each,
    integer,
    mapping,
    members,
    optional_integer,
    optional_mapping,
    optional_string,
    required_mapping,
    string,
)

COUNTED = ("open", "passed", "failed", "blocked", "skipped")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One recorded result of a case in a run; `status` is the server's word [SEED]."""

    id: int
    status: str
    comment: str = ""
    author_id: int | None = None
    author_email: str | None = None
    time_taken: int | None = None
    is_internal: bool = False
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class RunCaseDetail:
    """One case of a run with its results, as `GET run/{id}/tcase/{ref}` shows it [SEED]."""

    id: str
    version: int
    title: str
    priority: str
    is_latest_version: bool
    results: tuple[CaseResult, ...]
    seq: int | None = None
    legacy_id: str = ""


def parse_listing(label: str, body: Body, *, is_filtered: bool) -> Listing:
    """Read the run list, keeping of each run only what LiveRun holds.

    Runs become values while the JSON is being parsed: a list of 10,000 is never in memory whole.
    """
    hook = _RunHook()

    def parse(data: object) -> Listing:
        reply = mapping(data)
        runs = tuple(each(members(reply, "runs"), "runs", _finished_run))
        _check_unique(runs)
        return Listing(
            runs=runs,
            open_counter=optional_integer(reply, "open"),
            closed_counter=optional_integer(reply, "closed"),
            project_id=hook.project_id,
            project_code=hook.project_code,
            is_filtered=is_filtered,
        )

    return decode(label, body, parse, hook)


def parse_run_cases(label: str, body: Body) -> tuple[RunCase, ...]:
    """Read the cases of a run."""
    return decode(
        label, body, lambda data: tuple(each(members(mapping(data), "tcases"), "tcases", _run_case))
    )


def parse_run_case(label: str, body: Body) -> RunCaseDetail:
    """Read one case of a run with its results."""
    return decode(label, body, _run_case_detail)


def parse_new_id(label: str, body: Body) -> int:
    """Read the id that create and clone answer with."""
    return decode(label, body, lambda data: integer(mapping(data), "id"))


def parse_acknowledgement(label: str, body: Body) -> None:
    """Check that a close was answered with an object; its text is not relied on [CLI-LIVE]."""
    decode(label, body, mapping)


def create_body(
    fields: RunFields, run_type: str, query_plans: tuple[ResolvedPlan, ...]
) -> dict[str, Any]:
    """Build the body of a create [SEED]."""
    return {**_fields(fields), "type": run_type, "queryPlans": [_plan(p) for p in query_plans]}


def clone_body(source_id: int, fields: RunFields) -> dict[str, Any]:
    """Build the body of a clone [SEED]."""
    return {"runId": source_id, **_fields(fields)}


def _fields(fields: RunFields) -> dict[str, Any]:
    # The description is sent even when empty: a clone might else inherit its source's, marker
    # included (what a clone inherits is stated nowhere).
    body: dict[str, Any] = {"title": fields.title, "description": fields.description}
    if fields.milestone_id is not None:
        body["milestoneId"] = fields.milestone_id
    if fields.assignee_id is not None:
        body["assignmentId"] = fields.assignee_id
    return body


def _plan(plan: ResolvedPlan) -> dict[str, list[Any]]:
    filters = {
        "tcaseIds": plan.tcase_ids,
        "folderIds": plan.folder_ids,
        "tagIds": plan.tag_ids,
        "priorities": plan.priorities,
    }
    return {key: list(values) for key, values in filters.items() if values}


class _RunHook:
    """Turns each run into a LiveRun as soon as its JSON object is complete.

    An object that does not fit is handed on as it is, so that the error is raised where its
    place in the list is known.
    """

    def __init__(self) -> None:
        self.project_id: str | None = None
        self.project_code: str | None = None

    def __call__(self, found: dict[str, Any]) -> Any:
        if "statusCounts" not in found:
            return found
        try:
            run = _run(found)
            self._note_project(found)
        except MismatchError:
            return found
        return run

    def _note_project(self, found: Mapping[str, Any]) -> None:
        if self.project_code is None:
            self.project_code, self.project_id = _project_of(found)


def _finished_run(found: object) -> LiveRun:
    if isinstance(found, LiveRun):
        return found
    # The hook could not read it, so reading it again raises, now with the path.
    _project_of(mapping(found))
    return _run(mapping(found))


def _check_unique(runs: tuple[LiveRun, ...]) -> None:
    if len({run.id for run in runs}) == len(runs):
        return
    seen: set[int] = set()
    for index, run in enumerate(runs):
        if run.id in seen:
            raise MismatchError(f"runs[{index}].id", "an id no other run has", run.id)
        seen.add(run.id)


def _project_of(run: Mapping[str, Any]) -> tuple[str | None, str | None]:
    project = optional_mapping(run, "project")
    project_id = optional_string(run, "projectId") or optional_string(project, "id")
    return optional_string(project, "code"), project_id


def _run(found: Mapping[str, Any]) -> LiveRun:
    milestone = optional_mapping(found, "milestone")
    return LiveRun(
        id=integer(found, "id"),
        title=string(found, "title"),
        description=optional_string(found, "description") or "",
        type=string(found, "type"),
        counts=_counts(required_mapping(found, "statusCounts")),
        milestone_id=_reference(found, "milestoneId"),
        milestone_title=optional_string(milestone, "title"),
        is_milestone_archived=bool(optional_string(milestone, "archivedAt")),
        assignee_id=_reference(found, "assignmentId"),
        assignee_email=optional_string(optional_mapping(found, "assignment"), "email"),
        time_spent=_duration(found, "timeSpent"),
        created_at=optional_string(found, "createdAt") or "",
        closed_at=optional_string(found, "closedAt") or None,
        closed_by=optional_integer(found, "closedByUserId"),
    )


def _reference(found: Mapping[str, Any], key: str) -> int | None:
    """Read an id that may be missing; 0 is Go's way to say none [J]."""
    return optional_integer(found, key) or None


def _duration(found: Mapping[str, Any], key: str) -> int | None:
    """Read a time span; documented as a number, so a fraction is cut, not refused."""
    value = found.get(key)
    if isinstance(value, float) and abs(value) <= MAX_INTEGER:  # else it is infinite, or no number
        return int(value)
    return optional_integer(found, key)


def _counts(found: Mapping[str, Any]) -> StatusCounts:
    known = {key: _count(found, key) for key in COUNTED}
    # A missing `all` must not make recorded results look like none [J].
    total = max(_count(found, "all"), sum(known.values()))
    return StatusCounts(all=total, **known)


def _count(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    if value is None:
        return 0
    if type(value) is int and 0 <= value <= MAX_INTEGER:
        return value
    raise MismatchError(f"statusCounts.{key}", "a number of test cases", value)


def _run_case(found: object) -> RunCase:
    case = mapping(found)
    return RunCase(
        id=string(case, "id"),
        seq=integer(case, "seq"),
        title=string(case, "title"),
        status=string(case, "status"),
        version=optional_integer(case, "version") or 0,
        folder_id=optional_integer(case, "folderId") or 0,
        folder=optional_string(optional_mapping(case, "folder"), "title"),
    )


def _run_case_detail(found: object) -> RunCaseDetail:
    case = mapping(found)
    return RunCaseDetail(
        id=string(case, "id"),
        version=integer(case, "version"),
        title=string(case, "title"),
        priority=string(case, "priority"),
        is_latest_version=case.get("isLatestVersion") is True,
        results=tuple(each(members(case, "results"), "results", _case_result)),
        seq=optional_integer(case, "seq"),
        legacy_id=optional_string(case, "legacyId") or "",
    )


def _case_result(found: object) -> CaseResult:
    result = mapping(found)
    return CaseResult(
        id=integer(result, "id"),
        status=string(result, "status"),
        comment=optional_string(result, "comment") or "",
        author_id=optional_integer(result, "authorId"),
        author_email=optional_string(optional_mapping(result, "author"), "email"),
        time_taken=_duration(result, "timeTaken"),
        is_internal=result.get("internal") is True,
        created_at=optional_string(result, "createdAt") or "",
    )
