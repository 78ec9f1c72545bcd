"""Who is told of transitions, as the command line and the environment say."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runs_as_code import __version__
from runs_as_code.cli.logs import LogWriter
from runs_as_code.cli.reconcile_options import Telling
from runs_as_code.engine.reconcile.notifying import Notifier
from runs_as_code.errors import UsageError
from runs_as_code.manifest.opening import read_bytes
from runs_as_code.model.reconciling import Transition

MAX_TEMPLATE = 64 * 1024
LONGEST_RENDERING = 5.0
"""Seconds that a template may take: what it does in vain would hold up every project."""


def notifier_of(telling: Telling, log: LogWriter, *, is_insecure_allowed: bool) -> Notifier | None:
    """Return who tells the receiver, None where there is none.

    Raises UsageError for an address or a template that can't be used.
    """
    if telling.url is None or not telling.url.strip():
        if telling.template is not None:
            raise UsageError(
                "`--notify-template` needs a receiver", hint="set `QARUN_NOTIFY_URL` to its address"
            )
        return None
    # Few calls have a receiver, and templates take 40 ms to import.
    from runs_as_code.provider.webhook import Webhook  # noqa: PLC0415 -- see above
    from runs_as_code.report.notification import (  # noqa: PLC0415 -- see above
        check_template,
        notification,
        notification_body,
    )

    template = _read_template(telling)
    if template is not None:
        with _in_time():
            check_template(template, tool_version=__version__)

    def shape(transition: Transition) -> str:
        document = notification(transition, tool_version=__version__)
        clean = {k: log.scrub(v) if isinstance(v, str) else v for k, v in document.items()}
        with _in_time():
            return notification_body(clean, template)

    webhook = Webhook(telling.url.strip(), is_insecure_allowed=is_insecure_allowed)
    return Notifier(shape, webhook.send, log)


def _read_template(telling: Telling) -> str | None:
    if telling.template is None:
        return None
    try:
        content = read_bytes(str(telling.template), MAX_TEMPLATE + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(
            f"the template `{telling.template}` can't be read: {reason}",
            hint="look at the path behind `--notify-template`",
        ) from None
    if len(content) > MAX_TEMPLATE:
        raise UsageError(
            f"the template `{telling.template}` has more than 64 KiB",
            hint="a notification is a few lines; is it the right file?",
        )
    return text


@contextmanager
def _in_time() -> Iterator[None]:
    """Raise UsageError when this takes too long; where no timer can be set there is no limit."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: object) -> None:
        raise UsageError(
            f"the template of notifications takes more than {LONGEST_RENDERING:g} s",
            hint="look at its loops",
        )

    heard = signal.signal(signal.SIGALRM, ring)
    before = signal.setitimer(signal.ITIMER_REAL, LONGEST_RENDERING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, heard)
