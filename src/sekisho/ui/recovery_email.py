"""The account's pages for its recovery address. They work without scripts."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from sekisho.errors import NotFound, Refusal
from sekisho.flows.recovery_email import (
    SendRecoveryEmailCode,
    VerifyRecoveryEmailCode,
    read_recovery_email,
    remove_recovery_email,
    send_recovery_email_code,
    verify_recovery_email_code,
)
from sekisho.http.answer import Answer
from sekisho.ui.forms import EmailCodeForm, EmailForm, EmptyForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

PATH = "/account/recovery-email"
CODE_PATH = "/account/recovery-email/code"
REMOVE_PATH = "/account/recovery-email/remove"
NOTICES = {"set": "page.recovery_email.set", "removed": "message.recovery_email_removed"}


class RecoveryEmailPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        notice = NOTICES.get(visit.query.get("notice", ""), "")
        asked = ("email", "password")
        return await self._page(visit, refusal, "recovery_email.html", PATH, asked, then="recovery", notice=notice)

    async def submit(self, visit: Visit) -> Answer:
        """Send the code and show where to enter it. The address stands in that page's form only, as in the change of
        address."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EmailForm)
        request = SendRecoveryEmailCode(form.email.strip(), form.password, visit.origin)
        visit.fields["email"] = (await send_recovery_email_code(request, principal, visit.edge.recovery_email)).email
        return await self._code_page(visit, None, notice="message.recovery_email_code_sent")

    async def show_code(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return await self._code_page(visit, refusal) if "email" in visit.fields else redirect(visit.link(PATH))

    async def submit_code(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EmailCodeForm)
        request = VerifyRecoveryEmailCode(form.email, form.code, visit.origin)
        await verify_recovery_email_code(request, principal, visit.edge.recovery_email)
        return redirect(visit.link(PATH, notice="set"))

    async def show_remove(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return await self._page(visit, refusal, "recovery_email_remove.html", REMOVE_PATH, (), then="recovery-remove")

    async def submit_remove(self, visit: Visit) -> Answer:
        """Remove it. One that is gone is removed: a second click is no mistake."""
        principal = await require_visitor(visit)
        as_form(visit.fields, EmptyForm)
        with suppress(NotFound):
            await remove_recovery_email(principal, visit.origin, visit.edge.recovery_email)
        return redirect(visit.link(PATH, notice="removed"))

    async def _code_page(self, visit: Visit, refusal: Refusal | None, *, notice: str = "") -> Answer:
        return await self._page(visit, refusal, "recovery_email_code.html", CODE_PATH, ("code",), notice=notice)

    async def _page(
        self,
        visit: Visit,
        refusal: Refusal | None,
        template: str,
        at: str,
        asked: tuple[str, ...],
        *,
        then: str = "",
        notice: str = "",
    ) -> Answer:
        """Return a page for whoever is signed in. then: what it is for the page that asks for a proof first."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        if then and await asks_first(visit, principal, refusal, has_password="password" in asked):
            return to_step_up(visit, then)
        found = await read_recovery_email(principal, visit.edge.recovery_email)
        if at == REMOVE_PATH and found is None:
            return redirect(visit.link(PATH))
        return page(visit, self.look, template, at=at, refusal=refusal, asked=asked, recovery=found, notice=notice)
