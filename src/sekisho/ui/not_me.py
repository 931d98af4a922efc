"""The page for "that was not me": the address and the code of a letter end every session.

Opening the page does nothing: mail programs and proxies open links by themselves.
"""

from __future__ import annotations

import msgspec

from sekisho.errors import Refusal
from sekisho.flows.not_me import NotMe, not_me
from sekisho.http.answer import Answer
from sekisho.http.browser import require_csrf
from sekisho.ui.forms import NotMeForm, as_form
from sekisho.ui.password_reset import PATH as PASSWORD_RESET
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.visit import Visit

PATH = "/not-me"


class NotMePages(msgspec.Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return page(
            visit,
            self.look,
            "not_me.html",
            at=PATH,
            refusal=refusal,
            asked=("email", "code"),
            notice="message.not_me_former" if visit.query.get("notice") == "ended" else "",
        )

    async def submit(self, visit: Visit) -> Answer:
        require_csrf(visit)
        form = as_form(visit.fields, NotMeForm)
        ended = await not_me(NotMe(form.email.strip(), form.code, visit.origin), visit.edge.not_me)
        return redirect(visit.link(PATH if ended.by_former_address else PASSWORD_RESET, notice="ended"))
