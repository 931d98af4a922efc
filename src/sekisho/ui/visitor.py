"""Whose page this is: the session cookie of the app that the visit means."""

from __future__ import annotations

from sekisho.errors import Refusal, SessionRevoked, Unauthorized
from sekisho.flows.authenticate import authenticate_cookie
from sekisho.http.answer import HeaderList
from sekisho.http.browser import HeldCookie, held_session_cookies, require_csrf, signed_out_cookies
from sekisho.identifiers import parse_client_id
from sekisho.model import Principal
from sekisho.ui.visit import Visit


def held_cookie(visit: Visit) -> HeldCookie | None:
    """Return the cookie of the app that is named, else of the usual app, else the only other one."""
    held = {cookie.app: cookie for cookie in held_session_cookies(visit)}
    app = parse_client_id(visit.client_id).app
    if visit.query_client_id or app in held:
        return held.get(app)
    return next(iter(held.values())) if len(held) == 1 else None


async def find_visitor(visit: Visit, refusal: Refusal | None = None) -> Principal | None:
    """Return who is signed in here, or None; also None where that is why the form was refused."""
    if refusal is not None and is_signed_out(refusal):
        return None
    try:
        return await _authenticated(visit)
    except (Unauthorized, SessionRevoked):
        return None


async def require_visitor(visit: Visit) -> Principal:
    """Return who sends a form.

    Raises:
        Unauthorized, SessionRevoked: nobody is signed in here any more.
        CsrfFailed: the form is stale, or another site's.
    """
    principal = await _authenticated(visit)
    require_csrf(visit)
    return principal


def forgotten(visit: Visit) -> HeaderList:
    """Return what takes the app's cookies away, once its session is over."""
    cookie = held_cookie(visit)
    return signed_out_cookies(visit, cookie.app) if cookie else ()


def is_signed_out(refusal: Refusal) -> bool:
    return isinstance(refusal, Unauthorized | SessionRevoked)


async def _authenticated(visit: Visit) -> Principal:
    cookie = held_cookie(visit)
    if cookie is None:
        raise Unauthorized(detail="no session cookie")
    return await authenticate_cookie(cookie.value, visit.origin, visit.edge.authenticate)
