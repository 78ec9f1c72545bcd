"""Recording results: one, or a batch that is written whole or not at all [CLI]."""

from typing import Any

from runs_as_code.server import guesses
from runs_as_code.server.rules.cases import find_case
from runs_as_code.server.rules.results import Outcome, record
from runs_as_code.server.rules.runs import get_run
from runs_as_code.server.web.bodies import ListOf, Struct
from runs_as_code.server.web.calls import Call, Endpoint, Reply
from runs_as_code.server.web.problems import refuse

_MAX_TIME = 10**12  # milliseconds; the sum of a run must stay a 64 bit number
_LINK = Struct("ResultLink", {"integrationId": "string", "url": "string", "text": "string"})
_FIELDS: dict[str, Any] = {
    "status": "string",
    "comment": "string",
    "timeTaken": "int",
    "links": ListOf(_LINK),
}
_CREATE = Struct("CreateResultRequest", _FIELDS)
_ITEM = Struct("BatchResultItem", _FIELDS | {"tcaseId": "string"})
_BATCH = Struct("CreateResultsBatchRequest", {"items": ListOf(_ITEM)})


def create_result(call: Call) -> Reply:
    """Record one result of a test case."""
    row = get_run(call.connection, call.project_id, call.path["run"])
    outcome = _outcome(call, call.body(_CREATE), call.path["tcase"])
    made = record(call.connection, row, [outcome], call.caller)
    return Reply({"id": made[0]}, guesses.RESULT_STATUS)


def create_results(call: Call) -> Reply:
    """Record many results; ids come in the order of the items."""
    row = get_run(call.connection, call.project_id, call.path["run"])
    items = call.body(_BATCH).get("items", [])
    if not items:
        raise refuse("items is required")
    if not all(item.get("tcaseId") for item in items):
        raise refuse("tcaseId is required")
    outcomes = [_outcome(call, item, item["tcaseId"]) for item in items]
    return Reply(
        {"ids": record(call.connection, row, outcomes, call.caller)}, guesses.RESULT_STATUS
    )


def _outcome(call: Call, body: dict[str, Any], case_name: str) -> Outcome:
    if "status" not in body:
        raise refuse("status is required")
    if not 0 <= body.get("timeTaken", 0) <= _MAX_TIME:
        raise refuse(f"timeTaken must be 0-{_MAX_TIME}")
    for link in body.get("links", ()):
        if not (link.get("text") and link.get("url")):
            raise refuse("links must have a text and a url")
    return Outcome(
        case_id=find_case(call.connection, call.project_id, case_name).id,
        status=body["status"],
        comment=body.get("comment", ""),
        time_taken=body.get("timeTaken"),
        links=body.get("links", ()),
    )


ENDPOINTS = (
    Endpoint(
        "POST", "/project/{project}/run/{run}/tcase/{tcase}/result", create_result, "test-runner"
    ),
    Endpoint("POST", "/project/{project}/run/{run}/result/batch", create_results, "test-runner"),
)
