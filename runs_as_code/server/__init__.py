"""A QA Sphere-compatible API on a SQLite file, in process or on a port.

It shares no wire code with the client and imports nothing of `runs_as_code` but its errors: one
misreading must not sit on both sides.

| module | what it holds |
|---|---|
| `app`, `serving`, `options` | the ASGI app, the same on a port, what can be set |
| `endpoints` | shapes of bodies and replies, one module an area |
| `rules` | what the service does: runs, members, versions, results |
| `web` | decoding, keys and roles, limits, errors |
| `store` | tables, transactions, ids |
| `seeding`, `filling`, `demo` | new databases, from a seed document or as the demo project |
| `dumping`, `documents` | seed documents out of a database; YAML files and their schemas |
| `guesses` | everything about the API that nobody published |
"""

from runs_as_code.server.app import create_app
from runs_as_code.server.documents import DocumentError, read_faults
from runs_as_code.server.options import ServerOptions
from runs_as_code.server.seeding import (
    create_key,
    dump_database,
    ensure_database,
    list_emails,
)
from runs_as_code.server.serving import DEFAULT_HOST, DEFAULT_PORT, bind, make_server, serve
from runs_as_code.server.store.database import DatabaseError
from runs_as_code.server.web.faults import Fault, Faults

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "DatabaseError",
    "DocumentError",
    "Fault",
    "Faults",
    "ServerOptions",
    "bind",
    "create_app",
    "create_key",
    "dump_database",
    "ensure_database",
    "list_emails",
    "make_server",
    "read_faults",
    "serve",
]
