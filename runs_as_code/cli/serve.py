"""`qarun serve`: an embedded QA Sphere on a port."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import click
from click.core import ParameterSource

from runs_as_code.cli.console import Console
from runs_as_code.cli.looping import SIGNALS
from runs_as_code.cli.options import grouped, output_options
from runs_as_code.engine.connecting import DATABASE, usual_database
from runs_as_code.errors import ExitCode, QarunError
from runs_as_code.report.safe import safe
from runs_as_code.server import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    ServerOptions,
    create_key,
    dump_database,
    ensure_database,
    list_emails,
    listen,
    make_server,
    read_faults,
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int


address_options = grouped(
    "address",
    Address,
    click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on."),
    click.option(
        "--port",
        type=click.IntRange(0, 65_535),
        default=DEFAULT_PORT,
        show_default=True,
        help="Port to listen on; 0 takes any free one.",
    ),
)


def _read_options(*, faults: Path | None, lacking: tuple[str, ...], **given: Any) -> ServerOptions:
    found, seed = read_faults(faults) if faults else ((), 0)
    return ServerOptions(
        require_key=True,
        faults=found,
        fault_seed=seed,
        has_user_ids="user-ids" not in lacking,
        has_audit_logs="audit-logs" not in lacking,
        **given,
    )


server_options = grouped(
    "options",
    _read_options,
    click.option(
        "--seed",
        default="demo",
        show_default=True,
        metavar="demo|empty|FILE.yaml",
        help="What a new database holds.",
    ),
    click.option(
        "--faults",
        type=click.Path(path_type=Path),
        metavar="FILE.yaml",
        help="What goes wrong on purpose.",
    ),
    click.option(
        "--rate",
        type=click.IntRange(min=0),
        default=20,
        show_default=True,
        metavar="N",
        help="Requests a second for each key; 0 for no limit.",
    ),
    click.option(
        "--latency",
        type=click.FloatRange(min=0, max=3600),
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="Wait before each answer.",
    ),
    click.option(
        "--title-scope",
        type=click.Choice(["project", "milestone", "none"]),
        default="project",
        show_default=True,
        help="Where titles of runs must be unique.",
    ),
    click.option(
        "--mangle-text",
        type=click.Choice(["none", "trim", "escape"]),
        default="none",
        show_default=True,
        help="What happens to titles and descriptions when they are stored.",
    ),
    click.option("--ignore-assignee", is_flag=True, help="Accept assignees and forget them."),
    click.option(
        "--without",
        "lacking",
        type=click.Choice(["user-ids", "audit-logs"]),
        multiple=True,
        help="What the service may lack: ids in the list of users, the audit log; repeatable.",
    ),
    click.option(
        "--board",
        type=click.Choice(["local", "open", "off"]),
        default="local",
        show_default=True,
        help="Who may read the board, which needs no key: this machine, or whoever reaches it.",
    ),
)


@click.command("serve")
@address_options
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    default=DATABASE,
    show_default=True,
    envvar="QARUN_DATABASE",
    show_envvar=True,
    metavar="FILE",
    help="The database; made when it is missing.",
)
@click.option(
    "--new-key",
    "emails",
    multiple=True,
    metavar="EMAIL",
    help="Make another key for this user and print it; repeatable.",
)
@click.option(
    "--dump", is_flag=True, help="Write the database as a seed file to stdout and serve nothing."
)
@server_options
@output_options
@click.pass_obj
def command(
    console: Console,
    address: Address,
    database: Path,
    emails: tuple[str, ...],
    options: ServerOptions,
    *,
    dump: bool,
) -> ExitCode:
    """Serve an embedded QA Sphere on a port.

    The first line on stdout is the address. A new database gets a key for each of its users; they
    follow, one a line with role and e-mail, and are never shown again. Runs until SIGINT or
    SIGTERM.
    """
    if database == DATABASE:
        usual_database(Path())
    if dump:
        console.data(dump_database(database))
        return ExitCode.DONE
    with listen_on(address) as sock:
        is_new = ensure_database(database, options.seed)
        source = click.get_current_context().get_parameter_source("seed")
        if not is_new and source is not ParameterSource.DEFAULT:
            console.warn(f"`{database}` is there already, so `--seed` is not used")
        keys = _make_keys(database, emails, is_new=is_new)
        host, port = sock.getsockname()[:2]
        server = make_server(database, options)
        stop = _Stop(server)
        for number in SIGNALS:
            signal.signal(number, stop)
        console.data(f"{_url(host, port)}\n")
        console.data("".join(f"{role:<12} {safe(email):<20} {key}\n" for role, email, key in keys))
        console.say(_welcome(database, has_keys=bool(keys)))
        if options.board != "off":
            console.say(f"Board: {_board_url(host, port)}")
        server.run(sockets=[sock])
    if stop.exit_code is not ExitCode.DONE:
        console.say("Stopped")
    return stop.exit_code


def _make_keys(
    database: Path, emails: tuple[str, ...], *, is_new: bool
) -> list[tuple[str, str, str]]:
    """Make keys for everybody in a new database and for whom the call names: role, e-mail, key."""
    people = list_emails(database)
    roles = dict(people)
    wanted = [*(email for email, _ in people if is_new), *emails]
    return [(roles.get(email, ""), email, create_key(database, email)) for email in wanted]


def listen_on(address: Address) -> socket.socket:
    """Take the port; raise QarunError when it can't be taken."""
    if not address.host:  # to the system that means every address of the machine
        raise QarunError("`--host` is empty", hint="name the address to listen on")
    try:
        return listen(address.host, address.port)
    except (OSError, TypeError, ValueError) as error:  # the last two for what is no name at all
        reason = getattr(error, "strerror", None) or "this is no name of a host"
        raise QarunError(
            f"can't listen on `{address.host}:{address.port}`: {reason}",
            hint="choose another `--port`; 0 takes any free one",
        ) from None


class _Stoppable(Protocol):
    should_exit: bool


class _Stop:
    """Ends a server at a signal: uvicorn takes them while it serves and sends them on at its end.

    An exception out of a handler would be lost where it met the event loop at work.
    """

    def __init__(self, server: _Stoppable) -> None:
        self.exit_code = ExitCode.DONE
        self._server = server

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Say how the call ends, and let the server end."""
        self.exit_code = SIGNALS[signal.Signals(number)]
        self._server.should_exit = True


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _board_url(host: str, port: int) -> str:
    """Return where a browser on this machine finds the board; nobody can ask for "any address"."""
    return f"{_url({'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host), port)}/board"  # noqa: S104 - compared, not bound


def _welcome(database: Path, *, has_keys: bool) -> str:
    name = safe(str(database))
    if not has_keys:
        return f"Serving {name}; `--new-key EMAIL` makes another key. Ctrl-C stops it."
    return f"Serving {name}; the keys are shown only this once. Ctrl-C stops it."
