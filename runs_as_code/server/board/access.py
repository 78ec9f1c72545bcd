"""Who may read the board, which needs no key: this machine alone, unless somebody opened it."""

from ipaddress import ip_address

from starlette.requests import Request


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine and calls it by a name of its own.

    A web page elsewhere can make a browser ask a loopback address under the page's own name (DNS
    rebinding), and would then read the answer: so a name that is neither `localhost` nor an
    address is refused.
    """
    client = request.client.host if request.client else ""
    server = request.scope.get("server") or ("", None)
    return (_is_loopback(client) or client == server[0]) and _is_own_name(
        request.headers.get("host", "")
    )


def _is_loopback(name: str) -> bool:
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_own_name(host: str) -> bool:
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    else:
        name = name.partition(":")[0].removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
