"""The account's pages for its second step: what there is, naming and removing; and where it is not asked for.

Spec: OWASP ASVS 5.0 rows 6.3.7, 7.5.1.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from sekisho.errors import NotFound, Refusal
from sekisho.flows.factors import list_factors, remove, rename
from sekisho.flows.trusted_devices import forget_device, list_devices
from sekisho.http.answer import Answer
from sekisho.http.browser import shown_trust
from sekisho.http.factor_wire import TrustedDeviceView, factor_view, trusted_device_view
from sekisho.identifiers import parse_client_id
from sekisho.model import Factor, Principal
from sekisho.ui.forms import (
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
RENAME_PATH = "/account/factors/rename"
REMOVE_PATH = "/account/factors/remove"
FORGET_PATH = "/account/devices/forget"

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
        found = await list_factors(principal, visit.edge.factors)
        kinds = {factor.kind.value for factor in found.factors}
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
            offered=[kind for kind in offered(visit) if kind != "email" or kind not in kinds],
            notice=NOTICES.get(visit.query.get("notice", ""), ""),
        )

    async def submit_forget(self, visit: Visit) -> Answer:
        """Trust a device no more. One that is gone is trusted no more: a second click is no mistake."""
        principal = await require_visitor(visit)
        form = as_form(visit.fields, ForgetDeviceForm)
        with suppress(NotFound):
            await forget_device(form.device, principal, visit.origin, visit.edge.trusted_devices)
        return redirect(visit.link(PATH, notice="forgotten"))

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
            return to_step_up(visit, "remove", factor=named_factor(visit))
        return await self._of_one(visit, refusal, "factor_remove.html", REMOVE_PATH, ())

    async def submit_remove(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, RemoveFactorForm)
        await remove(form.factor, principal, visit.origin, visit.edge.factors, end_others=bool(form.end_others))
        return redirect(visit.link(PATH, notice="removed"))

    async def _of_one(
        self, visit: Visit, refusal: Refusal | None, template: str, at: str, asked: tuple[str, ...]
    ) -> Answer:
        """Return the page about one factor. One that is gone leads to the list: a second click is no mistake."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        found = await list_factors(principal, visit.edge.factors)
        factor = _find(found.factors, named_factor(visit))
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


async def _devices(visit: Visit, principal: Principal) -> list[TrustedDeviceView]:
    shown = shown_trust(visit, parse_client_id(principal.client_id).app)
    listed = await list_devices(principal, shown, visit.edge.trusted_devices)
    return [trusted_device_view(each.device, is_current=each.is_current) for each in listed]


def offered(visit: Visit) -> list[str]:
    """Return the kinds that can be enrolled here, in the order in which they are offered."""
    allowed = {each.value for each in visit.edge.factors.allowed}
    return [kind for kind in OFFERED if kind in allowed]


def named_factor(visit: Visit) -> str:
    """Return the id of the factor that the page is about."""
    return visit.fields.get("factor") or visit.query.get("factor", "")


def _find(factors: tuple[Factor, ...], factor_id: str) -> Factor | None:
    return next((factor for factor in factors if factor.id == factor_id), None)
