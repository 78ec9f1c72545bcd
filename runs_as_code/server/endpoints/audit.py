"""The audit log: one event for each successful write, read with a cursor [DOC audit-logs]."""

from sqlalchemy import select

from runs_as_code.server.store.tables import audit_event, user
from runs_as_code.server.web.calls import AUDIT_PATH, Call, Endpoint, Reply
from runs_as_code.server.web.problems import ApiError, refuse

_DEFAULT_COUNT = 100
_MAX_COUNT = 1000


def list_events(call: Call) -> Reply:
    """List events after a cursor, oldest first; `after` in the reply is the next cursor."""
    if not call.options.has_audit_logs:
        raise ApiError(402, "audit logs are not available for your plan")
    after = call.query.integer("after") or 0
    count = call.query.integer("count")
    if count is None:
        count = _DEFAULT_COUNT
    if not 1 <= count <= _MAX_COUNT:
        raise refuse(f"count must be 1-{_MAX_COUNT}")
    rows = call.connection.execute(
        select(audit_event, user.c.name, user.c.email)
        .outerjoin(user, user.c.id == audit_event.c.user_id)
        .where(audit_event.c.id > after)
        .order_by(audit_event.c.id)
        .limit(count)
    ).all()
    events = [
        {
            "id": row.id,
            "user": row.email and {"id": row.user_id, "name": row.name, "email": row.email},
            "action": row.action,
            "ip": row.ip,
            "userAgent": row.user_agent,
            "createdAt": row.created_at,
            "meta": row.meta,
        }
        for row in rows
    ]
    last = rows[-1].id if rows else after
    return Reply({"after": last, "count": len(events), "events": events})


ENDPOINTS = (Endpoint("GET", AUDIT_PATH, list_events, "admin"),)
