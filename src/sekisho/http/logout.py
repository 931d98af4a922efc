"""Logout over HTTP: by refresh token, by bearer token, or by cookie with CSRF; and logout of all sessions."""

from __future__ import annotations

from sekisho.errors import SessionRevoked, ValidationError
from sekisho.flows.authenticate import authenticate_bearer
from sekisho.flows.logout import logout_all, logout_session, logout_token
from sekisho.http.answer import Answer, HeaderList, json_answer
from sekisho.http.browser import (
    HeldCookie,
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


async def logout_endpoint(call: Call) -> Answer:
    body = await call.body(LogoutBody, may_be_empty=True)
    if body.refresh_token is not None:
        await _logout_by_token(call, body)
        return _signed_out(call)
    token = call.bearer()
    if token is not None:
        await _logout_by_bearer(call, token)
        return _signed_out(call)
    cookie = _chosen_cookie(call, body.client_id)
    if cookie is None:
        # Nothing here to end: the wish is fulfilled already.
        return _signed_out(call)
    require_csrf(call)
    await logout_session(cookie.session_id, call.origin, call.edge.logout)
    return _signed_out(call, signed_out_cookies(call, cookie.app))


async def logout_all_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(LogoutAllBody, may_be_empty=True)
    ended = await logout_all(principal, call.origin, except_current=body.except_current, world=call.edge.logout)
    gone = () if body.except_current else signed_out_cookies(call, parse_client_id(principal.client_id).app)
    message = call.say("message.signed_out_everywhere", count=ended)
    return json_answer(EndedView(message=message, ended=ended), 200, gone)


async def _logout_by_token(call: Call, body: LogoutBody) -> None:
    if body.client_id is None:
        raise ValidationError(details={"client_id": "required"}, detail="refresh token without client_id")
    parse_client_id(body.client_id)
    await logout_token(body.refresh_token or "", call.origin, call.edge.logout)


async def _logout_by_bearer(call: Call, token: str) -> None:
    try:
        principal = authenticate_bearer(token, call.edge.authenticate)
    except SessionRevoked:
        return  # ended already: idempotent
    await logout_session(principal.session_id, call.origin, call.edge.logout)


def _chosen_cookie(call: Call, client_id: str | None) -> HeldCookie | None:
    app = parse_client_id(client_id).app if client_id is not None else None
    return pick([*held_refresh_cookies(call), *held_session_cookies(call)], call, app)


def _signed_out(call: Call, headers: HeaderList = ()) -> Answer:
    return json_answer(MessageView(call.say("message.signed_out")), 200, headers)
