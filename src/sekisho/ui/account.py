"""The account pages: profile, sessions, sign-out, withdrawal.

They work without scripts. With them the SDK's view takes the place of what the server rendered."""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import NotFound, Refusal
from sekisho.flows.factors import list_factors
from sekisho.flows.logout import logout_all, logout_cookie
from sekisho.flows.profile import ProfileChange, change_profile
from sekisho.flows.session_list import current_session, end_session, list_sessions
from sekisho.flows.withdrawal import withdraw
from sekisho.http.answer import Answer
from sekisho.http.browser import require_csrf, signed_out_cookies
from sekisho.http.factor_wire import factor_view
from sekisho.http.session_wire import session_view
from sekisho.http.wire import user_view
from sekisho.identifiers import parse_client_id
from sekisho.ui.forms import EmptyForm, EndSessionForm, ProfileForm, WithdrawalForm, as_form
from sekisho.ui.refusing import Show
from sekisho.ui.rendering import LANGUAGE_NAMES, Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, forgotten, held_cookie, is_signed_out, require_visitor

PATH = "/account"
PROFILE_PATH = "/account/profile"
END_PATH = "/account/sessions/end"
END_OTHERS_PATH = "/account/sessions/end-others"
SIGN_OUT_PATH = "/account/sign-out"
WITHDRAW_PATH = "/account/withdraw"
SIGNED_OUT_PATH = "/signed-out"

BUNDLE = ("account.js", "account.css")

# The SDK's view shows the QR code of an authenticator app as a picture that it holds itself.
BUNDLE_POLICY = "img-src 'self' data:"
NOTICES = {
    "profile": "page.account.profile_saved",
    "ended": "message.session_ended",
    "password": "message.password_changed",
    "email": "page.account.email_changed",
    "others": "page.account.others_ended",
}


class AccountPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Show the account, or the sign-in page to whom nobody knows."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return self._to_sign_in(visit)
        try:
            current = await current_session(principal, visit.edge.session_list)
            sessions = await list_sessions(principal, visit.edge.session_list)
            factors = (await list_factors(principal, visit.edge.factors)).factors
        except Refusal as ended:
            if is_signed_out(ended):
                return self._to_sign_in(visit)
            raise
        bundle = BUNDLE if all(map(self.look.assets.has, BUNDLE)) else ()
        return page(
            visit,
            self.look,
            "account.html",
            at=PATH,
            refusal=refusal,
            asked=("name", "locale"),
            user=user_view(current.account),
            client_id=principal.client_id,
            sessions=[session_view(other, current.session.id) for other in sessions],
            factors=[factor_view(factor) for factor in factors],
            is_factor_wanting=bool(current.acr_required),
            language_names=LANGUAGE_NAMES,
            notice=NOTICES.get(visit.query.get("notice", ""), ""),
            bundle=bundle,
            policy=BUNDLE_POLICY if bundle else "",
        )

    async def submit_profile(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, ProfileForm)
        change = ProfileChange(name=form.name, locale=form.locale)
        await change_profile(change, principal, visit.origin, visit.edge.profile)
        return redirect(visit.link(PATH, notice="profile"))

    async def submit_end(self, visit: Visit) -> Answer:
        """End one session. What is not there (any more) has ended: a second click is no mistake."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EndSessionForm)
        try:
            await end_session(form.session, principal, visit.origin, visit.edge.session_list)
        except NotFound:
            return redirect(visit.link(PATH, notice="ended"))
        if form.session == principal.session_id:
            return redirect(visit.link(SIGNED_OUT_PATH), forgotten(visit))
        return redirect(visit.link(PATH, notice="ended"))

    async def submit_end_others(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        as_form(visit.fields, EmptyForm)
        await logout_all(principal, visit.origin, except_current=True, world=visit.edge.logout)
        return redirect(visit.link(PATH, notice="others"))

    async def submit_sign_out(self, visit: Visit) -> Answer:
        """Sign out. Whoever is signed out already has what they wanted."""
        cookie = held_cookie(visit)
        if cookie is None:
            return redirect(visit.link(SIGNED_OUT_PATH))
        require_csrf(visit)
        await logout_cookie(cookie.value, visit.origin, visit.edge.logout)
        return redirect(visit.link(SIGNED_OUT_PATH), signed_out_cookies(visit, cookie.app))

    async def show_withdraw(self, visit: Visit, refusal: Refusal | None) -> Answer:
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return self._to_sign_in(visit)
        if await asks_first(visit, principal, refusal, has_password=True):
            return to_step_up(visit, "withdraw")
        current = await current_session(principal, visit.edge.session_list)
        return page(
            visit,
            self.look,
            "withdraw.html",
            at=WITHDRAW_PATH,
            refusal=refusal,
            asked=("password",),
            email=current.account.email,
        )

    async def submit_withdraw(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, WithdrawalForm)
        await withdraw(form.password, principal, visit.origin, visit.edge.withdrawal)
        gone = signed_out_cookies(visit, parse_client_id(principal.client_id).app)
        return redirect(visit.link(SIGNED_OUT_PATH, notice="withdrawn"), gone)

    async def show_signed_out(self, visit: Visit, refusal: Refusal | None) -> Answer:
        said = "message.account_withdrawn" if visit.query.get("notice") == "withdrawn" else "page.signed_out.text"
        return page(visit, self.look, "signed_out.html", at=SIGNED_OUT_PATH, refusal=refusal, said=said)

    def _to_sign_in(self, visit: Visit) -> Answer:
        """Ask who this is. A cookie whose session is over goes, and its person is told."""
        cookie = held_cookie(visit)
        more = {"notice": "ended"} if cookie else {}
        return redirect(visit.link(SIGN_IN, **more), forgotten(visit))


def leads_to(path: str) -> Show:
    """Return the page behind an address that takes forms only, for whoever opens it: the page with the form."""

    async def show(visit: Visit, refusal: Refusal | None) -> Answer:
        more = {"lang": visit.query["lang"]} if "lang" in visit.query else {}
        return redirect(visit.link(path, **more))

    return show
