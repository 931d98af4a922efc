"""Introspection: an API that does not verify by itself asks whether a token counts, and what it says.

    access token   verified locally, revocations in memory; no look-up
    refresh token  opened (no I/O), then its session is looked up: only the live counter counts

Spec: RFC 7662 section 2.
"""

from __future__ import annotations

import hmac

from msgspec import Struct

from sekisho.errors import AccessTokenExpired, RefreshTokenInvalid, SessionRevoked, Unauthorized
from sekisho.model import AccountStatus
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.tokens.access_token import AccessClaims, AccessTokens
from sekisho.tokens.refresh_token import PREFIX as REFRESH_PREFIX
from sekisho.tokens.refresh_token import RefreshTokens


class IntrospectionWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    issuer: str


class LiveRefreshToken(Struct, frozen=True):
    """A refresh token that would rotate now. expires_at: milliseconds."""

    sub: str
    client_id: str
    session_id: str
    expires_at: int


class Inactive(Struct, frozen=True):
    """Not ours, over, revoked or spent: the caller is not told which."""


async def introspect(token: str, world: IntrospectionWorld) -> AccessClaims | LiveRefreshToken | Inactive:
    """Return what a token says if it counts now.

    Args:
        token: untrusted.
    """
    if token.startswith(REFRESH_PREFIX):
        return await _refresh_token(token, world)
    try:
        return world.access_tokens.verify(token, world.clock.now())
    except (Unauthorized, AccessTokenExpired, SessionRevoked):
        return Inactive()


async def _refresh_token(token: str, world: IntrospectionWorld) -> LiveRefreshToken | Inactive:
    try:
        presented = world.refresh_tokens.open(token)
    except RefreshTokenInvalid:
        return Inactive()
    found = await world.store.find_session_and_account(presented.session_id)
    if found is None:
        return Inactive()
    session, account = found
    expires_at = min(session.idle_expires_at, session.expires_at)
    is_live = (
        hmac.compare_digest(session.secret_hash, presented.secret_hash)
        and session.ended_at is None
        and world.clock.now() < expires_at
        and presented.counter >= session.counter
        and account.status is AccountStatus.ACTIVE
    )
    return LiveRefreshToken(account.id, session.client_id, session.id, expires_at) if is_live else Inactive()
