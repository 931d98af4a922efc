"""Logout: end this session, or all of the account's.

    open what was presented (no I/O) -> end the session in one commit with its journal entry

Any authentic refresh token of the session will do, whatever its counter: somebody who wants out gets out.
Ending what has ended is no error.

Spec: RFC 7009 section 2 (an invalid token is no error).
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import RefreshTokenInvalid, Unauthorized
from sekisho.model import EndReason, Millis, Origin, Principal, SessionId
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.ports.trust_changes import ForgetTrustedDevices
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


async def logout_all(
    principal: Principal,
    seen_from: Origin,
    *,
    except_current: bool,
    world: LogoutWorld,
    forget_devices: bool = False,
) -> int:
    """End every session of the account, or every other one; return how many ended. With `forget_devices` no device is
    trusted any more, this one neither."""
    now = world.clock.now()
    outcome = await world.store.apply(
        world.sessions.ending_all(
            principal.account_id,
            EndReason.LOGOUT_ALL,
            seen_from,
            now,
            except_id=principal.session_id if except_current else None,
        ),
        *(_forgetting(principal, seen_from, now) if forget_devices else ()),
    )
    return int(outcome.results[0])


def _forgetting(principal: Principal, seen_from: Origin, now: Millis) -> tuple[Change, ...]:
    line = record(
        Event.DEVICE_FORGOTTEN,
        SUCCESS,
        at=now,
        origin=seen_from,
        account_id=principal.account_id,
        session_id=principal.session_id,
        client_id=principal.client_id,
    )
    return ForgetTrustedDevices(account_id=principal.account_id), AppendAudit(record=line)
