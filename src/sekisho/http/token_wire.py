"""Bodies of the calls about tokens that APIs and OAuth clients make: revocation, introspection, keys."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from sekisho.http.wire import Handle, Request, Token


class OAuthErrorView(Struct, frozen=True):
    """`error` is a code of RFC 6749 section 5.2 or RFC 7009 section 2.2.1; `error_description` is for developers, in
    English, in the characters that RFC 6749 allows."""

    error: str
    error_description: str


class TokenForm(Request, frozen=True):
    """A form's fields; unknown ones are passed over."""

    token: Token


class RevokeJtiBody(Request, frozen=True, forbid_unknown_fields=True):
    jti: Handle


class RevocationView(Struct, frozen=True):
    """kind: `sid`, `jti`, `client` or `key`. expires_at: when no token that it concerns can be alive any more."""

    seq: int
    kind: str
    value: str
    expires_at: str
    reason: str


class RevocationPageView(Struct, frozen=True):
    """What was revoked after `after`; go on at `next`, at once if there is more. Another `generation`: start over."""

    generation: str
    after: int
    next: int
    more: bool
    entries: list[RevocationView]


class IntrospectionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    active: bool
    token_type: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    aud: str | tuple[str, ...] | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    sid: str | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    nbf: int | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    jti: str | UnsetType = UNSET
    auth_time: int | UnsetType = UNSET
    amr: tuple[str, ...] | UnsetType = UNSET
    acr: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    roles: tuple[str, ...] | UnsetType = UNSET


class JwksView(Struct, frozen=True):
    keys: list[dict[str, str]]
