"""How a call ends that does not end well: an error becomes a message and an exit code."""

import traceback
from collections.abc import Iterable, Iterator

import click

from runs_as_code.cli.console import MESSAGE_LIMIT, Console
from runs_as_code.errors import ExitCode, QarunError
from runs_as_code.report.safe import safe

NOTHING_WRITTEN = "interrupted; nothing was written"


class InterruptionError(QarunError):
    """A signal ended the call; `exit_code` tells which."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def end_of(error: BaseException, console: Console) -> ExitCode:
    """Say what went wrong and return the exit code; tracebacks only under `--debug`."""
    if isinstance(error, click.exceptions.Exit):
        return ExitCode(error.exit_code)
    if isinstance(error, click.Abort):
        console.fail("interrupted")
        return ExitCode.SIGINT
    if isinstance(error, click.ClickException):
        return _end_of_usage(error, console)
    known = known_errors(error)
    if not known:
        return _end_of_bug(error, list(_leaves(error)), console)
    for message, hint in dict.fromkeys((leaf.message, leaf.hint) for leaf in known):
        console.fail(message, hint)
    return code_of(known)


def known_errors(error: BaseException) -> list[QarunError]:
    """Return what an error holds; nothing when any of it is a bug."""
    leaves = list(_leaves(error))
    known = [leaf for leaf in leaves if isinstance(leaf, QarunError)]
    return known if len(known) == len(leaves) else []


def code_of(errors: Iterable[QarunError]) -> ExitCode:
    """Return the exit code that all of them share, else that of an error."""
    codes = {error.exit_code for error in errors}
    return codes.pop() if len(codes) == 1 else ExitCode.ERROR


def _end_of_usage(error: click.ClickException, console: Console) -> ExitCode:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "qarun"
    message = error.format_message().strip().rstrip(".")
    console.fail(message[:1].lower() + message[1:], f"`{path} --help` shows what is possible")
    return ExitCode.USAGE


def _end_of_bug(error: BaseException, leaves: list[BaseException], console: Console) -> ExitCode:
    bug = next(leaf for leaf in leaves if not isinstance(leaf, QarunError))
    if console.is_debug:
        shown = _without_keys("".join(traceback.format_exception(error)), console)
        console.say("\n".join(safe(line, MESSAGE_LIMIT) for line in shown.split("\n")))
    hint = "please report it, with what `--debug` adds to this"
    console.fail(_without_keys(f"internal error: {type(bug).__name__}: {bug}", console), hint)
    return ExitCode.ERROR


def _without_keys(text: str, console: Console) -> str:
    """Return a text of unknown origin without the keys found here and what else looks like one."""
    from runs_as_code.cli.logs import scrubber_of  # noqa: PLC0415 -- for errors only

    return scrubber_of(console.environ)(text)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that a group holds; task groups wrap even a single one."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
