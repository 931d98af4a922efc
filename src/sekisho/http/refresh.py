"""Refresh over HTTP: the token from the body, or from the refresh cookie with CSRF."""

from __future__ import annotations

from sekisho.errors import RefreshTokenInvalid, ValidationError
from sekisho.flows.refresh import Refresh, refresh
from sekisho.http import cookies
from sekisho.http.answer import Answer
from sekisho.http.browser import held_refresh_cookies, held_session_cookies, pick, require_csrf
from sekisho.http.call import Call
from sekisho.http.transport import refreshed_answer
from sekisho.http.wire import RefreshBody
from sekisho.identifiers import parse_client_id


async def refresh_endpoint(call: Call) -> Answer:
    body = await call.body(RefreshBody, may_be_empty=True)
    request = _from_body(call, body) if body.refresh_token is not None else _from_cookie(call, body.client_id)
    return refreshed_answer(call, await refresh(request, call.edge.refresh))


def _from_body(call: Call, body: RefreshBody) -> Refresh:
    if body.client_id is None:
        raise ValidationError(details={"client_id": "required"}, detail="refresh token without client_id")
    client = parse_client_id(body.client_id)
    return Refresh(body.refresh_token or "", client.whole, call.origin, call.believed_session)


def _from_cookie(call: Call, client_id: str | None) -> Refresh:
    """Only the app part of client_id counts here: browsers lose their storage before their cookies."""
    app = parse_client_id(client_id).app if client_id is not None else None
    cookie = pick(held_refresh_cookies(call), call, app)
    if cookie is None:
        sent = cookies.apps_with(cookies.REFRESH, call.cookies, secure=call.edge.settings.secure)
        if sent if app is None else app in sent:
            raise RefreshTokenInvalid(detail="refresh cookie is not authentic")
        # A `session` cookie slides by itself: there is nothing to refresh.
        reason = {"transport": "not_available"} if held_session_cookies(call) else {"refresh_token": "required"}
        raise ValidationError(details=reason, detail="no refresh token, no refresh cookie")
    require_csrf(call)
    return Refresh(cookie.value, cookie.app, call.origin, call.believed_session)
