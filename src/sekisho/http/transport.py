"""How tokens travel: what a sign-in brings along and what an answer hands over, per transport."""

from __future__ import annotations

from msgspec import UNSET, Struct

from sekisho.http.answer import Answer, json_answer
from sekisho.http.browser import (
    credential_cookie,
    origin_with_device,
    replaced_session,
    require_csrf,
    shown_trust,
    signed_in_cookies,
)
from sekisho.http.call import Call
from sekisho.http.factor_wire import SecondFactorRequiredView
from sekisho.http.wire import PairView, user_view
from sekisho.identifiers import parse_client_id
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.model import Origin, SessionId, Transport
from sekisho.sessions import TokenPair


class SignIn(Struct, frozen=True):
    """What the edge knows about a sign-in before the flow: where it comes from, which session it replaces, and what the
    device shows if it was trusted ("" for none)."""

    app: str
    origin: Origin
    replaces: SessionId | None
    trusted: str


def begin_sign_in(call: Call, client_id: str, transport: Transport, device_token: str = "") -> SignIn:
    """Check what must hold before a sign-in over `transport`. `device_token` stood in the body; a browser has a cookie.

    Raises:
        CsrfFailed: cookies would be set for a request that our page did not send (login CSRF).
        ValidationError: the client_id has no good form.
    """
    app = parse_client_id(client_id).app
    if transport is Transport.BODY:
        return SignIn(app, call.origin, None, device_token)
    require_csrf(call)
    return SignIn(app, origin_with_device(call), replaced_session(call, app), device_token or shown_trust(call, app))


def signed_in_answer(call: Call, pair: TokenPair, begun: SignIn, message: str, status: int) -> Answer:
    """Return the answer of a sign-in: message, pair and user; for the cookie transports the cookies too."""
    view = _pair_view(pair, message=call.say(message), with_user=True)
    if pair.session.transport is Transport.BODY:
        return json_answer(view, status)
    return json_answer(view, status, signed_in_cookies(call, pair, begun.app, begun.origin.device_token))


def asked_answer(call: Call, asked: SecondFactorRequired) -> Answer:
    """Return the answer of a sign-in that waits for its second step: no token, no cookie."""
    methods = tuple(method.value for method in asked.methods)
    return json_answer(
        SecondFactorRequiredView(
            challenge=asked.challenge,
            methods=methods,
            expires_in=asked.expires_in,
            trust_days=asked.trust_days or UNSET,
            suspended=tuple(method.value for method in asked.suspended) or UNSET,
        )
    )


def renewed_answer(pair: TokenPair) -> Answer:
    """Return the answer of a step-up: the session goes on with the refresh token or cookie that it has."""
    view = PairView(
        expires_in=pair.expires_in,
        access_token=pair.access_token or UNSET,
        token_type="Bearer" if pair.access_token else UNSET,
        acr_required=pair.acr_required or UNSET,
        user=user_view(pair.account),
    )
    return json_answer(view)


def refreshed_answer(call: Call, pair: TokenPair) -> Answer:
    """Return the answer of a refresh, by the transport that the session was started with."""
    view = _pair_view(pair)
    if pair.session.transport is Transport.BODY:
        return json_answer(view)
    app = parse_client_id(pair.session.client_id).app
    return json_answer(view, 200, credential_cookie(call, pair, app))


def _pair_view(pair: TokenPair, *, message: str = "", with_user: bool = False) -> PairView:
    in_body = pair.session.transport is Transport.BODY
    return PairView(
        expires_in=pair.expires_in,
        message=message or UNSET,
        access_token=pair.access_token or UNSET,
        refresh_token=pair.credential if in_body else UNSET,
        token_type="Bearer" if pair.access_token else UNSET,
        acr_required=pair.acr_required or UNSET,
        device_token=(pair.device_token if in_body else "") or UNSET,
        user=user_view(pair.account) if with_user else UNSET,
    )
