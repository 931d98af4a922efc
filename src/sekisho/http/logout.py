"""Logout over HTTP: by refresh token, by bearer token, or by cookie with CSRF; and logout of all sessions."""

from __future__ import annotations

from sekisho.errors import SessionRevoked, ValidationError
from sekisho.flows.authenticate import authenticate_bearer
from sekisho.flows.logout import logout_all, logout_cookie, logout_session, logout_token
from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import (
    cookies_of_ended,
    held_refresh_cookies,
    held_session_cookies,
    pick,
    require_csrf,
    signed_out_cookies,
)
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import EndedView, LogoutAllBody, LogoutBody, MessageView
from sekisho.identifiers import parse_client_id
from sekisho.model import SessionId, Transport


async def logout_endpoint(call: Call) -> Answer:
    body = await call.body(LogoutBody, may_be_empty=True)
    if body.refresh_token is not None:
        ended = await _logout_by_token(call, body)
    elif (token := call.bearer()) is not None:
        ended = await _logout_by_bearer(call, token)
    else:
        ended = await _logout_by_cookie(call, body)
    # A browser that logs out with a token still holds the cookies of that session: they go with it.
    return json_answer(MessageView(call.say("message.signed_out")), 200, cookies_of_ended(call, ended))


async def logout_all_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(LogoutAllBody, may_be_empty=True)
    ended = await logout_all(
        principal,
        call.origin,
        except_current=body.except_current,
        forget_devices=body.forget_devices,
        world=call.edge.logout,
    )
    gone = () if body.except_current else signed_out_cookies(call, parse_client_id(principal.client_id).app)
    message = call.say("message.signed_out_everywhere", count=ended)
    return json_answer(EndedView(message=message, ended=ended), 200, gone)


async def _logout_by_token(call: Call, body: LogoutBody) -> SessionId | None:
    if body.client_id is None:
        raise ValidationError(details={"client_id": "required"}, detail="refresh token without client_id")
    parse_client_id(body.client_id)
    return await logout_token(body.refresh_token or "", call.origin, call.edge.logout)


async def _logout_by_bearer(call: Call, token: str) -> SessionId | None:
    try:
        principal = authenticate_bearer(token, call.edge.authenticate)
    except SessionRevoked:
        return None  # ended already: idempotent
    await logout_session(principal.session_id, call.origin, call.edge.logout)
    return principal.session_id


async def _logout_by_cookie(call: Call, body: LogoutBody) -> SessionId | None:
    """Without any cookie there is nothing to end: the wish is fulfilled already."""
    app = parse_client_id(body.client_id).app if body.client_id is not None else None
    cookie = pick([*held_refresh_cookies(call), *held_session_cookies(call)], call, app)
    if cookie is None:
        return None
    require_csrf(call)
    logout = logout_cookie if cookie.transport is Transport.SESSION else logout_token
    return await logout(cookie.value, call.origin, call.edge.logout)
