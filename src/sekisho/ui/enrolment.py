"""The account's pages that add a second step: its kind, and the code that confirms it.

An enrolment waits under its id, so that a reload shows the same key again; the key itself stands in no address and in
no cookie.

Spec: OWASP ASVS 5.0 rows 6.5.1, 7.5.1.
"""

from __future__ import annotations

from markupsafe import Markup
from msgspec import Struct

from sekisho.errors import FactorUnusable, NotFound, Refusal, StepUpRequired
from sekisho.flows.enrolment import Enrol, confirm, enrol, find_enrolment
from sekisho.http.answer import Answer
from sekisho.ui.factors import PATH as FACTORS
from sekisho.ui.factors import named_factor, offered
from sekisho.ui.forms import ConfirmFactorForm, EnrolForm, as_form
from sekisho.ui.recovery_codes import codes_page
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

ADD_PATH = "/account/factors/add"
CONFIRM_PATH = "/account/factors/confirm"


class EnrolmentPages(Struct, frozen=True):
    look: Look

    async def show_add(self, visit: Visit, refusal: Refusal | None) -> Answer:
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        kind = visit.fields.get("kind") or visit.query.get("kind", "")
        if kind not in offered(visit):
            return redirect(visit.link(FACTORS))
        if await asks_first(visit, principal, refusal):
            return to_step_up(visit, "add", kind=kind)
        return page(
            visit,
            self.look,
            "factor_add.html",
            at=ADD_PATH,
            refusal=refusal,
            asked=("kind", "phone", "name"),
            about={"kind": kind},
            kind=kind,
        )

    async def submit_add(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, EnrolForm)
        begun = await enrol(Enrol(form.kind, form.name, form.phone), principal, visit.origin, visit.edge.factors)
        return redirect(visit.link(CONFIRM_PATH, factor=begun.id))

    async def show_confirm(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Show the key, or say that a code was sent, until the code is right. What is over leads to the list."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        factor_id = named_factor(visit)
        try:
            waiting = await find_enrolment(factor_id, principal, visit.edge.factors)
        except StepUpRequired:
            return to_step_up(visit, "confirm", factor=factor_id)
        except (NotFound, FactorUnusable):
            return redirect(visit.link(FACTORS, notice="gone"))
        return page(
            visit,
            self.look,
            "factor_confirm.html",
            at=CONFIRM_PATH,
            refusal=refusal,
            asked=("code",),
            about={"factor": factor_id},
            factor=factor_id,
            kind=waiting.kind.value,
            name=waiting.name,
            number=waiting.number or "",
            secret=_grouped(waiting.secret or ""),
            uri=waiting.uri,
            qr=Markup(waiting.qr or ""),  # noqa: S704 - drawn by us, of black and white squares
        )

    async def submit_confirm(self, visit: Visit) -> Answer:
        """Take the code. With the first factor come the recovery codes, in this answer and nowhere else."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, ConfirmFactorForm)
        done = await confirm(
            form.factor,
            form.code,
            principal,
            visit.origin,
            visit.edge.factors,
            end_others=bool(form.end_others),
        )
        if done.recovery_codes is None:
            return redirect(visit.link(FACTORS, notice="added"))
        return codes_page(visit, self.look, done.recovery_codes, "message.factor_added")


def _grouped(secret: str) -> str:
    """Return the key as people type it over: in groups of four. Apps pass over the spaces."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
