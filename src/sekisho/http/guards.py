"""Calls of guards: they show a guard's key as bearer token, and no browser ever makes them."""

from __future__ import annotations

from sekisho.errors import Unauthorized
from sekisho.http.call import Call
from sekisho.model import GuardKey


async def require_guard(call: Call) -> GuardKey:
    """Return the key of the guard that calls.

    Raises:
        Unauthorized: none, or one that is forged or was removed.
    """
    text = call.bearer()
    if text is None:
        raise Unauthorized(detail="no guard key")
    return await call.edge.guards.keys.verify(text)
