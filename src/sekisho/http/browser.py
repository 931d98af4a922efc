"""The browser's side of a call: which session its cookies hold, the CSRF check, and what it is given back."""

from __future__ import annotations

import hmac
import secrets

from msgspec import structs

from sekisho.errors import CsrfFailed, RefreshTokenInvalid, SessionChanged, Unauthorized, ValidationError
from sekisho.http import cookies
from sekisho.http.answer import HeaderList
from sekisho.http.call import Call
from sekisho.http.csrf_values import is_good_source
from sekisho.model import Discreet, Origin, SessionId, Transport
from sekisho.sessions import TokenPair

PRE_SESSION_LIMIT = 64
TRUST_LIMIT = 64


class HeldCookie(Discreet, frozen=True):
    """A cookie of ours that is authentic (its MAC was checked; whether the session lives is not known yet)."""

    app: str
    value: str
    session_id: SessionId
    transport: Transport


def held_refresh_cookies(call: Call) -> list[HeldCookie]:
    return _held(call, cookies.REFRESH)


def held_session_cookies(call: Call) -> list[HeldCookie]:
    return _held(call, cookies.SESSION)


def pick(held: list[HeldCookie], call: Call, app: str | None) -> HeldCookie | None:
    """Return the cookie that this call means: of `app` if one is named, of the believed session if several
    apps share the host, or the only one. None if there is none.

    Raises:
        SessionChanged: the app's cookie belongs to another session than the client believes in.
        ValidationError: several apps have cookies here and nothing says which is meant.
    """
    believed = call.believed_session
    mine = [cookie for cookie in held if app is None or cookie.app == app]
    if believed is not None and mine:
        for cookie in mine:
            if cookie.session_id == believed:
                return cookie
        raise SessionChanged(detail="cookie of another session than believed")
    if len(mine) > 1:
        raise ValidationError(details={"client_id": "required"}, detail="several apps' cookies on this host")
    return mine[0] if mine else None


def require_csrf(call: Call) -> None:
    """Let an unsafe request pass that cookies authorise, or that will set cookies.

    Raises:
        CsrfFailed: foreign source, or a missing or stale value; `details.csrf_token` is a fresh one, which the
            refusal's answer also sets as the cookie.
    """
    require_good_source(call)
    csrf = call.edge.csrf
    sent = call.header(csrf.header_key) or ""
    in_cookie = call.cookies.get(csrf.cookie_name, "")
    same = hmac.compare_digest(sent.encode("latin-1"), in_cookie.encode("latin-1"))
    if not same or not csrf.is_bound(sent, _bindings(call)):
        raise CsrfFailed(detail="csrf value missing or stale")


def require_good_source(call: Call) -> None:
    """Let a request pass that comes from a page of ours.

    Raises:
        CsrfFailed: a foreign `Origin`, or none and no `Sec-Fetch-Site: same-origin`.
    """
    settings = call.edge.settings
    if not is_good_source(
        call.header(b"origin"),
        call.header(b"sec-fetch-site"),
        public_origin=settings.public_origin,
        allowed=settings.allowed_origins,
        any_localhost=settings.any_localhost,
    ):
        raise CsrfFailed(detail="foreign or missing Origin")


def csrf_value(call: Call) -> tuple[str, HeaderList]:
    """Return the value that this browser should send, and the cookies that go with it. A good value is kept, so
    that other tabs are not disturbed; else a new one is made, before sign-in for a new pre-session."""
    csrf, secure = call.edge.csrf, call.edge.settings.secure
    in_cookie = call.cookies.get(csrf.cookie_name, "")
    bindings = _bindings(call)
    if csrf.is_bound(in_cookie, bindings):
        return in_cookie, (_csrf_cookie(call, in_cookie),)
    if bindings:
        value = csrf.new_value(bindings[0])
        return value, (_csrf_cookie(call, value),)
    pre_session = secrets.token_urlsafe(24)
    value = csrf.new_value(pre_session)
    name = cookies.pre_session_cookie_name(secure=secure)
    return value, (
        cookies.write(name, pre_session, secure=secure, max_age_s=cookies.YEAR_S),
        _csrf_cookie(call, value),
    )


def replaced_session(call: Call, app: str) -> SessionId | None:
    """Return the session that this browser holds for `app` until now: a new sign-in takes its place."""
    for cookie in (*held_refresh_cookies(call), *held_session_cookies(call)):
        if cookie.app == app:
            return cookie.session_id
    return None


def origin_with_device(call: Call) -> Origin:
    """Return the call's origin with a device token; a browser that has none yet is given a new one."""
    origin = call.origin
    return origin if origin.device_token else structs.replace(origin, device_token=secrets.token_urlsafe(24))


def shown_trust(call: Call, app: str) -> str:
    """Return what this browser shows if it is trusted with this app; untrusted, "" if there is nothing."""
    name = cookies.trust_cookie_name(app, secure=call.edge.settings.secure)
    return call.cookies.get(name, "")[:TRUST_LIMIT]


def signed_in_cookies(call: Call, pair: TokenPair, app: str, device_token: str) -> HeaderList:
    """Return the cookies of a new session: its credential, a new CSRF value, the device mark, and that the device
    is trusted if it now is; the pre-session and the same app's cookie of the other transport go."""
    csrf, secure = call.edge.csrf, call.edge.settings.secure
    gone = _name(app, Transport.COOKIE if pair.session.transport is Transport.SESSION else Transport.SESSION, secure)
    headers = [
        *credential_cookie(call, pair, app),
        _csrf_cookie(call, csrf.new_value(pair.session.id)),
        cookies.write_device(device_token, secure=secure),
    ]
    if pair.device_token:
        name = cookies.trust_cookie_name(app, secure=secure)
        headers.append(cookies.write(name, pair.device_token, secure=secure, max_age_s=pair.trusted_for_s))
    for name in (gone, cookies.pre_session_cookie_name(secure=secure)):
        if name in call.cookies:
            headers.append(cookies.write(name, "", secure=secure, max_age_s=0))
    return tuple(headers)


def credential_cookie(call: Call, pair: TokenPair, app: str) -> HeaderList:
    """Return the cookie that carries a pair's credential.

    A refresh cookie is written anew at each refresh and lasts the idle time. A session cookie is written once, so it
    lasts to the session's absolute end; that it was not used for too long is for the server to know.
    """
    session, secure = pair.session, call.edge.settings.secure
    ends_at = session.expires_at if session.transport is Transport.SESSION else session.idle_expires_at
    max_age_s = max(0, ends_at - session.last_seen_at) // 1000
    name = _name(app, session.transport, secure)
    return (cookies.write(name, pair.credential, secure=secure, max_age_s=max_age_s),)


def cookies_of_ended(call: Call, ended: SessionId | None) -> HeaderList:
    """Return what takes away the cookies of a session that has just ended, if this browser holds any."""
    for cookie in (*held_refresh_cookies(call), *held_session_cookies(call)):
        if cookie.session_id == ended:
            return signed_out_cookies(call, cookie.app)
    return ()


def signed_out_cookies(call: Call, app: str) -> HeaderList:
    """Return what takes `app`'s cookies and the CSRF value away. The device mark stays: it is no session."""
    secure = call.edge.settings.secure
    names = (_name(app, Transport.COOKIE, secure), _name(app, Transport.SESSION, secure))
    gone = [cookies.write(name, "", secure=secure, max_age_s=0) for name in names if name in call.cookies]
    if call.edge.csrf.cookie_name in call.cookies:
        gone.append(cookies.write(call.edge.csrf.cookie_name, "", secure=secure, max_age_s=0, http_only=False))
    return tuple(gone)


def _held(call: Call, kind: str) -> list[HeldCookie]:
    found = []
    for app, value in cookies.apps_with(kind, call.cookies, secure=call.edge.settings.secure).items():
        try:
            if kind == cookies.REFRESH:
                session_id = call.edge.refresh.refresh_tokens.open(value).session_id
                found.append(HeldCookie(app, value, session_id, Transport.COOKIE))
            else:
                session_id = call.edge.authenticate.session_cookies.open(value).session_id
                found.append(HeldCookie(app, value, session_id, Transport.SESSION))
        except (RefreshTokenInvalid, Unauthorized):
            continue
    return found


def _bindings(call: Call) -> list[str]:
    """What a CSRF value may be bound to here: the sessions whose cookies are held, else the pre-session."""
    held: list[str] = [cookie.session_id for cookie in (*held_refresh_cookies(call), *held_session_cookies(call))]
    if held:
        return held
    pre_session = call.cookies.get(cookies.pre_session_cookie_name(secure=call.edge.settings.secure), "")
    return [pre_session[:PRE_SESSION_LIMIT]] if pre_session else []


def _csrf_cookie(call: Call, value: str) -> tuple[bytes, bytes]:
    name, secure = call.edge.csrf.cookie_name, call.edge.settings.secure
    return cookies.write(name, value, secure=secure, max_age_s=cookies.YEAR_S, http_only=False)


def _name(app: str, transport: Transport, secure: bool) -> str:
    name = cookies.session_cookie_name if transport is Transport.SESSION else cookies.refresh_cookie_name
    return name(app, secure=secure)
