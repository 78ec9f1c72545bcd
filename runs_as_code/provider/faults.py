"""Read httpx errors: whether the request left, and whether trying again would help.

httpx's own words are never used: they may quote the request, and its objects hold the key.
"""

import socket
import ssl

import httpx

from runs_as_code.provider.exchange import Fault

RUNNING_HINT = "is the address right, and is the server running?"
CERTIFICATE_HINT = "check the address; for an authority of your own set `SSL_CERT_FILE`"


def fault_of(error: Exception) -> Fault:
    """Return the fault that an error of httpx or of the operating system stands for."""
    if isinstance(error, httpx.ConnectError):
        return _unconnected(error)
    for kind, fault in FAULTS:
        if isinstance(error, kind):
            return fault
    return Fault("the connection failed before the answer was complete", was_sent=True)


# First match counts. `was_sent` is False only where no byte of the request can have left.
FAULTS: tuple[tuple[type[Exception], Fault], ...] = (
    (httpx.ConnectTimeout, Fault("no connection in time", was_sent=False, hint=RUNNING_HINT)),
    (httpx.PoolTimeout, Fault("no free connection in time", was_sent=False)),
    (httpx.UnsupportedProtocol, Fault("unusable address", was_sent=False, is_final=True)),
    (httpx.InvalidURL, Fault("unusable address", was_sent=False, is_final=True)),
    (httpx.TimeoutException, Fault("no answer in time", was_sent=True)),
    (httpx.ProxyError, Fault("the proxy refused", was_sent=True)),
    (httpx.DecodingError, Fault("the answer is damaged", was_sent=True)),
)


def _unconnected(error: httpx.ConnectError) -> Fault:
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        text = "the server's certificate can't be trusted"
        return Fault(text, was_sent=False, is_final=True, hint=CERTIFICATE_HINT)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        hint = "is it `http://` instead of `https://`?"
        return Fault("no encrypted connection", was_sent=False, is_final=True, hint=hint)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Fault("unknown host", was_sent=False, hint="is the address right?")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Fault("connection refused", was_sent=False, hint=RUNNING_HINT)
    return Fault("no connection", was_sent=False, hint=RUNNING_HINT)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error, its causes, and the members of groups among them."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or cause in found:
            continue
        found.append(cause)
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
    return found
