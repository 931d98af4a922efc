"""Refresh over HTTP: the token from the body, or from the refresh cookie with CSRF."""

from __future__ import annotations

from sekisho.errors import RefreshTokenInvalid, Refusal, ValidationError
from sekisho.flows.refresh import Refresh, refresh
from sekisho.http import cookies
from sekisho.http.answer import Answer
from sekisho.http.browser import held_refresh_cookies, held_session_cookies, pick, require_csrf, require_good_source
from sekisho.http.call import Call
from sekisho.http.transport import refreshed_answer
from sekisho.http.wire import RefreshBody
from sekisho.identifiers import parse_client_id
from sekisho.model import Transport


async def refresh_endpoint(call: Call) -> Answer:
    body = await call.body(RefreshBody, may_be_empty=True)
    if body.refresh_token is None:
        return await _refresh_by_cookie(call, body.client_id)
    return await _refresh_by_body(call, body.refresh_token, body.client_id)


async def _refresh_by_body(call: Call, token: str, client_id: str | None) -> Answer:
    """A `cookie` session stays one, whatever is asked: its answer sets the cookie, so it needs a page of ours."""
    if client_id is None:
        raise ValidationError(details={"client_id": "required"}, detail="refresh token without client_id")
    client = parse_client_id(client_id)
    pair = await refresh(Refresh(token, client.whole, call.origin, call.believed_session), call.edge.refresh)
    if pair.session.transport is not Transport.BODY and call.is_from_browser:
        require_good_source(call)
    return refreshed_answer(call, pair)


async def _refresh_by_cookie(call: Call, client_id: str | None) -> Answer:
    """Only the app part of client_id counts here: browsers lose their storage before their cookies."""
    app = parse_client_id(client_id).app if client_id is not None else None
    cookie = pick(held_refresh_cookies(call), call, app)
    if cookie is None:
        raise _nothing_to_refresh(call, app)
    require_csrf(call)
    pair = await refresh(Refresh(cookie.value, cookie.app, call.origin, call.believed_session), call.edge.refresh)
    if pair.session.transport is not Transport.COOKIE:
        # Somebody planted the token of an app's session here: its successor must not come out readable.
        raise RefreshTokenInvalid(detail="token of another transport in the refresh cookie")
    return refreshed_answer(call, pair)


def _nothing_to_refresh(call: Call, app: str | None) -> Refusal:
    """Say what is missing: to an app the field, to a page that its session is over (its cookie is gone or forged)."""
    if held_session_cookies(call):
        # A `session` cookie slides by itself.
        return ValidationError(details={"transport": "not_available"}, detail="refresh under transport session")
    sent = cookies.apps_with(cookies.REFRESH, call.cookies, secure=call.edge.settings.secure)
    if sent if app is None else app in sent:
        return RefreshTokenInvalid(detail="refresh cookie is not authentic")
    if call.is_from_browser:
        return RefreshTokenInvalid(detail="no refresh cookie")
    return ValidationError(details={"refresh_token": "required"}, detail="no refresh token, no refresh cookie")
