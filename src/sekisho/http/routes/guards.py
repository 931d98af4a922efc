"""The routes of the services behind this one: what was revoked, what a token says, and taking one back."""

from __future__ import annotations

from sekisho import errors
from sekisho.http import introspection, revocation, revocations, token_wire, wire
from sekisho.http.routes.route import API, GUARD, Route

GUARDS: tuple[Route, ...] = (
    Route(
        method="GET",
        path=f"{API}/revocations",
        endpoint=revocations.revocations_endpoint,
        summary="What was revoked, in commit order, page by page",
        query={"after": "The number after which to go on; 0 is the whole."},
        callers=GUARD,
        answer=token_wire.RevocationPageView,
    ),
    Route(
        method="GET",
        path=f"{API}/revocations/stream",
        endpoint=revocations.revocation_stream_endpoint,
        summary="What is revoked, as server-sent events",
        query={"after": "The number after which to go on; 0 is the whole."},
        callers=GUARD,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/introspect",
        endpoint=introspection.introspection_endpoint,
        summary="Whether a token counts, and what it says (RFC 7662)",
        callers=GUARD,
        body=token_wire.TokenForm,
        is_oauth=True,
        answer=token_wire.IntrospectionView,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/revoke",
        endpoint=revocation.revocation_endpoint,
        summary="Take back a token (RFC 7009)",
        callers=GUARD,
        body=token_wire.TokenForm,
        is_oauth=True,
        answer=wire.MessageView,
        refusals=(errors.UnsupportedTokenType,),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/tokens/revoke",
        endpoint=revocation.revoke_jti_endpoint,
        summary="Take back one access token by its jti",
        callers=GUARD,
        body=token_wire.RevokeJtiBody,
        answer=wire.MessageView,
    ),
)
