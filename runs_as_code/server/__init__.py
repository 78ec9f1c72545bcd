"""A QA Sphere-compatible API on a SQLite file, in process or on a port.

It shares no wire code with the client: one misreading must not sit on both sides. Of the rest of
`runs_as_code` it imports errors and, for what both sides can only guess, `model`.

| module | what it holds |
|---|---|
| `app`, `options` | the ASGI app, what can be set |
| `serving`, `running`, `pytest_plugin` | the app on a port; in a thread; as a fixture |
| `endpoints` | shapes of bodies and replies, one module an area |
| `rules` | what the service does: runs, members, versions, results |
| `web` | decoding, keys and roles, limits, faults, errors |
| `store` | tables, transactions, ids |
| `seeding`, `filling`, `demo` | new databases, from a seed document or as the demo project |
| `dumping`, `documents` | seed documents out of a database; YAML files and their schemas |
| `guesses` | everything about the API that nobody published |
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runs_as_code.server.app import create_app
    from runs_as_code.server.documents import DocumentError, read_faults
    from runs_as_code.server.options import ServerOptions
    from runs_as_code.server.running import RunningServer, running_server
    from runs_as_code.server.seeding import (
        create_key,
        dump_database,
        ensure_database,
        list_emails,
    )
    from runs_as_code.server.serving import DEFAULT_HOST, DEFAULT_PORT, listen, make_server, serve
    from runs_as_code.server.store.database import DatabaseError
    from runs_as_code.server.web.faults import Fault, Faults

# The fixture must not cost every pytest session the imports of SQLAlchemy and Starlette.
_HOMES = {
    "app": ("create_app",),
    "documents": ("DocumentError", "read_faults"),
    "options": ("ServerOptions",),
    "running": ("RunningServer", "running_server"),
    "seeding": ("create_key", "dump_database", "ensure_database", "list_emails"),
    "serving": ("DEFAULT_HOST", "DEFAULT_PORT", "listen", "make_server", "serve"),
    "store.database": ("DatabaseError",),
    "web.faults": ("Fault", "Faults"),
}

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "DatabaseError",
    "DocumentError",
    "Fault",
    "Faults",
    "RunningServer",
    "ServerOptions",
    "create_app",
    "create_key",
    "dump_database",
    "ensure_database",
    "list_emails",
    "listen",
    "make_server",
    "read_faults",
    "running_server",
    "serve",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
