"""Revocation: an API takes back a token that it was shown, or one access token by its `jti`.

    access token   its `jti` is journaled; the session goes on, the client refreshes
    refresh token  its session ends
    another of our kinds: refused, so that nobody believes it taken back
    anything else  nothing to take back, and no error

Spec: RFC 7009 section 2.
"""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import (
    AccessTokenExpired,
    RefreshTokenInvalid,
    SessionRevoked,
    Unauthorized,
    UnsupportedTokenType,
    ValidationError,
)
from sekisho.model import EndReason, GuardKey, Origin
from sekisho.ports.changes import AppendAudit, AppendJournal
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.guard_key import PREFIX as GUARD_PREFIX
from sekisho.tokens.refresh_token import PREFIX as REFRESH_PREFIX
from sekisho.tokens.refresh_token import RefreshTokens
from sekisho.tokens.reset_token import PREFIX as RESET_PREFIX
from sekisho.tokens.session_cookie import PREFIX as SESSION_PREFIX

REASON = "token_revoked"
OTHER_PREFIXES = (SESSION_PREFIX, GUARD_PREFIX, RESET_PREFIX)
_JTI = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RevocationWorld(Struct, frozen=True, kw_only=True):
    """journal_ms: how long an access token may live at most."""

    store: Store
    clock: Clock
    sessions: Sessions
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    journal_ms: int


async def revoke_token(token: str, guard: GuardKey, seen_from: Origin, world: RevocationWorld) -> None:
    """Take back a token, whichever kind it is. Idempotent; a token that does not count is no error.

    Raises:
        UnsupportedTokenType: a session cookie, a guard's key or a reset token, by its first letters: no look-up.
    """
    if token.startswith(OTHER_PREFIXES):
        raise UnsupportedTokenType(detail="neither access nor refresh token")
    if token.startswith(REFRESH_PREFIX):
        try:
            presented = world.refresh_tokens.open(token)
        except RefreshTokenInvalid:
            return
        now = world.clock.now()
        await world.store.apply(world.sessions.ending(presented.session_id, EndReason.LOGOUT, seen_from, now))
        return
    try:
        claims = world.access_tokens.verify(token, world.clock.now())
    except (Unauthorized, AccessTokenExpired, SessionRevoked):
        return
    await revoke_jti(claims.jti, guard, seen_from, world)


async def revoke_jti(jti: str, guard: GuardKey, seen_from: Origin, world: RevocationWorld) -> None:
    """Take back the one access token of this `jti`, everywhere within a second. Idempotent.

    Raises:
        ValidationError: `jti: invalid_characters`; no token of ours has such a one.
    """
    if _JTI.fullmatch(jti) is None:
        raise ValidationError(details={"jti": "invalid_characters"}, detail="jti")
    now = world.clock.now()
    line = record(Event.TOKEN_REVOKED, SUCCESS, at=now, origin=seen_from, subject=guard.id, actor="guard")
    await world.store.apply(
        AppendJournal(kind="jti", value=jti, expires_at=now + world.journal_ms, reason=REASON),
        AppendAudit(record=line),
    )
