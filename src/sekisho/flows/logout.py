"""Logout: end this session, or all of the account's.

    open what was presented (no I/O) -> end the session in one commit with its journal entry

Any authentic refresh token of the session will do, whatever its counter: somebody who wants out gets out.
Ending what has ended is no error.

Spec: RFC 7009 section 2 (an invalid token is no error).
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import RefreshTokenInvalid, Unauthorized
from sekisho.model import EndReason, Origin, Principal, SessionId
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies


class LogoutWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    sessions: Sessions
    refresh_tokens: RefreshTokens
    session_cookies: SessionCookies


async def logout_token(refresh_token: str, seen_from: Origin, world: LogoutWorld) -> SessionId | None:
    """End the session of a refresh token and return its id. A token that is not authentic ends nothing and is no
    error: None."""
    try:
        presented = world.refresh_tokens.open(refresh_token)
    except RefreshTokenInvalid:
        return None
    await logout_session(presented.session_id, seen_from, world)
    return presented.session_id


async def logout_cookie(session_cookie: str, seen_from: Origin, world: LogoutWorld) -> SessionId | None:
    """End the session of a session cookie and return its id; as `logout_token` where it is not authentic."""
    try:
        presented = world.session_cookies.open(session_cookie)
    except Unauthorized:
        return None
    await logout_session(presented.session_id, seen_from, world)
    return presented.session_id


async def logout_session(session_id: SessionId, seen_from: Origin, world: LogoutWorld) -> None:
    """End the session that an authentic credential names. Idempotent.

    The MAC is enough here: whoever holds a token of the session that we made may end it, whatever its counter.
    """
    now = world.clock.now()
    await world.store.apply(world.sessions.ending(session_id, EndReason.LOGOUT, seen_from, now))


async def logout_all(principal: Principal, seen_from: Origin, *, except_current: bool, world: LogoutWorld) -> int:
    """End every session of the account, or every other one; return how many ended."""
    now = world.clock.now()
    outcome = await world.store.apply(
        world.sessions.ending_all(
            principal.account_id,
            EndReason.LOGOUT_ALL,
            seen_from,
            now,
            except_id=principal.session_id if except_current else None,
        )
    )
    return int(outcome.results[0])
