"""What tells one database from another: an id of its own, written when it is made."""

from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from runs_as_code.server.store.database import DatabaseError, Store
from runs_as_code.server.store.ids import new_id

# Not among the other tables: databases of this schema version were made without it.
_identity = Table("identity", MetaData(), Column("id", Text, primary_key=True))


def ensure_id(connection: Connection) -> str:
    """Return the database's id, within a write transaction; a database without one gets one."""
    _identity.create(connection, checkfirst=True)
    found = _read(connection)
    if found is None:
        found = new_id()
        connection.execute(insert(_identity).values(id=found))
    return found


def database_id(store: Store) -> str:
    """Return a database's id; copies of its file share it. Raise DatabaseError without any."""
    try:
        with store.reading() as connection:
            found = _read(connection)
        if found is None:
            with store.writing() as connection:
                found = ensure_id(connection)
    except DBAPIError as error:
        raise DatabaseError(
            f"the embedded server's database can't be told from others: {error.orig}",
            hint="make sure that its file and folder can be written to",
        ) from error
    return found


def _read(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_identity.name):
        return None
    found: str | None = connection.scalar(select(_identity.c.id))
    return found
