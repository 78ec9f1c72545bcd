"""The HTTP client of one QA Sphere: authenticated, paced, repeated only where that is safe."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from http.cookiejar import CookieJar
from typing import Self
from urllib.parse import urlencode

import httpx

from runs_as_code import __version__
from runs_as_code.errors import AccessError, NotRunError, UsageError
from runs_as_code.provider import directory
from runs_as_code.provider.address import Address, parse_address
from runs_as_code.provider.exchange import Answer, Exchange, ExchangeListener, Fault, Request
from runs_as_code.provider.failures import answer_error, fault_error
from runs_as_code.provider.faults import fault_of
from runs_as_code.provider.pacing import Pacer
from runs_as_code.provider.project import ProjectProvider
from runs_as_code.provider.redacting import Redactor
from runs_as_code.provider.retry import Outcome, is_throttled, may_repeat, pause, with_retries
from runs_as_code.provider.timing import DEFAULT_TIMING, Timing
from runs_as_code.provider.wire_names import Project

RATE_LIMIT = 20  # requests in a second for each key [DOC api_intro]
LARGEST_REPLY = 256 * 1024 * 1024
# Shorter than the 5 s after which common servers drop an idle connection: a request that meets
# the drop half-way can't be told from one that ran.
KEEPALIVE_SECONDS = 4.0
# Asked for and accepted: each part that is received grows by at most a factor of a thousand before
# it is counted. Other encodings, or one inside another, have no such bound.
ENCODINGS = ("gzip", "deflate")
LINE_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
READING_ERRORS = (ValueError, ArithmeticError)  # what a hostile answer makes of a library


class QaSphereClient:
    """Talks to one server with one key; `project()` gives the live side of a project.

    All calls share the pacing, so use one client for each key. `rate` is the number of requests
    in a second, 0 for no limit. `transport` replaces the network, e.g. by an in-process app.
    Raise UsageError for an address that can't be used, AccessError for a key that can't be sent.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        rate: int = RATE_LIMIT,
        timing: Timing = DEFAULT_TIMING,
        insecure_http: bool = False,
    ) -> None:
        self._address = parse_address(base_url)
        _check_encryption(self._address, is_insecure_allowed=insecure_http)
        self._headers = _headers(token)
        self._redactor = Redactor(token)
        self._listener: ExchangeListener | None = None
        self._transport = transport
        self._timing = timing
        self._rate = rate
        self._pacer = Pacer(rate, timing.later)
        self._lines: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._sent: Counter[str] = Counter()
        self._throttled_seconds = 0.0

    def __repr__(self) -> str:
        return f"QaSphereClient({self._address.name!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        lines, self._lines, self._idle = self._lines, [], []
        for line in lines:
            await line.aclose()

    @property
    def address(self) -> Address:
        """The server."""
        return self._address

    @property
    def rate(self) -> int:
        """How many requests a second are sent at most, 0 for no limit."""
        return self._rate

    @property
    def calls(self) -> int:
        """How many requests were sent so far, for all projects, repeated ones included."""
        return self._sent.total()

    def sent(self, scope: str) -> int:
        """Return how many requests were sent for a project so far."""
        return self._sent[scope]

    def tell(self, listener: ExchangeListener | None) -> None:
        """Tell a listener of every try from now on."""
        self._listener = listener

    @property
    def throttled_seconds(self) -> float:
        """How long calls had to wait so far because the server refused them with 429."""
        return self._throttled_seconds

    def _wait_throttled(self, seconds: float) -> None:
        self._throttled_seconds += seconds

    def project(self, code_or_id: str) -> ProjectProvider:
        """Return the live side of a project; nothing is sent yet."""
        return ProjectProvider(self, code_or_id)

    async def list_projects(self) -> tuple[Project, ...]:
        """List the projects that the key may see."""
        return await directory.list_projects(self)

    async def send(self, request: Request, *, allowed: tuple[int, ...] = ()) -> Answer:
        """Send a request and return its answer if that is a 2xx or its status is `allowed`.

        Raise the errors of `runs_as_code.errors` that `Provider` lists for everything else.
        """
        outcome = await with_retries(request, self._attempt, self._timing, self._wait_throttled)
        if isinstance(outcome, Fault):
            error = fault_error(request, outcome, self._address)
        elif outcome.is_success or outcome.status in allowed:
            return outcome
        else:
            error = answer_error(request, outcome, self._address)
        if request.is_write and may_repeat(request, outcome):
            after = pause(outcome, request.attempt.number, self._timing)
            if is_throttled(outcome):
                self._wait_throttled(after)
            raise NotRunError(error.message, pause=after, hint=error.hint)
        raise error

    async def _attempt(self, request: Request) -> Outcome:
        """Send once. Faults are values, so no error ever drags an httpx request along."""
        async with self._pacer.slot() as slot:
            if request.is_write and not request.attempt.may_go():
                slot.is_used = False
                return Fault("it was to be sent no more", was_sent=False)
            self._sent[request.scope] += 1
            started = self._timing.clock()
            outcome = await self._try(request)
            if self._listener is not None:
                self._listener(self._exchange_of(request, outcome, self._timing.clock() - started))
            return outcome

    def _exchange_of(self, request: Request, outcome: Outcome, seconds: float) -> Exchange:
        query = f"?{urlencode(request.query)}" if request.query else ""
        url = self._redactor.text(self._address.api + request.path + query)
        if isinstance(outcome, Fault):
            return Exchange(request.method, url, outcome.text, seconds)
        return Exchange(request.method, url, str(outcome.status), seconds, len(outcome.body))

    async def _try(self, request: Request) -> Outcome:
        try:
            async with asyncio.timeout(self._timing.total), self._line() as line:
                return await self._exchange(line, request)
        except TimeoutError:
            return Fault(f"no full answer within {self._timing.total:g} s", was_sent=True)
        except (*LINE_ERRORS, *READING_ERRORS) as error:
            return fault_of(error)

    async def _exchange(self, line: httpx.AsyncClient, request: Request) -> Outcome:
        content = None if request.body is None else json.dumps(request.body).encode()
        url = httpx.URL(self._address.api + request.path, params=request.query or None)
        body = bytearray()
        async with line.stream(request.method, url, content=content) as response:
            encoding = response.headers.get("content-encoding", "").strip().lower()
            if encoding not in ("", "identity", *ENCODINGS):
                return Fault("the answer is encoded as nobody asked", was_sent=True, is_final=True)
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_REPLY:
                    limit = LARGEST_REPLY >> 20
                    return Fault(f"reply over {limit} MiB", was_sent=True, is_final=True)
        return Answer(
            status=response.status_code,
            body=self._redactor.body(body),
            reason=self._redactor.text(response.reason_phrase),
            retry_after=response.headers.get("retry-after"),
            location=self._redactor.text(response.headers.get("location", "")),
        )

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[httpx.AsyncClient]:
        """Borrow an httpx client with one connection; a shared pool gets slower with each task."""
        line = self._idle.pop() if self._idle else self._new_line()
        try:
            yield line
        finally:
            self._idle.append(line)

    def _new_line(self) -> httpx.AsyncClient:
        line = httpx.AsyncClient(
            headers=self._headers,
            cookies=_NoCookies(),
            timeout=httpx.Timeout(
                connect=self._timing.connect,
                read=self._timing.read,
                write=self._timing.write,
                pool=self._timing.pool,
            ),
            transport=self._transport,
            verify=self._tls,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=KEEPALIVE_SECONDS),
            follow_redirects=False,
            # A proxy of the environment must not see what is meant for this machine.
            trust_env=not self._address.is_loopback,
        )
        self._lines.append(line)
        return line

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Loading the certificates takes longer than a call; without TLS nothing asks for them,
        # and a context without any trusts nobody.
        if not self._address.is_encrypted or self._transport is not None:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return httpx.create_ssl_context()
        except OSError as error:  # bad certificates as well
            reason = error.strerror or "they are no certificates in PEM form"
        raise UsageError(
            f"the certificates of the authorities to trust can't be read: {reason}",
            hint="check what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or unset them",
        )


class _NoCookies(CookieJar):
    """Keeps no cookies: the key is all a call needs, and reading hostile ones warns or raises."""

    def extract_cookies(self, *_: object) -> None:
        """Ignore what the server wants to be remembered."""


def _check_encryption(address: Address, *, is_insecure_allowed: bool) -> None:
    if address.is_encrypted or address.is_loopback or is_insecure_allowed:
        return
    raise UsageError(
        f"`{address.name}` is not encrypted, so the key would be sent in the clear",
        hint="write `https://`, or give `--insecure-http` if you accept that",
    )


def _headers(token: str | None) -> httpx.Headers:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": ", ".join(ENCODINGS),
        "Content-Type": "application/json",
        "User-Agent": f"qarun/{__version__}",
    }
    if token is not None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise AccessError(
                "the key is empty or holds characters that no key has",
                hint="check `QAS_TOKEN` for blanks, quotes and line breaks",
            )
        headers["Authorization"] = f"Bearer {token}"
    return httpx.Headers(headers)
