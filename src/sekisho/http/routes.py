"""The routes, one table: method, path, endpoint, who may call, which limits, which answers and refusals.

The OpenAPI document, the docs page and the tests are made from this table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from sekisho import errors
from sekisho.errors import Refusal
from sekisho.http import (
    csrf,
    dev_mail,
    email_change,
    factor_wire,
    factors,
    history,
    introspection,
    login,
    logout,
    not_me,
    operations,
    password_change,
    password_reset,
    profile,
    refresh,
    revocation,
    revocations,
    second_factor,
    session_list,
    sign_up,
    step_up,
    trusted_devices,
    wire,
    withdrawal,
)
from sekisho.http.answer import Answer
from sekisho.http.call import Call

Endpoint = Callable[[Call], Awaitable[Answer]]

ANYBODY = "anybody"
TOKEN_OR_COOKIE = "refresh token or cookie"  # noqa: S105 - a word of the table, no secret
SESSION = "bearer token or session cookie"
GUARD = "guard key"
ANY_CREDENTIAL = "refresh token, bearer token or cookie"

NO_ROUTE = "(none)"
"""The path that metrics and logs say for what is in no table."""


class Route(Struct, frozen=True, kw_only=True):
    """callers: ANYBODY, TOKEN_OR_COOKIE, ANY_CREDENTIAL, SESSION or GUARD. query: optional parameters, and what they
    say. body: None where none is read. is_oauth: the body is a form, not JSON, and refusals have the form of RFC 6749
    (`sekisho.http.oauth`). answer: None where it is not JSON of one shape; or_answer: the other shape, of a call that
    forks. limits: the rules of `sekisho.throttle` that count here. refusals: what this call itself may refuse with,
    beside those of every call (`COMMON`)."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    callers: str = ANYBODY
    query: Mapping[str, str] = MappingProxyType({})
    body: type[wire.Request] | None = None
    body_optional: bool = False
    is_oauth: bool = False
    status: int = 200
    answer: type[Struct] | None = None
    limits: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    or_answer: type[Struct] | None = None


COMMON: tuple[type[Refusal], ...] = (errors.ServiceUnavailable, errors.ValidationError)
OF_BODIES: tuple[type[Refusal], ...] = (errors.PayloadTooLarge, errors.UnsupportedMediaType)
OF_SESSION: tuple[type[Refusal], ...] = (
    errors.Unauthorized,
    errors.AccessTokenExpired,
    errors.SessionRevoked,
    errors.SessionChanged,
)
API = "/api/v1"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path=f"{API}/auth/refresh",
        endpoint=refresh.refresh_endpoint,
        summary="Trade a refresh token for a new pair",
        callers=TOKEN_OR_COOKIE,
        body=wire.RefreshBody,
        body_optional=True,
        answer=wire.PairView,
        refusals=(errors.RefreshTokenInvalid, errors.ClientIdMismatch, errors.SessionChanged, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/session",
        endpoint=session_list.current_session_endpoint,
        summary="The account and the session of this call",
        callers=SESSION,
        answer=wire.CurrentSessionView,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/login",
        endpoint=login.login_endpoint,
        summary="Sign in with address and password",
        body=wire.LoginBody,
        answer=wire.PairView,
        or_answer=factor_wire.SecondFactorRequiredView,
        limits=("login",),
        refusals=(errors.InvalidCredentials, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/second-factor/send-code",
        endpoint=second_factor.send_code_endpoint,
        summary="Send a code for the second step of a sign-in",
        body=factor_wire.SecondFactorSendCodeBody,
        answer=factor_wire.FactorCodeSentView,
        limits=("code_sends", "sms_sends"),
        refusals=(errors.SessionNotFound, errors.FactorUnusable, errors.RateLimitExceeded),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/second-factor",
        endpoint=second_factor.second_factor_endpoint,
        summary="Finish a sign-in with the second factor",
        body=factor_wire.SecondFactorBody,
        answer=wire.PairView,
        limits=("factor",),
        refusals=(
            errors.SessionNotFound,
            errors.InvalidCode,
            errors.ClientIdMismatch,
            errors.FactorUnusable,
            errors.FactorLocked,
            errors.RateLimitExceeded,
            errors.CsrfFailed,
        ),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/step-up/send-code",
        endpoint=step_up.send_code_endpoint,
        summary="Send a code for a step-up",
        callers=SESSION,
        body=factor_wire.StepUpSendCodeBody,
        answer=factor_wire.FactorCodeSentView,
        limits=("code_sends", "sms_sends"),
        refusals=(errors.FactorUnusable, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/step-up",
        endpoint=step_up.step_up_endpoint,
        summary="Give this session a fresh or stronger proof",
        callers=SESSION,
        body=factor_wire.StepUpBody,
        answer=wire.PairView,
        limits=("password", "factor"),
        refusals=(
            errors.InvalidCredentials,
            errors.InvalidCode,
            errors.StepUpRequired,
            errors.FactorUnusable,
            errors.FactorLocked,
            errors.RateLimitExceeded,
            errors.CsrfFailed,
        ),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/factors",
        endpoint=factors.list_factors_endpoint,
        summary="The account's second factors",
        callers=SESSION,
        answer=factor_wire.FactorListView,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/factors",
        endpoint=factors.enrol_endpoint,
        summary="Begin to enrol a second factor",
        callers=SESSION,
        body=factor_wire.EnrolFactorBody,
        status=201,
        answer=factor_wire.EnrolmentView,
        limits=("code_sends", "sms_sends"),
        refusals=(errors.StepUpRequired, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/trusted-devices",
        endpoint=trusted_devices.list_devices_endpoint,
        summary="Devices on which the second step is not asked again",
        callers=SESSION,
        answer=factor_wire.TrustedDeviceListView,
    ),
    Route(
        method="DELETE",
        path=f"{API}/auth/trusted-devices/{{id}}",
        endpoint=trusted_devices.forget_device_endpoint,
        summary="Trust a device no more",
        callers=SESSION,
        answer=wire.MessageView,
        refusals=(errors.NotFound, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/factors/recovery-codes",
        endpoint=factors.new_recovery_codes_endpoint,
        summary="Make ten new recovery codes; the older ones die",
        callers=SESSION,
        answer=factor_wire.RecoveryCodesView,
        refusals=(errors.StepUpRequired, errors.NotFound, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/factors/{{id}}/confirm",
        endpoint=factors.confirm_endpoint,
        summary="Finish enrolling: from now on the factor is asked for",
        callers=SESSION,
        body=factor_wire.ConfirmFactorBody,
        answer=factor_wire.FactorConfirmedView,
        limits=("factor",),
        refusals=(
            errors.StepUpRequired,
            errors.NotFound,
            errors.InvalidCode,
            errors.FactorUnusable,
            errors.RateLimitExceeded,
            errors.CsrfFailed,
        ),
    ),
    Route(
        method="PUT",
        path=f"{API}/auth/factors/{{id}}",
        endpoint=factors.rename_endpoint,
        summary="Give a second factor another name",
        callers=SESSION,
        body=factor_wire.RenameFactorBody,
        answer=factor_wire.FactorView,
        refusals=(errors.NotFound, errors.CsrfFailed),
    ),
    Route(
        method="DELETE",
        path=f"{API}/auth/factors/{{id}}",
        endpoint=factors.remove_endpoint,
        summary="Remove a second factor",
        callers=SESSION,
        body=factor_wire.RemoveFactorBody,
        body_optional=True,
        answer=wire.EndedView,
        refusals=(errors.StepUpRequired, errors.FactorRequired, errors.NotFound, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/logout",
        endpoint=logout.logout_endpoint,
        summary="End this session; repeating it is no error",
        callers=ANY_CREDENTIAL,
        body=wire.LogoutBody,
        body_optional=True,
        answer=wire.MessageView,
        refusals=(errors.Unauthorized, errors.AccessTokenExpired, errors.SessionChanged, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/signup/send-code",
        endpoint=sign_up.send_code_endpoint,
        summary="Begin a sign-up: mail a code",
        body=wire.SignUpSendCodeBody,
        answer=wire.CodeSentView,
        limits=("code_sends",),
        refusals=(errors.EmailAlreadyExists, errors.RateLimitExceeded),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/signup/resend-code",
        endpoint=sign_up.resend_code_endpoint,
        summary="Mail a new code; the older one dies",
        body=wire.SignUpResendCodeBody,
        answer=wire.CodeSentView,
        limits=("code_sends",),
        refusals=(errors.SessionNotFound, errors.ClientIdMismatch, errors.RateLimitExceeded),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/signup/verify-code",
        endpoint=sign_up.verify_code_endpoint,
        summary="Finish a sign-up with the mailed code; signs in",
        body=wire.SignUpVerifyCodeBody,
        status=201,
        answer=wire.PairView,
        limits=("code_tries",),
        refusals=(
            errors.SessionNotFound,
            errors.InvalidCode,
            errors.ClientIdMismatch,
            errors.RateLimitExceeded,
            errors.CsrfFailed,
        ),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/password-reset/send-code",
        endpoint=password_reset.send_reset_code_endpoint,
        summary="Begin a password reset: mail a code; the same answer for any address",
        body=wire.ResetSendCodeBody,
        answer=wire.MailedCodeView,
        limits=("code_sends",),
        refusals=(errors.RateLimitExceeded,),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/password-reset/verify-code",
        endpoint=password_reset.verify_reset_code_endpoint,
        summary="Trade the mailed code for a reset token",
        body=wire.ResetVerifyCodeBody,
        answer=wire.ResetTokenView,
        limits=("code_tries",),
        refusals=(errors.InvalidCode, errors.RateLimitExceeded),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/password-reset/complete",
        endpoint=password_reset.complete_reset_endpoint,
        summary="Set a new password with a reset token; every session ends, nobody is signed in",
        body=wire.ResetCompleteBody,
        answer=wire.MessageView,
        refusals=(errors.ResetTokenInvalid,),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/not-me",
        endpoint=not_me.not_me_endpoint,
        summary="That was not me: end every session and take the password away, by the code of a letter",
        body=wire.NotMeBody,
        answer=wire.MessageView,
        limits=("not_me",),
        refusals=(errors.InvalidCode, errors.RateLimitExceeded),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/csrf",
        endpoint=csrf.csrf_endpoint,
        summary="The CSRF value; also sets its cookie",
        answer=wire.CsrfView,
    ),
    Route(
        method="GET",
        path=f"{API}/auth/sessions",
        endpoint=session_list.list_sessions_endpoint,
        summary="The account's live sessions",
        callers=SESSION,
        answer=wire.SessionListView,
    ),
    *(
        Route(
            method="POST",
            path=path,
            endpoint=logout.logout_all_endpoint,
            summary="End every session of the account, or every other one",
            callers=SESSION,
            body=wire.LogoutAllBody,
            body_optional=True,
            answer=wire.EndedView,
            refusals=(errors.CsrfFailed,),
        )
        for path in (f"{API}/auth/sessions/logout-all", f"{API}/auth/logout-all")
    ),
    Route(
        method="DELETE",
        path=f"{API}/auth/sessions/{{id}}",
        endpoint=session_list.end_session_endpoint,
        summary="End one session of the account",
        callers=SESSION,
        answer=wire.MessageView,
        refusals=(errors.NotFound, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/history",
        endpoint=history.history_endpoint,
        summary="What happened to the account: sign-ins, failures, changes, newest first",
        callers=SESSION,
        query={"after": "The `next` of the page before."},
        answer=wire.HistoryView,
    ),
    Route(
        method="GET",
        path=f"{API}/user/profile",
        endpoint=profile.read_profile_endpoint,
        summary="The account",
        callers=SESSION,
        answer=wire.UserView,
    ),
    Route(
        method="PUT",
        path=f"{API}/user/profile",
        endpoint=profile.change_profile_endpoint,
        summary="Change name and locale",
        callers=SESSION,
        body=wire.ProfileBody,
        answer=wire.UserView,
        refusals=(errors.CsrfFailed,),
    ),
    Route(
        method="PUT",
        path=f"{API}/user/password",
        endpoint=password_change.change_password_endpoint,
        summary="Change the password; the other sessions end unless they are to be kept",
        callers=SESSION,
        body=wire.PasswordBody,
        answer=wire.EndedView,
        limits=("password",),
        refusals=(errors.StepUpRequired, errors.InvalidCredentials, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/user/email/send-code",
        endpoint=email_change.send_email_code_endpoint,
        summary="Begin a change of address: mail a code to the new one",
        callers=SESSION,
        body=wire.EmailSendCodeBody,
        answer=wire.MailedCodeView,
        limits=("password", "code_sends"),
        refusals=(errors.StepUpRequired, errors.InvalidCredentials, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="POST",
        path=f"{API}/user/email/verify-code",
        endpoint=email_change.verify_email_code_endpoint,
        summary="Take the new address with the mailed code; the other sessions end",
        callers=SESSION,
        body=wire.EmailVerifyCodeBody,
        answer=wire.UserView,
        limits=("code_tries",),
        refusals=(errors.InvalidCode, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="DELETE",
        path=f"{API}/user/account",
        endpoint=withdrawal.withdrawal_endpoint,
        summary="Withdraw: erase the account",
        callers=SESSION,
        body=wire.WithdrawalBody,
        body_optional=True,
        answer=wire.MessageView,
        limits=("password",),
        refusals=(errors.StepUpRequired, errors.InvalidCredentials, errors.RateLimitExceeded, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/revocations",
        endpoint=revocations.revocations_endpoint,
        summary="What was revoked, in commit order, page by page",
        query={"after": "The number after which to go on; 0 is the whole."},
        callers=GUARD,
        answer=wire.RevocationPageView,
    ),
    Route(
        method="GET",
        path=f"{API}/revocations/stream",
        endpoint=revocations.revocation_stream_endpoint,
        summary="What is revoked, as server-sent events",
        query={"after": "The number after which to go on; 0 is the whole."},
        callers=GUARD,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/introspect",
        endpoint=introspection.introspection_endpoint,
        summary="Whether a token counts, and what it says (RFC 7662)",
        callers=GUARD,
        body=wire.TokenForm,
        is_oauth=True,
        answer=wire.IntrospectionView,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/revoke",
        endpoint=revocation.revocation_endpoint,
        summary="Take back a token (RFC 7009)",
        callers=GUARD,
        body=wire.TokenForm,
        is_oauth=True,
        answer=wire.MessageView,
        refusals=(errors.UnsupportedTokenType,),
    ),
    Route(
        method="POST",
        path=f"{API}/auth/tokens/revoke",
        endpoint=revocation.revoke_jti_endpoint,
        summary="Take back one access token by its jti",
        callers=GUARD,
        body=wire.RevokeJtiBody,
        answer=wire.MessageView,
    ),
    Route(
        method="GET",
        path="/.well-known/jwks.json",
        endpoint=operations.jwks_endpoint,
        summary="The keys that access tokens may be verified with",
        answer=wire.JwksView,
    ),
    Route(
        method="GET",
        path="/healthz",
        endpoint=operations.health_endpoint,
        summary="The process answers",
        answer=wire.HealthView,
    ),
    Route(
        method="GET",
        path="/readyz",
        endpoint=operations.ready_endpoint,
        summary="The store answers and a signing key is there",
        answer=wire.HealthView,
    ),
    Route(
        method="GET",
        path="/metrics",
        endpoint=operations.metrics_endpoint,
        summary="Figures for Prometheus; to loopback only",
        refusals=(errors.NotFound,),
    ),
)

DEV_ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/dev/mail.json",
        endpoint=dev_mail.dev_mail_endpoint,
        summary="Caught mail, newest first",
    ),
    Route(
        method="GET",
        path="/dev/sms.json",
        endpoint=dev_mail.dev_sms_endpoint,
        summary="Caught text messages, newest first",
    ),
)


def refusals_of(route: Route) -> tuple[type[Refusal], ...]:
    """Return every refusal that a call may answer with, in the order of the status table."""
    found = {*COMMON, *route.refusals}
    if route.callers == SESSION:
        found.update(OF_SESSION)
    if route.callers == GUARD:
        found.add(errors.Unauthorized)
    if route.body is not None:
        found.update(OF_BODIES)
    return tuple(refusal for refusal in errors.all_refusals() if refusal in found)
