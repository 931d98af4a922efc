"""Access tokens: signed statements that a session may act, verified without a look-up.

    verify:  signature -> issuer, audience -> times, key -> revocation

Spec: RFC 9068 (JWT profile for access tokens), RFC 8725.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict

from msgspec import UNSET, Struct, UnsetType, json

from sekisho.errors import AccessTokenExpired, SessionRevoked, Unauthorized
from sekisho.model import Account, Millis, Session
from sekisho.ports.clock import CLOCK_SKEW_MS
from sekisho.revocations import Revocations
from sekisho.rfc import base64url, jwt
from sekisho.rfc.jwt import NumericDate
from sekisho.tokens.signing_keys import KeyRing

TYP = "at+jwt"
OPTIONAL_CLAIMS = frozenset({"email", "roles"})
CACHE_SIZE = 4096

_JTI_BYTES = 16


class AccessToken(Struct, frozen=True):
    """A fresh token. expires_in: whole seconds."""

    token: str
    expires_in: int
    jti: str

    def __repr__(self) -> str:
        return f"AccessToken(jti={self.jti!r}, expires_in={self.expires_in})"


class AccessClaims(Struct, frozen=True, kw_only=True):
    """What a token says. Times are seconds since 1970. Other claims are passed over."""

    iss: str
    aud: str | tuple[str, ...]
    sub: str
    client_id: str
    sid: str
    iat: NumericDate
    nbf: NumericDate
    exp: NumericDate
    jti: str
    auth_time: NumericDate
    amr: tuple[str, ...]
    acr: str
    email: str | UnsetType = UNSET
    roles: tuple[str, ...] | UnsetType = UNSET


class _Known(Struct, frozen=True):
    """A token whose signature, issuer and audience were found good; times in milliseconds."""

    claims: AccessClaims
    kid: str
    not_before_at: Millis
    expires_at: Millis


_CLAIMS = json.Decoder(AccessClaims)


class AccessTokens:
    """Mints and verifies the access tokens of one issuer for one audience.

    Args:
        lifetime_s: the longest life; each token's is shorter by a random part of up to 5 %, so that clients
            which signed in together do not refresh together.
        extra_claims: any of `email`, `roles`. Anybody who sees a token can read them.
        cache_size: how many verified tokens are remembered.
    """

    __slots__ = (
        "_audience",
        "_cache",
        "_cache_size",
        "_issuer",
        "_keys",
        "_lifetime_s",
        "_revocations",
        "_signer",
        "_spread_s",
        "_with_email",
        "_with_roles",
    )

    def __init__(
        self,
        keys: KeyRing,
        revocations: Revocations,
        *,
        issuer: str,
        audience: str,
        lifetime_s: int,
        extra_claims: frozenset[str] = frozenset(),
        cache_size: int = CACHE_SIZE,
    ) -> None:
        if lifetime_s <= 0 or not extra_claims <= OPTIONAL_CLAIMS:
            raise ValueError("a lifetime above 0, and no extra claims but email and roles")
        self._keys = keys
        self._revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._lifetime_s = lifetime_s
        self._spread_s = lifetime_s // 20
        self._with_email = "email" in extra_claims
        self._with_roles = "roles" in extra_claims
        self._signer: jwt.Signer | None = None
        self._cache: OrderedDict[str, _Known] = OrderedDict()
        self._cache_size = cache_size

    def __len__(self) -> int:
        """How many verified tokens are remembered."""
        return len(self._cache)

    def mint(self, session: Session, account: Account, now: Millis) -> AccessToken:
        """Return a token for the session. It never outlives the session's absolute end."""
        random = secrets.token_bytes(_JTI_BYTES + 2)
        shorter_s = int.from_bytes(random[_JTI_BYTES:], "big") % (self._spread_s + 1)
        issued = now // 1000
        expires = max(issued, min(issued + self._lifetime_s - shorter_s, session.expires_at // 1000))
        claims = AccessClaims(
            iss=self._issuer,
            aud=self._audience,
            sub=account.id,
            client_id=session.client_id,
            sid=session.id,
            iat=issued,
            nbf=issued,
            exp=expires,
            jti=base64url.encode(random[:_JTI_BYTES]),
            auth_time=session.auth_time_at // 1000,
            amr=session.amr,
            acr=session.acr,
            email=account.email if self._with_email else UNSET,
            roles=account.roles if self._with_roles else UNSET,
        )
        return AccessToken(self._current_signer().sign(claims), expires - issued, claims.jti)

    def verify(self, token: str, now: Millis) -> AccessClaims:
        """Return the claims of a token that is good now.

        A verified token is remembered by its whole text. That spares the signature only: times, key and revocation
        are asked each time.

        Args:
            token: untrusted.

        Raises:
            Unauthorized: malformed, forged, not yet valid, or another's issuer, audience or type.
            AccessTokenExpired: genuine, but its time or its key's time is over, or the key is compromised.
            SessionRevoked: genuine and in time, but its session, client or the token itself was revoked.
        """
        known = self._cache.get(token)
        if known is None:
            known = self._verify_cold(token)
            self._remember(token, known)
        self._check_times(known, now)
        claims = known.claims
        if self._revocations.is_revoked(
            session_id=claims.sid, jti=claims.jti, client_id=claims.client_id, kid=known.kid
        ):
            raise SessionRevoked(detail="in the journal")
        return claims

    def _verify_cold(self, token: str) -> _Known:
        try:
            verified = jwt.verify(token, typ=TYP, find_key=self._keys.find, claims=_CLAIMS)
            claims = verified.claims
            not_before_at = max(jwt.milliseconds(claims.nbf), jwt.milliseconds(claims.iat))
            # A lifetime that was shortened holds for older tokens too: the journal forgets an ended session after it.
            expires_at = min(jwt.milliseconds(claims.exp), jwt.milliseconds(claims.iat) + self._lifetime_s * 1000)
            jwt.milliseconds(claims.auth_time)
        except jwt.JwtError as error:
            raise Unauthorized(detail=error.detail) from None
        if claims.iss != self._issuer:
            raise Unauthorized(detail="another issuer")
        if self._audience not in ((claims.aud,) if isinstance(claims.aud, str) else claims.aud):
            raise Unauthorized(detail="another audience")
        return _Known(claims, verified.kid, not_before_at, expires_at)

    def _check_times(self, known: _Known, now: Millis) -> None:
        # `exp` needs no such tolerance, being our own.
        if known.not_before_at > now + CLOCK_SKEW_MS:
            raise Unauthorized(detail="not yet valid")
        if now >= known.expires_at:
            raise AccessTokenExpired(detail="exp")
        if not self._keys.accepts(known.kid, now) or self._revocations.is_key_revoked(known.kid):
            raise AccessTokenExpired(detail="key no longer accepted")

    def _remember(self, token: str, known: _Known) -> None:
        self._cache[token] = known
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    def _current_signer(self) -> jwt.Signer:
        key = self._keys.active
        if self._signer is None or self._signer.key is not key:
            self._signer = jwt.Signer(key, TYP)
        return self._signer
