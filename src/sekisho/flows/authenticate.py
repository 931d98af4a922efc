"""Authenticate: who is asking, on a protected call.

    a bearer token   verified locally: signature, times, journal in memory; no look-up
    a session cookie opened (no I/O), then looked up; its idle time slides

Spec: RFC 6750 section 2.1 and 3; RFC 9068 section 4.
"""

from __future__ import annotations

import hmac

import structlog
from msgspec import Struct

from sekisho.anomalies import LastUse
from sekisho.anomalies.moves import Moves
from sekisho.errors import SessionRevoked, Unauthorized
from sekisho.model import AccountId, EndReason, Origin, Principal, Session, SessionId
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.sessions import Sessions
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.session_cookie import SessionCookies

log = structlog.get_logger("sekisho.authenticate")


class AuthenticateWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    access_tokens: AccessTokens
    session_cookies: SessionCookies
    sessions: Sessions
    moves: Moves


def authenticate_bearer(token: str, world: AuthenticateWorld) -> Principal:
    """Return the principal of an access token. No look-up: microseconds.

    Raises:
        Unauthorized: malformed, forged, or for somebody else.
        AccessTokenExpired: genuine but over; refresh and repeat.
        SessionRevoked: genuine, but its session has ended.
    """
    claims = world.access_tokens.verify(token, world.clock.now())
    return Principal(AccountId(claims.sub), SessionId(claims.sid), claims.client_id)


async def authenticate_cookie(value: str, seen_from: Origin, world: AuthenticateWorld) -> Principal:
    """Return the principal of a session cookie, and slide its idle time.

    Raises:
        Unauthorized: malformed, forged, unknown.
        SessionRevoked: genuine, but the session has ended or expired.
    """
    presented = world.session_cookies.open(value)
    session = await world.store.find_session(presented.session_id)
    if session is None or not hmac.compare_digest(session.secret_hash, presented.secret_hash):
        raise Unauthorized(detail="no such session")
    now = world.clock.now()
    if session.ended_at is not None or now >= min(session.idle_expires_at, session.expires_at):
        raise SessionRevoked(detail=session.end_reason or "expired")
    try:
        await world.sessions.touch(session, seen_from.ip)
    except StoreUnavailable:
        # Sliding is a courtesy: a disk that takes no writes must not sign out those who only read.
        log.warning("touch_postponed", session_id=session.id)
    if world.moves.has_moved(session, session.ip, seen_from.ip):
        await _look_at_move(session, seen_from, world)
    return Principal(session.account_id, session.id, session.client_id)


async def _look_at_move(session: Session, origin: Origin, world: AuthenticateWorld) -> None:
    account = await world.store.find_account(session.account_id)
    last = LastUse(session.ip, session.last_seen_at)
    if account and await world.moves.judge(session, account, last, origin, world.clock.now()) is None:
        raise SessionRevoked(detail=EndReason.MOVED_UNUSUALLY)
