"""Request and response bodies, exactly as DESIGN section 8 fixes them. Requests are flat and forbid unknown fields."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sekisho.model import Account, AuditRecord, Discreet, RecoveryEmail, Session, Transport
from sekisho.times import iso_time

Email = Annotated[str, Meta(max_length=254)]
Password = Annotated[str, Meta(max_length=256)]
ClientIdText = Annotated[str, Meta(max_length=200)]
# A recovery code with spaces around its hyphens has 39 characters.
Code = Annotated[str, Meta(max_length=64)]
Handle = Annotated[str, Meta(max_length=64)]
Token = Annotated[str, Meta(max_length=8192)]


class Request(Discreet, frozen=True, forbid_unknown_fields=True):
    """A request body."""


class SignUpSendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password
    client_id: ClientIdText


class SignUpResendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    client_id: ClientIdText
    pending: Handle | None = None


class SignUpVerifyCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Code
    client_id: ClientIdText
    pending: Handle | None = None
    transport: Transport = Transport.BODY


class LoginBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password
    client_id: ClientIdText
    transport: Transport = Transport.BODY
    device_token: Handle = ""


class ResetSendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email


class ResetVerifyCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Code


class ResetCompleteBody(Request, frozen=True, forbid_unknown_fields=True):
    reset_token: Token
    password: Password


class NotMeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Handle


class RefreshBody(Request, frozen=True, forbid_unknown_fields=True):
    """Both may be left out where the refresh cookie is sent."""

    refresh_token: Token | None = None
    client_id: ClientIdText | None = None


class LogoutBody(Request, frozen=True, forbid_unknown_fields=True):
    """Both may be left out where a cookie or a bearer token is sent."""

    refresh_token: Token | None = None
    client_id: ClientIdText | None = None


class LogoutAllBody(Request, frozen=True, forbid_unknown_fields=True):
    except_current: bool = False
    forget_devices: bool = False


class ProfileBody(Request, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=400)] | None = None
    locale: Annotated[str, Meta(max_length=16)] | None = None


class PasswordBody(Request, frozen=True, forbid_unknown_fields=True):
    current_password: Password
    password: Password
    keep_other_sessions: bool = False


class EmailSendCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Password


class EmailVerifyCodeBody(Request, frozen=True, forbid_unknown_fields=True):
    email: Email
    code: Code


class WithdrawalBody(Request, frozen=True, forbid_unknown_fields=True):
    """Without a password a fresh step-up is needed."""

    password: Password | None = None


class UserView(Struct, frozen=True):
    """What the account's owner sees of it; `created_at` is RFC 3339."""

    id: str
    email: str
    is_verified: bool
    created_at: str
    name: str
    locale: str
    roles: tuple[str, ...]


class PairView(Discreet, frozen=True, kw_only=True, omit_defaults=True):
    """`message` and `user` stand in answers to a sign-in; which tokens stand depends on the transport. `device_token`:
    over `body`, after `trust_device`; to be sent with the next logins. `acr_required`: as in the session."""

    message: str | UnsetType = UNSET
    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    expires_in: int
    user: UserView | UnsetType = UNSET
    device_token: str | UnsetType = UNSET
    acr_required: str | UnsetType = UNSET


class CodeSentView(Struct, frozen=True):
    message: str
    email: str
    expires_in: int
    pending: str


class MailedCodeView(Struct, frozen=True):
    message: str
    email: str
    expires_in: int


class RecoveryEmailView(Discreet, frozen=True):
    """Both null where there is none; `verified_at` is RFC 3339."""

    email: str | None
    verified_at: str | None


class ResetTokenView(Discreet, frozen=True):
    """`reset_token` sets one new password within `expires_in` seconds."""

    reset_token: str
    expires_in: int


class MessageView(Struct, frozen=True):
    message: str


class EndedView(Struct, frozen=True):
    message: str
    ended: int


class CsrfView(Discreet, frozen=True):
    csrf_token: str


class DeviceView(Struct, frozen=True):
    name: str
    os: str
    browser: str
    type: str


class SessionView(Struct, frozen=True):
    """Times are RFC 3339. `place` is "" where the operator has no place file."""

    id: str
    client_id: str
    transport: Transport
    device: DeviceView
    ip: str
    place: str
    created_at: str
    last_seen_at: str
    expires_at: str
    amr: tuple[str, ...]
    current: bool


class SessionListView(Struct, frozen=True):
    sessions: list[SessionView]


class HistoryEventView(Struct, frozen=True):
    """`at` is RFC 3339. `event` and `method` are words of the audit vocabulary; `place` and `device` are hints."""

    event: str
    outcome: str
    method: str
    at: str
    ip: str
    place: str
    device: str


class HistoryView(Struct, frozen=True):
    """`next` goes into `after` for the page that follows; null at the end."""

    events: list[HistoryEventView]
    next: str | None


class ProvenSessionView(SessionView, frozen=True, kw_only=True):
    """`auth_time` is when its owner last proved to be the one (RFC 3339), `acr` how well. `acr_required`: what the role
    or the app requires and was not shown; the roles that it guards are left out until then."""

    auth_time: str
    acr: str
    acr_required: str | UnsetType = UNSET


class CurrentSessionView(Struct, frozen=True):
    user: UserView
    session: ProvenSessionView


class ErrorView(Struct, frozen=True, omit_defaults=True):
    """`error` is stable; `message` is for people; `details` maps a field to a stable reason, or holds
    the values that the client goes on with."""

    error: str
    message: str
    details: dict[str, Any] | UnsetType = UNSET


class OAuthErrorView(Struct, frozen=True):
    """`error` is a code of RFC 6749 section 5.2 or RFC 7009 section 2.2.1; `error_description` is for developers, in
    English, in the characters that RFC 6749 allows."""

    error: str
    error_description: str


class HealthView(Struct, frozen=True):
    status: str


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


def user_view(account: Account) -> UserView:
    return UserView(
        id=account.id,
        email=account.email,
        is_verified=account.is_verified,
        created_at=iso_time(account.created_at),
        name=account.name,
        locale=account.locale,
        roles=account.roles,
    )


def recovery_email_view(found: RecoveryEmail | None) -> RecoveryEmailView:
    if found is None:
        return RecoveryEmailView(None, None)
    return RecoveryEmailView(found.email, iso_time(found.verified_at))


def history_event_view(record: AuditRecord) -> HistoryEventView:
    return HistoryEventView(
        event=record.event,
        outcome=record.outcome,
        method=record.method,
        at=iso_time(record.at),
        ip=record.ip,
        place=record.place,
        device=record.device,
    )


def session_view(session: Session, current_id: str) -> SessionView:
    device = session.device
    return SessionView(
        id=session.id,
        client_id=session.client_id,
        transport=session.transport,
        device=DeviceView(name=device.name, os=device.os, browser=device.browser, type=device.type),
        ip=session.ip,
        place=session.place,
        created_at=iso_time(session.created_at),
        last_seen_at=iso_time(session.last_seen_at),
        expires_at=iso_time(min(session.idle_expires_at, session.expires_at)),
        amr=session.amr,
        current=session.id == current_id,
    )


def proven_session_view(session: Session, acr_required: str) -> ProvenSessionView:
    """Return what the caller sees of its own session."""
    seen = msgspec.structs.asdict(session_view(session, session.id))
    return ProvenSessionView(
        **seen, auth_time=iso_time(session.auth_time_at), acr=session.acr, acr_required=acr_required or UNSET
    )
