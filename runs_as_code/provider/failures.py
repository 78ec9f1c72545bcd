"""Turn an answer or a fault into the error that a person or the engine can act on; pure."""

import json
import re
from urllib.parse import urlsplit

from runs_as_code.errors import (
    AccessError,
    BadResponseError,
    ConflictError,
    NotFoundError,
    QarunError,
    RejectedError,
    UnknownOutcomeError,
    UnreachableError,
)
from runs_as_code.provider.address import Address
from runs_as_code.provider.exchange import Answer, Fault, Request
from runs_as_code.provider.shape import WRONG_ADDRESS_HINT, not_json
from runs_as_code.provider.text import one_line

MESSAGE_LIMIT = 300
REQUEST_TIMEOUT = 408
# The status of this conflict was seen nowhere, only its text [CLI]; so the text decides [J].
CONFLICT = re.compile(r"conflicting run id:\s*(\d{1,18})\W*$", re.IGNORECASE)
CONFLICT_STATUSES = frozenset({400, 403, 409, 422})
LOOK_HINT = "look at the project before trying again: the request may have run"


def fault_error(request: Request, fault: Fault, address: Address) -> QarunError:
    """Return the error for a request that got no answer."""
    text = f"{fault.text} (`{request.label}` at `{address.name}`)"
    if request.is_write and fault.was_sent:
        return UnknownOutcomeError(text, hint=LOOK_HINT)
    return UnreachableError(text, hint=fault.hint)


def answer_error(request: Request, answer: Answer, address: Address) -> QarunError:
    """Return the error for an answer that is not a success."""
    if answer.is_throttled:
        return UnreachableError(
            f"`{address.name}` keeps answering 429, too many requests (`{request.label}`)",
            hint="another pipeline may use the same key at the same time; try again later",
        )
    if answer.status < 400 or answer.status >= 500 or answer.status == REQUEST_TIMEOUT:  # noqa: PLR2004 -- the class of statuses itself
        return _not_answered(request, answer, address)
    return _refused(request, answer, address)


def unknown_outcome(error: QarunError) -> UnknownOutcomeError:
    """Return the error for a write whose answer can't be trusted."""
    return UnknownOutcomeError(error.message, hint=LOOK_HINT)


def _not_answered(request: Request, answer: Answer, address: Address) -> QarunError:
    hint = ""
    if 300 <= answer.status < 400:  # noqa: PLR2004 -- the class of statuses itself
        text = f"`{address.name}` redirects to `{_target(answer)}`, which is not followed"
        hint = "write the address that it redirects to, if you trust it, as the server"
    else:
        text = f"`{address.name}` answered {answer.status}: {_message(answer)}"
    text += f" (`{request.label}`)"
    if request.is_write:
        return UnknownOutcomeError(text, hint=LOOK_HINT)
    return BadResponseError(text, hint=hint) if hint else UnreachableError(text)


def _refused(request: Request, answer: Answer, address: Address) -> QarunError:
    message = _message(answer)
    holder = CONFLICT.search(message) if answer.status in CONFLICT_STATUSES else None
    if request.is_write and holder:
        return ConflictError(message, run_id=int(holder[1]))
    text = f"{message} (`{request.label}`)"
    if answer.status == 401:  # noqa: PLR2004 -- HTTP's own number
        return AccessError(
            f"`{address.name}` does not accept the key: {text}",
            hint="check `QAS_TOKEN`: it is missing, wrong, revoked, or made for another address",
        )
    if answer.status == 403:  # noqa: PLR2004 -- HTTP's own number
        return AccessError(
            f"`{address.name}` does not allow this: {text}", hint=_role_hint(request)
        )
    if answer.status != 404:  # noqa: PLR2004 -- HTTP's own number
        return RejectedError(f"`{address.name}` refused with {answer.status}: {text}")
    if not request.is_write and _json_message(answer) is None:
        error = not_json(request.label, answer.body)
        return BadResponseError(f"{error.message} (404)", hint=WRONG_ADDRESS_HINT)
    return NotFoundError(f"`{address.name}` found nothing: {text}")


def _role_hint(request: Request) -> str:
    role = "test-runner" if request.is_write else "viewer"
    return f"the owner of the key in `QAS_TOKEN` needs the role `{role}` or a stronger one"


def _message(answer: Answer) -> str:
    """Return the server's own words if it used the API's form, else the phrase of the status.

    The end counts most, for it names the conflicting run; so a long text is cut in its middle.
    """
    message = _json_message(answer)
    if not message:
        return one_line(answer.reason) or f"status {answer.status}"
    flat = " ".join(message.split())
    half = MESSAGE_LIMIT // 2
    short = flat if len(flat) <= MESSAGE_LIMIT else f"{flat[:half]} … {flat[-half:]}"
    return one_line(short, limit=8 * MESSAGE_LIMIT)  # an escape takes up to six characters


def _json_message(answer: Answer) -> str | None:
    """Return the `message` of a JSON body; None where the body is no JSON object."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    message = data.get("message")
    return message if isinstance(message, str) else ""


def _target(answer: Answer) -> str:
    try:
        host = urlsplit(answer.location or "").netloc.rsplit("@", 1)[-1]
    except ValueError:
        host = ""
    return one_line(host) or "another page of the same host"
