"""Reach servers: each once a call, the embedded one in process, hosted ones with their key."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from runs_as_code.engine.places import is_stream
from runs_as_code.errors import StaleError, UsageError
from runs_as_code.model.desired import Manifest
from runs_as_code.model.plan import Database, Plan
from runs_as_code.model.provider import EMBEDDED, Provider
from runs_as_code.provider.credentials import Credentials, find_credentials

if TYPE_CHECKING:  # importing the client costs more than planning a thousand runs
    from runs_as_code.provider.client import QaSphereClient
    from runs_as_code.provider.exchange import ExchangeListener

DATABASE = Path(".qarun") / "embedded.db"


def usual_database(folder: Path) -> Path:
    """Return where the embedded server's file of a folder lies.

    Raise UsageError where it lies behind a link: a repository must not choose what is written to.
    """
    path = folder / DATABASE
    for part in (path.parent, path):
        if os.path.islink(part):  # noqa: PTH114 -- unlike that of `Path`, it never raises
            raise UsageError(
                f"`{part}` is a link, and the embedded server's file is not looked for behind one",
                hint="name the file that it should be: `--database FILE`",
            )
    return path


def folder_of(first_file: str | None) -> Path:
    """Return where the first manifest lies; the working folder where it is none to lie beside.

    That is so without any, and for a pipe or a device, as which a shell hands over what a command
    writes. A file that is gone meanwhile had its place.
    """
    if first_file is None:
        return Path()
    return Path() if is_stream(first_file) else Path(first_file).parent


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where servers and keys come from.

    `server` is the command line's word and beats the files'; `database` is the embedded server's
    file, None for `.qarun/embedded.db` in the `folder_of` the first manifest. `warn` hears what was
    passed over, `hear` of each try of a request.
    """

    environ: Mapping[str, str]
    cwd: Path
    server: str | None = None
    database: Path | None = None
    rate: int | None = None
    is_insecure_http_allowed: bool = False
    warn: Callable[[str], None] = field(default=lambda _message: None)
    hear: "ExchangeListener | None" = None


class Connections:
    """The open servers of one call; use as an async context manager."""

    def __init__(self, settings: ConnectionSettings, first_file: str | None) -> None:
        self._settings = settings
        self._first_file = first_file
        self._clients: dict[str, QaSphereClient] = {}
        self._credentials: dict[str | None, Credentials] = {}
        self._closers: list[Callable[[], None]] = []
        self._identify: Callable[[], str] = str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()
        for close in self._closers:
            close()

    @property
    def throttled_seconds(self) -> float:
        """How long the servers made us wait because of too many requests."""
        return sum(client.throttled_seconds for client in self._clients.values())

    def server_of(self, manifest: Manifest) -> str:
        """Return the server of a manifest: flag, file, environment.

        Raises AccessError where none of them names a server or the key for it is missing.
        """
        return self._find(self._settings.server or manifest.server).server

    def open(self, server: str, project: str) -> Provider:
        """Return the live side of a project on a server."""
        return self._client(server).project(project)

    def bind(self, plan: Plan) -> Plan:
        """Return a plan that says on which database of the embedded server it was made."""
        if not plan.is_embedded:
            return plan
        is_named = self._settings.database is not None
        folder = None if is_named else folder_of(self._first_file).as_posix()
        return replace(plan, database=Database(self._database_id(), folder))

    def check(self, plan: Plan) -> None:
        """Raise StaleError for a plan of another database than the one that is reached here."""
        if not plan.is_embedded:
            return
        if plan.database is None or plan.database.id != self._database_id():
            raise StaleError(
                f"the plan was made on another database than `{self._database()}`, which may have"
                " been made anew since; nothing was written",
                hint="name the one it was made on (`--database FILE`), or plan again",
            )

    def _database_id(self) -> str:
        """Return the id of the embedded server's database, made on first use."""
        self._client(EMBEDDED)
        return self._identify()

    def _client(self, server: str) -> "QaSphereClient":
        if server not in self._clients:
            self._clients[server] = self._connect(self._find(server))
            self._clients[server].tell(self._settings.hear)
        return self._clients[server]

    def _find(self, server: str | None) -> Credentials:
        if server not in self._credentials:
            found = find_credentials(server, self._settings.environ, self._settings.cwd)
            self._credentials[server] = found
            self._credentials.setdefault(found.server, found)
            for warning in found.warnings:
                self._settings.warn(warning)
        return self._credentials[server]

    def _connect(self, credentials: Credentials) -> "QaSphereClient":
        from runs_as_code.provider.client import RATE_LIMIT, QaSphereClient  # noqa: PLC0415  lazy
        from runs_as_code.provider.embedded import embedded_client  # noqa: PLC0415  lazy

        if credentials.server == EMBEDDED:
            from runs_as_code.server.app import create_app  # noqa: PLC0415  lazy: SQL and HTTP
            from runs_as_code.server.store.identity import database_id  # noqa: PLC0415  lazy

            app = create_app(self._database())
            self._closers.append(app.state.store.close)
            self._identify = partial(database_id, app.state.store)
            return embedded_client(app)
        rate = RATE_LIMIT if self._settings.rate is None else self._settings.rate
        return QaSphereClient(
            credentials.server,
            credentials.token,
            rate=rate,
            insecure_http=self._settings.is_insecure_http_allowed,
        )

    def _database(self) -> Path:
        if self._settings.database is not None:
            return self._settings.database
        return usual_database(folder_of(self._first_file))
