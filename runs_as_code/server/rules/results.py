"""Results: recorded for a member of an open run; the newest one is the case's status [SEED]."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from runs_as_code.server import guesses
from runs_as_code.server.rules.members import STATIC, is_computed, list_members
from runs_as_code.server.rules.statuses import OPEN, check_status
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.tables import result, run, run_case
from runs_as_code.server.web.keys import Caller
from runs_as_code.server.web.problems import ApiError, missing


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result to record; `time_taken` in milliseconds."""

    case_id: str
    status: str
    comment: str = ""
    time_taken: int | None = None
    links: Sequence[dict[str, Any]] = field(default_factory=tuple)


def record(
    connection: Connection, run_row: Row[Any], outcomes: Sequence[Outcome], caller: Caller
) -> list[int]:
    """Record results in order and return their ids; nothing is kept when one is refused."""
    if run_row.closed_at is not None:
        raise ApiError(guesses.CLOSED_RUN_STATUS, guesses.MESSAGE_RUN_CLOSED)
    only = outcomes[0].case_id if len(outcomes) == 1 else None
    members = {row.id: row for row in list_members(connection, run_row, only)}
    versions = {row.id: row.version for row in members.values()}
    ids = []
    for outcome in outcomes:
        if outcome.case_id not in members:
            raise missing("Test case")
        check_status(connection, outcome.status)
        version = versions[outcome.case_id]
        ids.append(_insert(connection, run_row, outcome, version, caller))
        # The version is fixed by the first status that is not open; `open` lets it follow again.
        is_fixed = run_row.type == STATIC or outcome.status != OPEN
        _set_state(connection, run_row, outcome, version if is_fixed else None)
        if not is_fixed:  # which the next result of the same batch has to see
            versions[outcome.case_id] = members[outcome.case_id].latest_version
    _refresh(connection, run_row, outcomes)
    return ids


def _insert(
    connection: Connection,
    run_row: Row[Any],
    outcome: Outcome,
    version: int,
    caller: Caller,
) -> int:
    made = connection.execute(
        insert(result).values(
            run_id=run_row.id,
            tcase_id=outcome.case_id,
            version=version,
            author_id=caller.id,
            status=outcome.status,
            comment=outcome.comment,
            links=list(outcome.links),
            time_taken=outcome.time_taken,
            api_key_id=caller.key_id,
            created_at=now(),
        )
    ).inserted_primary_key
    return int(made[0]) if made else 0


def _set_state(
    connection: Connection, run_row: Row[Any], outcome: Outcome, version: int | None
) -> None:
    """Write down the status; without a version the case follows its newest one."""
    values = {"status": outcome.status, "version": version}
    connection.execute(
        upsert(run_case)
        .values(run_id=run_row.id, tcase_id=outcome.case_id, is_member=True, **values)
        .on_conflict_do_update(index_elements=["run_id", "tcase_id"], set_=values)
    )


def _refresh(connection: Connection, run_row: Row[Any], outcomes: Sequence[Outcome]) -> None:
    values: dict[str, Any] = {}
    # The sum is carried on: adding up the results anew takes longer with each of them.
    taken = [outcome.time_taken for outcome in outcomes if outcome.time_taken is not None]
    if taken:
        values["time_spent"] = (run_row.time_spent or 0) + sum(taken)
    if not is_computed(run_row):
        rows = connection.execute(
            select(run_case.c.status, func.count())
            .where(run_case.c.run_id == run_row.id, run_case.c.is_member)
            .group_by(run_case.c.status)
        )
        values["counts"] = {row[0]: row[1] for row in rows}
    if values:
        connection.execute(update(run).where(run.c.id == run_row.id).values(values))


def list_results(connection: Connection, run_id: int, case_id: str) -> Sequence[Row[Any]]:
    """Return the results of one case in a run, newest first."""
    return connection.execute(
        select(result)
        .where(result.c.run_id == run_id, result.c.tcase_id == case_id)
        .order_by(result.c.id.desc())
    ).all()
