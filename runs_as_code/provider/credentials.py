"""Find server and key where the official client finds them, and never send a key elsewhere.

Sources in order [CLI]: the environment, `.env` of the working directory, the nearest
`.qaspherecli` upwards. Two sources are never mixed: a key belongs to the address beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from runs_as_code.errors import AccessError, UsageError
from runs_as_code.provider.address import Address, parse_address

URL_NAME = "QAS_URL"
TOKEN_NAME = "QAS_TOKEN"  # noqa: S105 -- the name of the variable, no secret
SET_HINT = (
    f"set `{URL_NAME}` and `{TOKEN_NAME}` in the environment, in `.env` or in `.qaspherecli`, "
    "or write `server: embedded`"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The server to use and the key for it; `token` is None for the embedded server.

    `source` says in words where the key was found, `warnings` what was passed over and why.
    """

    server: str
    token: str | None = field(repr=False)
    source: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    url: str
    token: str = field(repr=False)


def find_credentials(server: str | None, environ: Mapping[str, str], cwd: Path) -> Credentials:
    """Return the server and key to use; `server` is what the flag or the file says.

    Raise AccessError where no key may be used, UsageError where an address is none.
    """
    warnings: list[str] = []
    sources = list(_sources(environ, cwd, warnings))
    if server is None:
        return _complete_source(sources, warnings)
    address = parse_address(server)
    if address.is_embedded:
        warnings += [_elsewhere(source, address) for source in sources if source.url]
        return Credentials(address.name, None, warnings=tuple(warnings))
    return _source_for(address, sources, warnings)


def known_keys(environ: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    """Return the keys of all sources, used or not, for texts that must show none of them."""
    return tuple(source.token for source in _sources(environ, cwd, []) if source.token)


def _complete_source(sources: list[_Source], warnings: list[str]) -> Credentials:
    for source in sources:
        if source.url and source.token:
            return Credentials(_name(source), source.token, source.name, tuple(warnings))
        warnings.append(_half(source))
    raise AccessError(
        _because("no server and no key found", warnings),
        hint=SET_HINT,
    )


def _source_for(server: Address, sources: list[_Source], warnings: list[str]) -> Credentials:
    for source in sources:
        if _is_for_another(source, server):
            warnings.append(_elsewhere(source, server))
        elif source.token:
            return Credentials(server.name, source.token, source.name, tuple(warnings))
        else:
            warnings.append(_half(source))
    raise AccessError(_because(f"no key found for `{server.name}`", warnings), hint=SET_HINT)


def _name(source: _Source) -> str:
    try:
        return parse_address(source.url).name
    except UsageError as error:
        problem, hint = error.message, error.hint
    raise UsageError(f"{source.name}: `{URL_NAME}`: {problem}", hint=hint)


def _is_for_another(source: _Source, server: Address) -> bool:
    if not source.url:
        return False
    try:
        return parse_address(source.url).origin != server.origin
    except UsageError:
        return True


def _elsewhere(source: _Source, server: Address) -> str:
    try:
        named = f"names `{parse_address(source.url).name}`"
    except UsageError:
        named = "is no server address"
    so = "its key is not sent to" if source.token and not server.is_embedded else "used is"
    return f"{source.name}: `{URL_NAME}` {named}; {so} `{server.name}`"


def _half(source: _Source) -> str:
    have, lack = (TOKEN_NAME, URL_NAME) if source.token else (URL_NAME, TOKEN_NAME)
    return f"{source.name}: `{have}` is set but `{lack}` is missing; skipped"


def _because(problem: str, warnings: list[str]) -> str:
    return f"{problem} ({'; '.join(warnings)})" if warnings else problem


def _sources(environ: Mapping[str, str], cwd: Path, warnings: list[str]) -> Iterator[_Source]:
    found = [("environment variables", environ)]
    found += [(f"`{path}`", _read(path, warnings)) for path in _files(cwd)]
    for name, values in found:
        url = values.get(URL_NAME, "").strip()
        token = values.get(TOKEN_NAME, "").strip()
        if url or token:
            yield _Source(name, url, token)


def _files(cwd: Path) -> Iterator[Path]:
    if (cwd / ".env").is_file():
        yield cwd / ".env"
    for folder in (cwd, *cwd.parents):
        path = folder / ".qaspherecli"
        if path.is_file():
            yield path
            return


def _read(path: Path, warnings: list[str]) -> dict[str, str]:
    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, ValueError):
        warnings.append(f"`{path}` can't be read; skipped")
        return {}
    return {key: value for key, value in values.items() if value is not None}
