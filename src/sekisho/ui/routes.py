"""The routes of the pages, beside the table of the API."""

from __future__ import annotations

from sekisho import errors
from sekisho.http.routes import ANYBODY, Route
from sekisho.ui import (
    account,
    credentials,
    dev_pages,
    enrolment,
    factors,
    history,
    not_me,
    password_reset,
    recovery_codes,
    recovery_email,
    reference,
    second_factor,
    sign_in,
    sign_up,
    step_up,
)
from sekisho.ui.account import AccountPages, leads_to
from sekisho.ui.assets import Assets
from sekisho.ui.credentials import CredentialPages
from sekisho.ui.dev_pages import DevPages
from sekisho.ui.enrolment import EnrolmentPages
from sekisho.ui.factors import FactorPages
from sekisho.ui.history import HistoryPages
from sekisho.ui.not_me import NotMePages
from sekisho.ui.password_reset import PasswordResetPages
from sekisho.ui.recovery_codes import RecoveryCodePages
from sekisho.ui.recovery_email import RecoveryEmailPages
from sekisho.ui.reference import ReferencePage
from sekisho.ui.refusing import Show, Submit, shown, submitted
from sekisho.ui.rendering import Look
from sekisho.ui.second_factor import SecondFactorPages
from sekisho.ui.sign_in import SignInPages
from sekisho.ui.sign_up import SignUpPages
from sekisho.ui.step_up import StepUpPages

ASSETS_PATH = "/assets/{name}"
SIGNED_IN = "session cookie; else the sign-in page"

_Form = tuple[str, Show, Submit, str, tuple[str, ...]]
"""Path, what shows it, what takes it, summary, limits."""


def asset_route(assets: Assets) -> Route:
    return Route(
        method="GET",
        path=ASSETS_PATH,
        endpoint=assets.asset_endpoint,
        summary="What the pages load",
        refusals=(errors.NotFound,),
    )


def dev_routes(look: Look) -> tuple[Route, ...]:
    pages = DevPages(look)
    return (
        _shown("/", pages.show_front, "Where everything is"),
        _shown(dev_pages.MAIL_PATH, pages.show_mail, "Caught mail"),
    )


def docs_route(look: Look) -> tuple[Route, ...]:
    return (_shown(reference.PATH, ReferencePage(look).show, "The calls of the API"),)


def entrance_routes(look: Look, min_length: int, *, is_front: bool) -> tuple[Route, ...]:
    """Return sign-in, sign-up and password reset; with `is_front` also `/`, which leads there."""
    into, second = SignInPages(look), SecondFactorPages(look)
    disowning = NotMePages(look)
    up, reset = SignUpPages(look, min_length), PasswordResetPages(look, min_length)
    return (
        *((_shown("/", leads_to(account.PATH), "To the account, or to sign-in"),) if is_front else ()),
        _shown(sign_in.PATH, into.show, "Sign in"),
        _sent(sign_in.PATH, into.submit, into.show, "Sign in", limits=("login",)),
        _shown(sign_in.CODE_PATH, second.show, "Enter the second factor"),
        _sent(sign_in.CODE_PATH, second.submit, second.show, "Finish signing in", limits=("factor",)),
        _shown(second_factor.SEND_PATH, leads_to(sign_in.CODE_PATH), "To the second factor"),
        _sent(second_factor.SEND_PATH, second.submit_send, second.show, "Send a code", limits=("code_sends",)),
        _shown(sign_up.PATH, up.show, "Sign up"),
        _sent(sign_up.PATH, up.submit, up.show, "Ask for a code", limits=("code_sends",)),
        _shown(sign_up.CODE_PATH, up.show_code, "Enter the code"),
        _sent(sign_up.CODE_PATH, up.submit_code, up.show_code, "Finish the sign-up", limits=("code_tries",)),
        _shown(sign_up.RESEND_PATH, leads_to(sign_up.CODE_PATH), "To the code"),
        _sent(sign_up.RESEND_PATH, up.submit_resend, up.show_code, "Ask for a new code", limits=("code_sends",)),
        _shown(not_me.PATH, disowning.show, "That was not me"),
        _sent(not_me.PATH, disowning.submit, disowning.show, "End everything", limits=("not_me",)),
        _shown(password_reset.PATH, reset.show, "Reset the password"),
        _sent(password_reset.PATH, reset.submit, reset.show, "Ask for a code", limits=("code_sends",)),
        _shown(password_reset.CODE_PATH, reset.show_code, "Enter the code"),
        _sent(password_reset.CODE_PATH, reset.submit_code, reset.show_code, "Enter the code", limits=("code_tries",)),
        _shown(password_reset.RESEND_PATH, leads_to(password_reset.CODE_PATH), "To the code"),
        _sent(password_reset.RESEND_PATH, reset.submit_resend, reset.show_code, "Send another", limits=("code_sends",)),
        _shown(password_reset.NEW_PATH, reset.show_new, "Choose the new password"),
        _sent(password_reset.NEW_PATH, reset.submit_new, reset.show_new, "Set the new password"),
    )


def account_routes(look: Look) -> tuple[Route, ...]:
    pages = AccountPages(look)
    forms: tuple[tuple[str, Submit, str], ...] = (
        (account.PROFILE_PATH, pages.submit_profile, "Change name and language"),
        (account.END_PATH, pages.submit_end, "End one session"),
        (account.END_OTHERS_PATH, pages.submit_end_others, "End every other session"),
        (account.SIGN_OUT_PATH, pages.submit_sign_out, "Sign out"),
    )
    return (
        _shown(account.PATH, pages.show, "The account", callers=SIGNED_IN),
        *(
            route
            for path, submit, summary in forms
            for route in (
                _shown(path, leads_to(account.PATH), "To the account"),
                _sent(path, submit, pages.show, summary, callers=SIGNED_IN),
            )
        ),
        _shown(account.WITHDRAW_PATH, pages.show_withdraw, "Close the account", callers=SIGNED_IN),
        _sent(
            account.WITHDRAW_PATH,
            pages.submit_withdraw,
            pages.show_withdraw,
            "Close the account",
            callers=SIGNED_IN,
            limits=("password",),
        ),
        _shown(account.SIGNED_OUT_PATH, pages.show_signed_out, "Signed out"),
    )


def credential_routes(look: Look, min_length: int) -> tuple[Route, ...]:
    """Return the account's pages for its password and its addresses."""
    pages, second = CredentialPages(look, min_length), RecoveryEmailPages(look)
    password, email, code = credentials.PASSWORD_PATH, credentials.EMAIL_PATH, credentials.CODE_PATH
    forms: tuple[_Form, ...] = (
        (password, pages.show_password, pages.submit_password, "Change the password", ("password",)),
        (email, pages.show_email, pages.submit_email, "Change the address", ("password", "code_sends")),
        (code, pages.show_code, pages.submit_code, "Confirm the new address", ("code_tries",)),
        (recovery_email.PATH, second.show, second.submit, "Set a recovery address", ("password", "code_sends")),
        (recovery_email.CODE_PATH, second.show_code, second.submit_code, "Confirm it", ("code_tries",)),
        (recovery_email.REMOVE_PATH, second.show_remove, second.submit_remove, "Remove the recovery address", ()),
    )
    return _forms(forms)


def factor_routes(look: Look) -> tuple[Route, ...]:
    """Return the account's pages for its second step, its history, and the fresh proof that some of them ask for."""
    pages, proof, past = FactorPages(look), StepUpPages(look), HistoryPages(look)
    new, codes = EnrolmentPages(look), RecoveryCodePages(look)
    forms: tuple[_Form, ...] = (
        (enrolment.ADD_PATH, new.show_add, new.submit_add, "Add a second step", ("code_sends",)),
        (enrolment.CONFIRM_PATH, new.show_confirm, new.submit_confirm, "Confirm a second step", ("factor",)),
        (factors.RENAME_PATH, pages.show_rename, pages.submit_rename, "Name a second step", ()),
        (factors.REMOVE_PATH, pages.show_remove, pages.submit_remove, "Remove a second step", ()),
        (recovery_codes.PATH, codes.show, codes.submit, "Make new recovery codes", ()),
        (step_up.PATH, proof.show, proof.submit, "Prove that it is you", ("password", "factor")),
    )
    send = step_up.SEND_PATH
    return (
        _shown(factors.PATH, pages.show, "The second step", callers=SIGNED_IN),
        _shown(factors.FORGET_PATH, leads_to(factors.PATH), "To the second step"),
        _sent(factors.FORGET_PATH, pages.submit_forget, pages.show, "Trust a device no more", callers=SIGNED_IN),
        _shown(history.PATH, past.show, "What happened to the account", callers=SIGNED_IN),
        *_forms(forms),
        _shown(send, leads_to(step_up.PATH), "To the proof"),
        _sent(send, proof.submit_send, proof.show, "Send a code", callers=SIGNED_IN, limits=("code_sends",)),
    )


def _forms(forms: tuple[_Form, ...]) -> tuple[Route, ...]:
    return tuple(
        route
        for path, show, submit, summary, limits in forms
        for route in (
            _shown(path, show, summary, callers=SIGNED_IN),
            _sent(path, submit, show, summary, callers=SIGNED_IN, limits=limits),
        )
    )


def _shown(path: str, show: Show, summary: str, *, callers: str = ANYBODY) -> Route:
    return Route(method="GET", path=path, endpoint=shown(show), summary=summary, callers=callers)


def _sent(
    path: str, submit: Submit, show: Show, summary: str, *, callers: str = ANYBODY, limits: tuple[str, ...] = ()
) -> Route:
    return Route(
        method="POST",
        path=path,
        endpoint=submitted(submit, show),
        summary=summary,
        callers=callers,
        limits=limits,
        refusals=(errors.CsrfFailed, *((errors.RateLimitExceeded,) if limits else ())),
    )
