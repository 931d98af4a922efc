"""The account's pages for its second step: what there is, adding, naming, removing, recovery codes.

An enrolment waits under its id, so that a reload shows the same key again; the key itself stands in no address and in
no cookie. Recovery codes stand in the one answer that makes them.

Spec: OWASP ASVS 5.0 rows 6.3.7, 6.5.1, 7.5.1.
"""

from __future__ import annotations

from contextlib import suppress

from markupsafe import Markup
from msgspec import Struct

from sekisho.errors import FactorUnusable, NotFound, Refusal, StepUpRequired
from sekisho.flows.enrolment import Enrol, confirm, enrol, find_enrolment
from sekisho.flows.factors import list_factors, remove, rename
from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.flows.trusted_devices import forget_device, list_devices
from sekisho.http.answer import Answer
from sekisho.http.browser import shown_trust
from sekisho.http.factor_wire import TrustedDeviceView, factor_view, trusted_device_view
from sekisho.identifiers import parse_client_id
from sekisho.model import Factor, Principal
from sekisho.ui.forms import (
    ConfirmFactorForm,
    EmptyForm,
    EnrolForm,
    ForgetDeviceForm,
    RemoveFactorForm,
    RenameFactorForm,
    as_form,
)
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

PATH = "/account/factors"
ADD_PATH = "/account/factors/add"
CONFIRM_PATH = "/account/factors/confirm"
RENAME_PATH = "/account/factors/rename"
REMOVE_PATH = "/account/factors/remove"
FORGET_PATH = "/account/devices/forget"
CODES_PATH = "/account/recovery-codes"

NOTICES = {
    "added": "message.factor_added",
    "renamed": "page.factors.renamed",
    "removed": "message.factor_removed",
    "gone": "page.factors.gone",
    "forgotten": "message.device_forgotten",
    "wanting": "page.factors.wanting",
}
OFFERED = ("totp", "sms", "email")
"""The kinds that these pages can enrol, in the order in which they are offered."""

FEW_CODES = 3


class FactorPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        world = visit.edge.factors
        found = await list_factors(principal, world)
        kinds = {factor.kind.value for factor in found.factors}
        offered = [kind for kind in OFFERED if kind in {each.value for each in world.allowed}]
        return page(
            visit,
            self.look,
            "factors.html",
            at=PATH,
            refusal=refusal,
            factors=[factor_view(*each) for each in zip(found.factors, found.numbers, strict=True)],
            devices=await _devices(visit, principal),
            unused=found.unused_recovery_codes,
            is_few=found.unused_recovery_codes < FEW_CODES,
            offered=[kind for kind in offered if kind != "email" or kind not in kinds],
            notice=NOTICES.get(visit.query.get("notice", ""), ""),
        )

    async def submit_forget(self, visit: Visit) -> Answer:
        """Trust a device no more. One that is gone is trusted no more: a second click is no mistake."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, ForgetDeviceForm)
        with suppress(NotFound):
            await forget_device(form.device, principal, visit.origin, visit.edge.trusted_devices)
        return redirect(visit.link(PATH, notice="forgotten"))

    async def show_add(self, visit: Visit, refusal: Refusal | None) -> Answer:
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        kind = visit.fields.get("kind") or visit.query.get("kind", "")
        if kind not in OFFERED or kind not in {each.value for each in visit.edge.factors.allowed}:
            return redirect(visit.link(PATH))
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
        factor_id = _factor_id(visit)
        try:
            waiting = await find_enrolment(factor_id, principal, visit.edge.factors)
        except StepUpRequired:
            return to_step_up(visit, "confirm", factor=factor_id)
        except (NotFound, FactorUnusable):
            return redirect(visit.link(PATH, notice="gone"))
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
            return redirect(visit.link(PATH, notice="added"))
        return self._codes(visit, done.recovery_codes, "message.factor_added")

    async def show_rename(self, visit: Visit, refusal: Refusal | None) -> Answer:
        return await self._of_one(visit, refusal, "factor_rename.html", RENAME_PATH, ("name",))

    async def submit_rename(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, RenameFactorForm)
        await rename(form.factor, form.name, principal, visit.origin, visit.edge.factors)
        return redirect(visit.link(PATH, notice="renamed"))

    async def show_remove(self, visit: Visit, refusal: Refusal | None) -> Answer:
        principal = await find_visitor(visit, refusal)
        if principal and await asks_first(visit, principal, refusal):
            return to_step_up(visit, "remove", factor=_factor_id(visit))
        return await self._of_one(visit, refusal, "factor_remove.html", REMOVE_PATH, ())

    async def submit_remove(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, RemoveFactorForm)
        await remove(form.factor, principal, visit.origin, visit.edge.factors, end_others=bool(form.end_others))
        return redirect(visit.link(PATH, notice="removed"))

    async def show_codes(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Say what making new ones does. Nothing is made by looking."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        if await asks_first(visit, principal, refusal):
            return to_step_up(visit, "recovery-codes")
        found = await list_factors(principal, visit.edge.factors)
        if not found.factors:
            return redirect(visit.link(PATH))
        unused = found.unused_recovery_codes
        return page(visit, self.look, "recovery_codes.html", at=CODES_PATH, refusal=refusal, unused=unused)

    async def submit_codes(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        as_form(visit.fields, EmptyForm)
        codes = await new_recovery_codes(principal, visit.origin, visit.edge.factors)
        return self._codes(visit, codes, "message.recovery_codes_made")

    async def _of_one(
        self, visit: Visit, refusal: Refusal | None, template: str, at: str, asked: tuple[str, ...]
    ) -> Answer:
        """Return the page about one factor. One that is gone leads to the list: a second click is no mistake."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        found = await list_factors(principal, visit.edge.factors)
        factor = _find(found.factors, _factor_id(visit))
        if factor is None:
            return redirect(visit.link(PATH, notice="gone"))
        return page(
            visit,
            self.look,
            template,
            at=at,
            refusal=refusal,
            asked=asked,
            about={"factor": factor.id},
            factor=factor_view(factor),
            number=found.numbers[found.factors.index(factor)],
            is_last=len(found.factors) == 1,
        )

    def _codes(self, visit: Visit, codes: tuple[str, ...], said: str) -> Answer:
        return page(visit, self.look, "recovery_codes_new.html", at=PATH, codes=codes, said=said)


async def _devices(visit: Visit, principal: Principal) -> list[TrustedDeviceView]:
    shown = shown_trust(visit, parse_client_id(principal.client_id).app)
    listed = await list_devices(principal, shown, visit.edge.trusted_devices)
    return [trusted_device_view(each.device, is_current=each.is_current) for each in listed]


def _factor_id(visit: Visit) -> str:
    return visit.fields.get("factor") or visit.query.get("factor", "")


def _find(factors: tuple[Factor, ...], factor_id: str) -> Factor | None:
    return next((factor for factor in factors if factor.id == factor_id), None)


def _grouped(secret: str) -> str:
    """Return the key as people type it over: in groups of four. Apps pass over the spaces."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
