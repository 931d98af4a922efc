"""The sign-up pages: address and password, then the mailed code.

Between the two the browser keeps which sign-up it was in a cookie of its own, so that a reload shows the second page
again and no address stands in the history.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from sekisho.errors import CsrfFailed, Refusal, SessionNotFound
from sekisho.flows.sign_up import LIFETIME_MS, ResendCode, SendCode, VerifyCode, resend_code, send_code, verify_code
from sekisho.http import cookies
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.browser import require_csrf, signed_in_cookies
from sekisho.http.transport import begin_sign_in
from sekisho.model import Transport
from sekisho.rfc import base64url
from sekisho.ui.forms import CodeForm, PendingForm, SignUpForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import destination
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor

PATH = "/sign-up"
CODE_PATH = "/sign-up/code"
RESEND_PATH = "/sign-up/resend"
COOKIE = "sign-up"
COOKIE_LIMIT_BYTES = 1024


class SignUpPages(Struct, frozen=True):
    look: Look
    min_length: int

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        if (refusal is None or isinstance(refusal, CsrfFailed)) and await find_visitor(visit):
            return redirect(destination(visit))
        return page(
            visit,
            self.look,
            "sign_up.html",
            at=PATH,
            refusal=refusal,
            asked=("email", "password"),
            min_length=self.min_length,
            client_id=visit.client_id,
        )

    async def submit(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form(visit.fields, SignUpForm)
        request = SendCode(form.email.strip(), form.password, visit.client_id, visit.locale, visit.origin)
        sent = await send_code(request, visit.edge.sign_up)
        return redirect(visit.link(CODE_PATH), _remembered(visit, PendingForm(sent.email, sent.pending)))

    async def show_code(self, visit: Visit, refusal: Refusal | None) -> Answer:
        if (refusal is None or isinstance(refusal, CsrfFailed | SessionNotFound)) and await find_visitor(visit):
            return redirect(destination(visit), _forgotten(visit))
        pending = _pending(visit)
        if pending is None:
            return redirect(visit.link(PATH)) if refusal is None else await self.show(visit, refusal)
        return page(
            visit,
            self.look,
            "sign_up_code.html",
            at=CODE_PATH,
            refusal=refusal,
            asked=("code",),
            pending=pending,
            is_over=isinstance(refusal, SessionNotFound),
            notice="message.signup_code_resent" if visit.query.get("notice") == "resent" else "",
        )

    async def submit_code(self, visit: Visit) -> Answer:
        begun = begin_sign_in(visit, visit.client_id, Transport.SESSION)
        form = as_form(visit.fields, CodeForm)
        request = VerifyCode(
            email=form.email,
            code=form.code,
            client_id=visit.client_id,
            pending=form.pending,
            transport=Transport.SESSION,
            seen_from=begun.origin,
            replaces=begun.replaces,
        )
        pair = await verify_code(request, visit.edge.sign_up)
        signed_in = signed_in_cookies(visit, pair, begun.app, begun.origin.device_token)
        return redirect(destination(visit), (*signed_in, *_forgotten(visit)))

    async def submit_resend(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form({name: visit.fields.get(name, "") for name in ("email", "pending")}, PendingForm)
        request = ResendCode(form.email, visit.client_id, form.pending, visit.origin)
        await resend_code(request, visit.edge.sign_up)
        return redirect(visit.link(CODE_PATH, notice="resent"), _remembered(visit, form))


def _pending(visit: Visit) -> PendingForm | None:
    """Return the sign-up that the form carries, else the one that this browser remembers."""
    email, pending = visit.fields.get("email"), visit.fields.get("pending")
    if email and pending:
        return PendingForm(email, pending)
    value = visit.cookies.get(_cookie_name(visit), "")
    try:
        return msgspec.json.decode(base64url.decode(value, COOKIE_LIMIT_BYTES), type=PendingForm)
    except (ValueError, msgspec.DecodeError):
        return None


def _remembered(visit: Visit, pending: PendingForm) -> HeaderList:
    value = base64url.encode(msgspec.json.encode(pending))
    return (
        cookies.write(_cookie_name(visit), value, secure=visit.edge.settings.secure, max_age_s=LIFETIME_MS // 1000),
    )


def _forgotten(visit: Visit) -> HeaderList:
    name = _cookie_name(visit)
    return (cookies.write(name, "", secure=visit.edge.settings.secure, max_age_s=0),) if name in visit.cookies else ()


def _cookie_name(visit: Visit) -> str:
    return cookies.page_cookie_name(COOKIE, secure=visit.edge.settings.secure)
