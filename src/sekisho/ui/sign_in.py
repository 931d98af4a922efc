"""The sign-in page."""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import CsrfFailed, Refusal
from sekisho.flows.login import Login, login
from sekisho.http.answer import Answer
from sekisho.http.browser import signed_in_cookies
from sekisho.http.transport import begin_sign_in
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.model import Transport
from sekisho.ui.forms import SignInForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor
from sekisho.ui.waiting import remembered

PATH = "/sign-in"
CODE_PATH = "/sign-in/code"
ACCOUNT = "/account"
FACTORS_PATH = "/account/factors"
NOTICES = {"ended": "page.session_ended", "reset": "message.password_reset"}


class SignInPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Whoever is signed in already goes on; so does a form that was sent twice, whose first sending won."""
        if (refusal is None or isinstance(refusal, CsrfFailed)) and await find_visitor(visit):
            return redirect(destination(visit))
        return page(
            visit,
            self.look,
            "sign_in.html",
            at=PATH,
            refusal=refusal,
            asked=("email", "password"),
            notice=NOTICES.get(visit.query.get("notice", ""), ""),
            client_id=visit.client_id,
        )

    async def submit(self, visit: Visit) -> Answer:
        begun = begin_sign_in(visit, visit.client_id, Transport.SESSION)
        form = as_form(visit.fields, SignInForm)
        request = Login(
            form.email.strip(),
            form.password,
            visit.client_id,
            Transport.SESSION,
            begun.origin,
            begun.replaces,
            begun.trusted,
        )
        entered = await login(request, visit.edge.login)
        if isinstance(entered, SecondFactorRequired):
            return redirect(visit.link(CODE_PATH), remembered(visit, entered))
        return redirect(destination(visit), signed_in_cookies(visit, entered, begun.app, begun.origin.device_token))


def destination(visit: Visit) -> str:
    """Return where a person goes who has just signed in."""
    return visit.returning.address if visit.returning else visit.link(ACCOUNT)
