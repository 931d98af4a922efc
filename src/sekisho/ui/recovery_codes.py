"""The account's pages for its recovery codes. They stand in the one answer that makes them.

Spec: OWASP ASVS 5.0 rows 6.5.1, 7.5.1.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import Refusal
from sekisho.flows.factors import list_factors
from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.http.answer import Answer
from sekisho.ui.factors import PATH as FACTORS
from sekisho.ui.forms import EmptyForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.step_up import asks_first, to_step_up
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

PATH = "/account/recovery-codes"


class RecoveryCodePages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Say what making new ones does. Nothing is made by looking."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        if await asks_first(visit, principal, refusal):
            return to_step_up(visit, "recovery-codes")
        found = await list_factors(principal, visit.edge.factors)
        if not found.factors:
            return redirect(visit.link(FACTORS))
        unused = found.unused_recovery_codes
        return page(visit, self.look, "recovery_codes.html", at=PATH, refusal=refusal, unused=unused)

    async def submit(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        as_form(visit.fields, EmptyForm)
        codes = await new_recovery_codes(principal, visit.origin, visit.edge.factors)
        return codes_page(visit, self.look, codes, "message.recovery_codes_made")


def codes_page(visit: Visit, look: Look, codes: tuple[str, ...], said: str) -> Answer:
    """Show codes that were just made. said: what has been done."""
    return page(visit, look, "recovery_codes_new.html", at=FACTORS, codes=codes, said=said)
