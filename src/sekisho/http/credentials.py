"""Who is asking, on a protected call: a bearer token wins; else the session cookie, with CSRF where it is unsafe."""

from __future__ import annotations

from sekisho.errors import Unauthorized
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.http.browser import held_session_cookies, pick, require_csrf
from sekisho.http.call import Call
from sekisho.identifiers import parse_client_id
from sekisho.model import Principal

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


async def require_principal(call: Call) -> Principal:
    """Return the caller.

    Raises:
        Unauthorized: no credential, or one that is malformed, forged or unknown.
        AccessTokenExpired, SessionRevoked: see `flows.authenticate`.
        CsrfFailed: an unsafe request by cookie without a good value.
        SessionChanged: the cookie is of another session than `X-Sekisho-Session` says.
    """
    token = call.bearer()
    if token is not None:
        return authenticate_bearer(token, call.edge.authenticate)
    named = call.query_client_id
    cookie = pick(held_session_cookies(call), call, parse_client_id(named).app if named else None)
    if cookie is None:
        raise Unauthorized(detail="no credential")
    if call.scope["method"] not in SAFE_METHODS:
        require_csrf(call)
    return await authenticate_cookie(cookie.value, call.origin, call.edge.authenticate)
