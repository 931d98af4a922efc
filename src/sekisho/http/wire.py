"""Request and response bodies, exactly as DESIGN section 8 fixes them. Requests are flat and forbid unknown fields.

Beside it: `session_wire`, `factor_wire`, and `token_wire` for the calls of APIs and OAuth clients.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from sekisho.model import Account, Discreet, RecoveryEmail, Transport
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


class ErrorView(Struct, frozen=True, omit_defaults=True):
    """`error` is stable; `message` is for people; `details` maps a field to a stable reason, or holds
    the values that the client goes on with."""

    error: str
    message: str
    details: dict[str, Any] | UnsetType = UNSET


class HealthView(Struct, frozen=True):
    status: str


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
