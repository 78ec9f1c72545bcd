"""Blots out the key wherever a server repeats it, so that whatever quotes a reply can't leak it."""

import re

from runs_as_code.provider.shape import Body

SHORTEST_SECRET = 8  # a shorter one would blot out words
REDACTED = b"[redacted]"

# JSON can spell a character as a number. Escapes are read one after the other, so that the
# backslash of an escaped backslash begins none.
_SPELLED = re.compile(rb"\\u00[2-7][0-9A-Fa-f]|\\/")
_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|(.))", re.DOTALL)
_MEANT = frozenset(b'"\\')


class Redactor:
    """Knows one secret and takes it out of what was received."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret.encode() if secret and len(secret) >= SHORTEST_SECRET else b""

    def body(self, received: Body) -> Body:
        """Return a body without the secret, be it spelled as JSON may spell it."""
        if not self._secret:
            return received
        plain = received.replace(self._secret, REDACTED)
        if _SPELLED.search(plain) is None:
            return plain
        return _ESCAPE.sub(_spell_out, plain).replace(self._secret, REDACTED)

    def text(self, received: str) -> str:
        """Return a header or a phrase without the secret."""
        return (
            received.replace(self._secret.decode(), REDACTED.decode()) if self._secret else received
        )


def _spell_out(found: re.Match[bytes]) -> bytes:
    """Return the character an escape stands for, or the escape where it must stay one."""
    if found[1] is None:
        return b"/" if found[2] == b"/" else found[0]
    code = int(found[1], 16)
    return found[0] if code in _MEANT else bytes((code,))
