"""Access tokens, read strictly: signature, type, issuer and audience. What changes with time is checked elsewhere.

Spec: RFC 9068 (JWT profile for access tokens), RFC 8725.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import UNSET, Struct, UnsetType, json

from sekisho.errors import Unauthorized
from sekisho.guard.principal import Claims, Principal
from sekisho.rfc import jwt
from sekisho.rfc.jwt import NumericDate
from sekisho.rfc.keys import VerificationKey

TYP = "at+jwt"


class Known(Struct, frozen=True, gc=False):
    """A token whose signature, issuer and audience were found good. Times in seconds since 1970; `app` is the part of
    the client_id before the colon."""

    principal: Principal
    kid: str
    app: str
    not_before: float
    expires: float


class _Claims(Struct, frozen=True, kw_only=True, gc=False):
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
    roles: tuple[str, ...] | UnsetType = UNSET
    scope: str | UnsetType = UNSET


_CLAIMS = json.Decoder(_Claims)
_NONE: frozenset[str] = frozenset()


def read_token(
    token: str,
    *,
    find_key: Callable[[str], VerificationKey],
    issuer: str,
    audience: str,
    permissions: Mapping[str, frozenset[str]],
) -> Known:
    """Return what a genuine token says.

    Args:
        token: untrusted.
        find_key: as for `rfc.jwt.verify`.

    Raises:
        jwt.UnknownKey: no key of its kid is known; nothing else about it was looked at.
        Unauthorized: malformed, forged, or another's type, issuer or audience.
    """
    try:
        verified = jwt.verify(token, typ=TYP, find_key=find_key, claims=_CLAIMS)
        claims = verified.claims
        not_before = max(jwt.milliseconds(claims.nbf), jwt.milliseconds(claims.iat)) / 1000
        expires = jwt.milliseconds(claims.exp) / 1000
        auth_time = jwt.milliseconds(claims.auth_time) // 1000
    except jwt.UnknownKey:
        raise
    except jwt.JwtError as error:
        raise Unauthorized(detail=error.detail) from None
    if claims.iss != issuer:
        raise Unauthorized(detail="another issuer")
    if audience not in ((claims.aud,) if isinstance(claims.aud, str) else claims.aud):
        raise Unauthorized(detail="another audience")
    roles = _NONE if isinstance(claims.roles, UnsetType) else frozenset(claims.roles)
    principal = Principal(
        sub=claims.sub,
        client_id=claims.client_id,
        session_id=claims.sid,
        scopes=_NONE if isinstance(claims.scope, UnsetType) else frozenset(claims.scope.split()),
        roles=roles,
        permissions=allowed_by(roles, permissions),
        amr=claims.amr,
        acr=claims.acr,
        auth_time=auth_time,
        expires_at=int(expires),
        token_id=claims.jti,
        claims=Claims(token),
    )
    return Known(principal, verified.kid, claims.client_id.partition(":")[0], not_before, expires)


def allowed_by(roles: frozenset[str], permissions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return what the roles allow together. A role that the table does not know allows nothing."""
    if not permissions or not roles:
        return _NONE
    return frozenset().union(*(permissions.get(role, frozenset()) for role in roles))
