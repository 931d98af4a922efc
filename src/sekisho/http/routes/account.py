"""The routes of an account: its history, profile, password and address, and the withdrawal."""

from __future__ import annotations

from sekisho import errors
from sekisho.http import email_change, history, password_change, profile, wire, withdrawal
from sekisho.http.routes.route import API, SESSION, Route

ACCOUNT: tuple[Route, ...] = (
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
)
