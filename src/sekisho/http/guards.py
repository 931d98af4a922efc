"""Calls of guards: they show a guard's key as bearer token, and no browser ever makes them.

The OAuth endpoints take it as a client's secret too, for libraries that speak these specifications and know nothing of
ours: the key's name (or id) is the client.

Spec: RFC 6749 section 2.3.1, RFC 7617 (HTTP Basic).
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from urllib.parse import unquote_plus

from sekisho.errors import Unauthorized
from sekisho.http.call import Call
from sekisho.model import GuardKey

MAX_CREDENTIALS_CHARS = 1024


async def require_guard(call: Call) -> GuardKey:
    """Return the key of the guard that calls.

    Raises:
        Unauthorized: none, or one that is forged or was removed.
    """
    text = call.bearer()
    if text is None:
        raise Unauthorized(detail="no guard key")
    return await call.edge.guards.keys.verify(text)


async def require_client(call: Call) -> GuardKey:
    """As `require_guard`, and by HTTP Basic too.

    Raises:
        Unauthorized: see there; also a good key under another name.
    """
    header = call.header(b"authorization")
    if header is None or header[:6].lower() != "basic ":
        return await require_guard(call)
    name, secret = _credentials(header[6:].strip())
    key = await call.edge.guards.keys.verify(secret)
    if not any(hmac.compare_digest(name.encode(), own.encode()) for own in (key.name, key.id)):
        raise Unauthorized(detail="the guard key has another name")
    return key


def _credentials(text: str) -> tuple[str, str]:
    if len(text) > MAX_CREDENTIALS_CHARS:
        raise Unauthorized(detail="basic credentials too long")
    try:
        name, _, secret = b64decode(text, validate=True).decode("utf-8").partition(":")
    except ValueError:
        raise Unauthorized(detail="no basic credentials") from None
    # Both are form-encoded before they are put together.
    return unquote_plus(name), unquote_plus(secret)
