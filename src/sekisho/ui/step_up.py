"""The page that asks a signed-in person for a fresh proof, and then goes on with what they wanted to do.

An app may send people here too, with `return_to`, when the API answers `step_up_required`.

Spec: RFC 9470; OWASP ASVS 5.0 rows 7.5.1 and 7.5.3.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import CsrfFailed, Refusal, StepUpRequired
from sekisho.flows.step_up import StepUp, Ways, find_ways, send_code, step_up
from sekisho.http.answer import Answer
from sekisho.mfa.methods import SENT
from sekisho.model import Principal
from sekisho.ui.forms import StepUpForm, StepUpSendForm, as_form
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor, require_visitor

PATH = "/step-up"
SEND_PATH = "/step-up/send-code"
ACCOUNT = "/account"
MEMORISED = "password"
"""The way that is no code, in the address and the form."""

PLACES = {
    "password": "/account/password",
    "email": "/account/email",
    "recovery": "/account/recovery-email",
    "recovery-remove": "/account/recovery-email/remove",
    "withdraw": "/account/withdraw",
    "add": "/account/factors/add",
    "confirm": "/account/factors/confirm",
    "remove": "/account/factors/remove",
    "recovery-codes": "/account/recovery-codes",
}
"""What people of these pages may have wanted, by the word that stands in the address meanwhile."""

CARRIED = ("then", "factor", "kind")


class StepUpPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Who has just proven it goes on; so does a form that was sent twice, whose first sending won."""
        principal = await find_visitor(visit, refusal)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        ways = await find_ways(principal, visit.edge.step_up)
        if ways.is_fresh and (refusal is None or isinstance(refusal, CsrfFailed)) and _place(visit):
            return redirect(destination(visit))
        names = _names(ways)
        wanted = visit.fields.get("method") or visit.query.get("method")
        method = wanted if wanted in names else names[0]
        return page(
            visit,
            self.look,
            "step_up.html",
            at=PATH,
            refusal=refusal,
            asked=(MEMORISED,) if method == MEMORISED else ("code",),
            about={**_about(visit), "method": method},
            method=method,
            others=[(name, visit.link(PATH, **_about(visit), method=name)) for name in names if name != method],
            is_sent=method in SENT,
            action=visit.link(PATH, **_about(visit)),
            send_action=visit.link(SEND_PATH, **_about(visit)),
            back=visit.returning.address if visit.returning else visit.link(ACCOUNT),
            notice="message.factor_code_sent" if visit.query.get("notice") == "sent" else "",
        )

    async def submit(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, StepUpForm)
        request = StepUp(form.password) if form.method == MEMORISED else StepUp(None, form.method, form.code)
        await step_up(request, principal, visit.origin, visit.edge.step_up)
        return redirect(destination(visit))

    async def submit_send(self, visit: Visit) -> Answer:
        principal = await require_visitor(visit)
        form = as_form(visit.fields, StepUpSendForm)
        await send_code(form.method, principal, visit.origin, visit.edge.step_up)
        return redirect(visit.link(PATH, **_about(visit), notice="sent", method=form.method))


def destination(visit: Visit) -> str:
    """Return where a person goes who has shown the proof: to what they wanted, and with nothing done yet."""
    place = _place(visit)
    if place:
        return visit.link(place, **{name: visit.query[name] for name in CARRIED[1:] if name in visit.query})
    return visit.returning.address if visit.returning else visit.link(ACCOUNT)


async def asks_first(
    visit: Visit, principal: Principal, refusal: Refusal | None, *, has_password: bool = False
) -> bool:
    """Say whether a proof is wanted before the form is shown, or was when it was sent. A form with the password in it
    is one itself, for whom nothing stronger could be asked."""
    if isinstance(refusal, StepUpRequired):
        return True
    ways = await find_ways(principal, visit.edge.step_up)
    return not ways.is_fresh and not (has_password and ways.takes_password)


def to_step_up(visit: Visit, then: str, **about: str) -> Answer:
    """Ask for the proof, and come back to the page of `then`."""
    return redirect(visit.link(PATH, then=then, **about))


def _place(visit: Visit) -> str:
    return PLACES.get(visit.query.get("then", ""), "")


def _names(ways: Ways) -> tuple[str, ...]:
    """Return the ways in the order in which they are offered; never none, so that a page can be shown."""
    methods = tuple(method.value for method in ways.methods)
    return (MEMORISED, *methods) if ways.takes_password or not methods else methods


def _about(visit: Visit) -> dict[str, str]:
    return {name: visit.query[name] for name in CARRIED if name in visit.query}
