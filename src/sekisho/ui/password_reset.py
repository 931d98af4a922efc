"""The pages of a password reset: the address, the mailed code, the new password.

Between them the browser keeps the address, and then the reset token, in a cookie that no script reads, so that a reload
shows the same page again and neither stands in the history.
"""

from __future__ import annotations

import msgspec

from sekisho.errors import Refusal, ResetTokenInvalid
from sekisho.flows.password_reset import (
    CODE_LIFETIME_MS,
    TOKEN_LIFETIME_MS,
    CompleteReset,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.http import cookies
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.browser import require_csrf
from sekisho.model import Discreet
from sekisho.rfc import base64url
from sekisho.ui.forms import NewPasswordForm, ResetCodeForm, ResetForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.visit import Visit

PATH = "/password-reset"
CODE_PATH = "/password-reset/code"
RESEND_PATH = "/password-reset/resend"
NEW_PATH = "/password-reset/new"
COOKIE = "password-reset"
COOKIE_LIMIT_BYTES = 1024


class Progress(Discreet, frozen=True):
    """How far this browser's reset is: a code was sent to `email`; with `reset_token`, it came back."""

    email: str
    reset_token: str = ""


class PasswordResetPages(msgspec.Struct, frozen=True):
    look: Look
    min_length: int

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return page(
            visit,
            self.look,
            "password_reset.html",
            at=PATH,
            refusal=refusal,
            asked=("email",),
            client_id=visit.client_id,
            notice="message.not_me" if visit.query.get("notice") == "ended" else "",
        )

    async def submit(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form(visit.fields, ResetForm)
        sent = await send_reset_code(
            SendResetCode(form.email.strip(), visit.locale, visit.origin), visit.edge.password_reset
        )
        return redirect(visit.link(CODE_PATH), _remembered(visit, Progress(sent.email)))

    async def show_code(self, visit: Visit, refusal: Refusal | None) -> Answer:
        progress = _progress(visit)
        if progress is None:
            return redirect(visit.link(PATH)) if refusal is None else await self.show(visit, refusal)
        return page(
            visit,
            self.look,
            "password_reset_code.html",
            at=CODE_PATH,
            refusal=refusal,
            asked=("code",),
            email=progress.email,
            notice="message.reset_code_sent" if visit.query.get("notice") == "resent" else "",
        )

    async def submit_code(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form(visit.fields, ResetCodeForm)
        allowed = await verify_reset_code(
            VerifyResetCode(form.email, form.code, visit.origin), visit.edge.password_reset
        )
        return redirect(visit.link(NEW_PATH), _remembered(visit, Progress(form.email, allowed.reset_token)))

    async def submit_resend(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form({"email": visit.fields.get("email", "")}, ResetForm)
        await send_reset_code(SendResetCode(form.email, visit.locale, visit.origin), visit.edge.password_reset)
        return redirect(visit.link(CODE_PATH, notice="resent"), _remembered(visit, Progress(form.email)))

    async def show_new(self, visit: Visit, refusal: Refusal | None) -> Answer:
        progress = _progress(visit)
        if progress is None or not progress.reset_token:
            return redirect(visit.link(PATH)) if refusal is None else await self.show(visit, refusal)
        return page(
            visit,
            self.look,
            "password_reset_new.html",
            at=NEW_PATH,
            refusal=refusal,
            asked=("password",),
            email=progress.email,
            min_length=self.min_length,
            is_over=isinstance(refusal, ResetTokenInvalid),
        )

    async def submit_new(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form(visit.fields, NewPasswordForm)
        progress = _progress(visit)
        if progress is None or not progress.reset_token:
            return redirect(visit.link(PATH))
        request = CompleteReset(progress.reset_token, form.password, visit.origin)
        await complete_reset(request, visit.edge.password_reset)
        return redirect(visit.link(SIGN_IN, notice="reset"), _forgotten(visit))


def _progress(visit: Visit) -> Progress | None:
    """Return the reset that this browser remembers; at the code the address of the form counts."""
    value = visit.cookies.get(_cookie_name(visit), "")
    try:
        found = msgspec.json.decode(base64url.decode(value, COOKIE_LIMIT_BYTES), type=Progress)
    except (ValueError, msgspec.DecodeError):
        found = None
    email = visit.fields.get("email")
    return Progress(email) if email and (found is None or found.email != email) else found


def _remembered(visit: Visit, progress: Progress) -> HeaderList:
    value = base64url.encode(msgspec.json.encode(progress))
    max_age_s = max(CODE_LIFETIME_MS, TOKEN_LIFETIME_MS) // 1000
    return (cookies.write(_cookie_name(visit), value, secure=visit.edge.settings.secure, max_age_s=max_age_s),)


def _forgotten(visit: Visit) -> HeaderList:
    return (cookies.write(_cookie_name(visit), "", secure=visit.edge.settings.secure, max_age_s=0),)


def _cookie_name(visit: Visit) -> str:
    return cookies.page_cookie_name(COOKIE, secure=visit.edge.settings.secure)
