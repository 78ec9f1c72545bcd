"""What a version of a test case holds beside title and priority, checked on its way in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from runs_as_code.server import guesses
from runs_as_code.server.rules.cases import ensure_requirements
from runs_as_code.server.rules.customfields import check_values
from runs_as_code.server.store.tables import file, shared_precondition, shared_step
from runs_as_code.server.web.problems import ApiError, refuse

_COPIED = ("comment", "links", "parameterValues", "filledTCaseTitleSuffixParams")


def make_content(
    connection: Connection, project_id: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Build the part of a version that a body names; refuse what it refers to and is unknown."""
    content = {name: body[name] for name in _COPIED if name in body}
    if "steps" in body:
        content["steps"] = _steps(connection, project_id, body["steps"])
    if "precondition" in body:
        content["precondition"] = _precondition(connection, project_id, body["precondition"])
    if "files" in body:
        content["files"] = _files(connection, body["files"])
    if "customFields" in body:
        content["customFields"] = check_values(connection, project_id, body["customFields"])
    if "requirements" in body:
        content["requirements"] = _requirements(connection, project_id, body["requirements"])
    return content


def _steps(
    connection: Connection, project_id: str, steps: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    wanted = {step["sharedStepId"] for step in steps if "sharedStepId" in step}
    if wanted:
        query = select(shared_step.c.id).where(shared_step.c.project_id == project_id)
        if wanted - set(connection.scalars(query)):
            raise refuse("shared step not found")
    return [
        {"sharedStepId": step["sharedStepId"]}
        if "sharedStepId" in step
        else {name: step.get(name, "") for name in ("description", "expected")}
        for step in steps
    ]


def _precondition(
    connection: Connection, project_id: str, body: Mapping[str, Any]
) -> dict[str, Any] | None:
    shared_id = body.get("sharedPreconditionId")
    if shared_id is None:
        return {"text": body["text"]} if body.get("text") else None
    found = select(shared_precondition.c.id).where(
        shared_precondition.c.id == shared_id, shared_precondition.c.project_id == project_id
    )
    if connection.scalar(found) is None:
        raise refuse("shared precondition not found")
    return {"sharedPreconditionId": shared_id}


def _files(connection: Connection, files: Iterable[Mapping[str, Any]]) -> list[str]:
    ids = [item.get("id", "") for item in files]
    for file_id in ids:
        if connection.scalar(select(file.c.id).where(file.c.id == file_id)) is None:
            raise refuse("file not found")
    return ids


def _requirements(
    connection: Connection, project_id: str, wanted: Iterable[Mapping[str, Any]]
) -> list[str]:
    ids = ensure_requirements(connection, project_id, wanted)
    if len(set(ids)) < len(ids):
        raise ApiError(guesses.CASE_CONFLICT_STATUS, "duplicate requirement")
    return ids
