"""Posts notifications to one address, which is itself a secret: no message ever names it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from runs_as_code import __version__
from runs_as_code.errors import UsageError
from runs_as_code.provider.address import is_loopback_host

TRIES = 4
FIRST_PAUSE = 1.0
PATIENCE = 10.0
"""Seconds that one try may take."""

BUDGET = 40.0
"""Seconds that a notification may take with all its tries."""

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """A receiver of notifications.

    `transport` replaces the network. Raises UsageError for an address that can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        is_insecure_allowed: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        _check(url, is_insecure_allowed=is_insecure_allowed)
        self._url = url
        self._transport = transport
        self._sleep = sleep

    def __repr__(self) -> str:
        return "Webhook(...)"

    async def send(self, body: str) -> str:
        """Post a body of JSON, again where that is of use; return what went wrong, or nothing."""
        try:
            async with asyncio.timeout(BUDGET):
                problem, _ = await self._send_with_retries(body)
        except TimeoutError:
            return f"no answer within {BUDGET:g} s"
        return problem

    async def _send_with_retries(self, body: str) -> tuple[str, bool]:
        last: tuple[str, bool] = ("", False)

        async def attempt() -> tuple[str, bool]:
            nonlocal last
            last = await self._try(body)
            return last

        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=retry_if_result(lambda outcome: outcome[1]),
            wait=_pause,
            stop=stop_after_attempt(TRIES),
            retry_error_callback=lambda _state: last,
        )
        await retrying(attempt)
        return last

    async def _try(self, body: str) -> tuple[str, bool]:
        """Send once; return what went wrong, and whether trying again is of use."""
        try:
            async with asyncio.timeout(PATIENCE), self._client() as client:
                request = client.stream("POST", self._url, content=body.encode())
                async with request as response:
                    status = response.status_code
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {PATIENCE:g} s", True
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return f"it can't be reached ({type(error).__name__})", True
        except (httpx.InvalidURL, httpx.CookieConflict, ValueError) as error:
            return f"it can't be used ({type(error).__name__})", False
        if status < httpx.codes.MULTIPLE_CHOICES:
            return "", False
        return f"it answered {status}", status in _TRANSIENT

    def _client(self) -> httpx.AsyncClient:
        host = urlsplit(self._url).hostname or ""
        return httpx.AsyncClient(
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"qarun/{__version__}",
            },
            timeout=PATIENCE,
            follow_redirects=False,
            transport=self._transport,
            # A proxy of the environment must not see what is meant for this machine.
            trust_env=not is_loopback_host(host),
        )


def _pause(state: RetryCallState) -> float:
    spread = 1.0 + 0.25 * random.random()  # noqa: S311 -- chance is all that is asked for
    return float(FIRST_PAUSE * 2.0 ** (state.attempt_number - 1) * spread)


def _check(url: str, *, is_insecure_allowed: bool) -> None:
    """Refuse what is no address, without quoting it: it is a secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_good = parts.port != 0 and bool(host) and url.isprintable() and " " not in url
    except ValueError:
        host, is_good = "", False
    if not is_good or parts.scheme not in {"http", "https"}:
        raise UsageError(
            "the address for notifications is none",
            hint="give the `https://…` address of a webhook in `QARUN_NOTIFY_URL`",
        )
    is_open = parts.scheme == "http" and not is_loopback_host(host)
    if is_open and not is_insecure_allowed:
        raise UsageError(
            "the address for notifications is not encrypted",
            hint="write `https://`, or give `--insecure-http` if you accept that",
        )
