"""The account's pages for its password and its address. They work without scripts."""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import Refusal
from sekisho.flows.email_change import SendEmailCode, VerifyEmailCode, send_email_code, verify_email_code
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.profile import read_profile
from sekisho.http.answer import Answer
from sekisho.ui.forms import EmailCodeForm, EmailForm, PasswordForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

ACCOUNT = "/account"
PASSWORD_PATH = "/account/password"  # noqa: S105 - an address, no secret
EMAIL_PATH = "/account/email"
CODE_PATH = "/account/email/code"


class CredentialPages(Struct, frozen=True):
    look: Look
    min_length: int

    async def show_password(self, visit: Visit, refusal: Refusal | None) -> Answer:
        asked = ("current_password", "password")
        return await self._page(visit, refusal, "password_change.html", PASSWORD_PATH, asked, then="password")

    async def submit_password(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, PasswordForm)
        change = PasswordChange(
            current_password=form.current_password, password=form.password, keep_other_sessions=bool(form.keep)
        )
        await change_password(change, principal, visit.origin, visit.edge.password_change)
        return redirect(visit.link(ACCOUNT, notice="password"))

    async def show_email(self, visit: Visit, refusal: Refusal | None) -> Answer:
        asked = ("email", "password")
        return await self._page(visit, refusal, "email_change.html", EMAIL_PATH, asked, then="email")

    async def submit_email(self, visit: Visit) -> Answer:
        """Send the code and show where to enter it. The new address stands in that page's form only: not in its own
        address, and not in a cookie."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EmailForm)
        request = SendEmailCode(form.email.strip(), form.password, visit.origin)
        sent = await send_email_code(request, principal, visit.edge.email_change)
        visit.fields["email"] = sent.email
        return await self._page(
            visit, None, "email_change_code.html", CODE_PATH, ("code",), notice="message.email_code_sent"
        )

    async def show_code(self, visit: Visit, refusal: Refusal | None) -> Answer:
        if "email" not in visit.fields:
            return redirect(visit.link(EMAIL_PATH))
        return await self._page(visit, refusal, "email_change_code.html", CODE_PATH, ("code",))

    async def submit_code(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EmailCodeForm)
        request = VerifyEmailCode(form.email, form.code, visit.origin)
        await verify_email_code(request, principal, visit.edge.email_change)
        return redirect(visit.link(ACCOUNT, notice="email"))

    async def _page(
        self,
        visit: Visit,
        refusal: Refusal | None,
        template: str,
        at: str,
        asked: tuple[str, ...],
        *,
        notice: str = "",
        then: str = "",
    ) -> Answer:
        """Return a page for whoever is signed in. then: what it is for the page that asks for a proof first."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        if then and await asks_first(visit, principal, refusal, has_password=True):
            return to_step_up(visit, then)
        account = await read_profile(principal, visit.edge.profile)
        return page(
            visit,
            self.look,
            template,
            at=at,
            refusal=refusal,
            asked=asked,
            current_email=account.email,
            min_length=self.min_length,
            notice=notice,
        )
