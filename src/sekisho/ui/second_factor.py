"""The page between password and session: a code of the second factor.

The browser keeps which sign-in waits in a cookie of its own, so that a reload shows the page again and nothing stands
in an address. That cookie opens nothing by itself: without the code the challenge is worth nothing.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from sekisho.errors import CsrfFailed, Refusal, SessionNotFound
from sekisho.flows.second_factor import SecondFactor, SendFactorCode, second_factor, send_code
from sekisho.http import cookies
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.browser import require_csrf, signed_in_cookies
from sekisho.http.transport import begin_sign_in
from sekisho.mfa.methods import SENT
from sekisho.model import Transport
from sekisho.rfc import base64url
from sekisho.ui.forms import FactorCodeForm, FactorSendForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import CODE_PATH, FACTORS_PATH, SignInPages, destination
from sekisho.ui.sign_in import PATH as SIGN_IN_PATH
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor
from sekisho.ui.waiting import COOKIE_LIMIT_BYTES, Waiting, waiting_cookie_name

SEND_PATH = "/sign-in/send-code"


class SecondFactorPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        if (refusal is None or isinstance(refusal, CsrfFailed | SessionNotFound)) and await find_visitor(visit):
            return redirect(destination(visit), forgotten(visit))
        waiting = _waiting(visit)
        if waiting is None or not waiting.methods:
            into = SignInPages(self.look)
            return redirect(visit.link(SIGN_IN_PATH)) if refusal is None else await into.show(visit, refusal)
        wanted = visit.fields.get("method") or visit.query.get("method")
        method = wanted if wanted in waiting.methods else waiting.methods[0]
        return page(
            visit,
            self.look,
            "second_factor.html",
            at=CODE_PATH,
            refusal=refusal,
            asked=("code",),
            about={"method": method},
            waiting=waiting,
            method=method,
            others=[other for other in waiting.methods if other != method],
            is_sent=method in SENT,
            is_over=isinstance(refusal, SessionNotFound),
            notice="message.factor_code_sent" if visit.query.get("notice") == "sent" else "",
        )

    async def submit(self, visit: Visit) -> Answer:
        begun = begin_sign_in(visit, visit.client_id, Transport.SESSION)
        form = as_form({**visit.fields, "challenge": _challenge(visit)}, FactorCodeForm)
        request = SecondFactor(
            challenge=form.challenge,
            method=form.method,
            code=form.code,
            client_id=visit.client_id,
            seen_from=begun.origin,
            replaces=begun.replaces,
            trust_device=bool(form.trust_device),
            trusted=begun.trusted,
        )
        pair = await second_factor(request, visit.edge.second_factor)
        signed_in = signed_in_cookies(visit, pair, begun.app, begun.origin.device_token)
        # Whoever must have a second factor and has shown none goes to where one is enrolled.
        into = visit.link(FACTORS_PATH, notice="wanting") if pair.acr_required else destination(visit)
        return redirect(into, (*signed_in, *forgotten(visit)))

    async def submit_send(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form({**visit.fields, "challenge": _challenge(visit)}, FactorSendForm)
        await send_code(SendFactorCode(form.challenge, form.method, visit.origin), visit.edge.second_factor)
        return redirect(visit.link(CODE_PATH, notice="sent", method=form.method))


def forgotten(visit: Visit) -> HeaderList:
    """Return what takes the cookie of the waiting sign-in away."""
    name = waiting_cookie_name(visit)
    return (cookies.write(name, "", secure=visit.edge.settings.secure, max_age_s=0),) if name in visit.cookies else ()


def _challenge(visit: Visit) -> str:
    waiting = _waiting(visit)
    if waiting is None:
        raise SessionNotFound(detail="no waiting sign-in in this browser")
    return waiting.challenge


def _waiting(visit: Visit) -> Waiting | None:
    value = visit.cookies.get(waiting_cookie_name(visit), "")
    try:
        return msgspec.json.decode(base64url.decode(value, COOKIE_LIMIT_BYTES), type=Waiting)
    except (ValueError, msgspec.DecodeError):
        return None
