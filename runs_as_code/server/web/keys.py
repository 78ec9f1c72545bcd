"""API keys and roles: who calls, and whether the role is strong enough [DOC users, SEED].

A key is `{tenantId}.{apiKeyId}.{token}`; only its SHA-256 is stored. It carries the role of the
user it belongs to.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from runs_as_code.server import guesses
from runs_as_code.server.store.clock import now
from runs_as_code.server.store.ids import new_id
from runs_as_code.server.store.tables import api_key, user
from runs_as_code.server.web.problems import ApiError

ROLES = ("viewer", "test-runner", "user", "admin", "owner")
_TENANT = "qarun00001"
_LOG_ONLY = "SIEM-LOG-ONLY"  # a key of this name reads the audit log and nothing else [DOC]
_SCHEMES = ("apikey", "bearer")


@dataclass(frozen=True, slots=True)
class Caller:
    """The user a request acts for, and the key it came with."""

    id: int
    email: str
    name: str
    avatar: str | None
    role: str
    key_id: str | None = None
    is_log_only: bool = False

    def is_at_least(self, role: str) -> bool:
        """Say whether the caller's role is as strong as the given one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def read_key(header: str | None) -> str | None:
    """Take the key out of an `Authorization` header; both schemes are accepted [DOC]."""
    scheme, _, key = (header or "").strip().partition(" ")
    return key.strip() or None if scheme.lower() in _SCHEMES else None


def digest(key: str) -> str:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def make_key(connection: Connection, email: str, name: str = "") -> str:
    """Create a key for a user and return it; raise `LookupError` where none is active."""
    user_id = connection.scalar(select(user.c.id).where(user.c.email == email, user.c.is_active))
    if user_id is None:
        raise LookupError(email)
    key_id = new_id()
    key = f"{_TENANT}.{key_id}.{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(api_key).values(
            id=key_id, user_id=user_id, name=name, digest=digest(key), created_at=now()
        )
    )
    return key


def find_caller(connection: Connection, key: str | None, *, is_required: bool) -> Caller:
    """Find who calls; without a valid key that is the owner, or 401 where one is needed."""
    found = _by_key(connection, key) if key else None
    if found is None and not is_required:
        found = _default_caller(connection)
    if found is None:
        raise ApiError(401, guesses.MESSAGE_NO_KEY)
    return found


def _by_key(connection: Connection, key: str) -> Caller | None:
    row = connection.execute(
        select(user, api_key.c.id.label("key_id"), api_key.c.name.label("key_name"))
        .join(api_key, api_key.c.user_id == user.c.id)
        .where(api_key.c.digest == digest(key), user.c.is_active)
    ).first()
    if row is None:
        return None
    is_log_only = row.key_name.startswith(_LOG_ONLY)
    return Caller(row.id, row.email, row.name, row.avatar, row.role, row.key_id, is_log_only)


def _default_caller(connection: Connection) -> Caller | None:
    row = connection.execute(
        select(user).where(user.c.role == "owner", user.c.is_active).order_by(user.c.id).limit(1)
    ).first()
    return None if row is None else Caller(row.id, row.email, row.name, row.avatar, row.role)


def require_role(caller: Caller, role: str, *, is_log: bool) -> None:
    """Refuse a caller whose role is too weak, or whose key may only read the log (403)."""
    if not caller.is_at_least(role) or (caller.is_log_only and not is_log):
        raise ApiError(403, guesses.MESSAGE_FORBIDDEN)
