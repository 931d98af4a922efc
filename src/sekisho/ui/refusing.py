"""A page that asks again: whatever a form is refused with, it comes back with what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sekisho.errors import Refusal, ServiceUnavailable
from sekisho.http.answer import Answer
from sekisho.http.call import Call
from sekisho.ports.storage import StoreUnavailable
from sekisho.ui.visit import Visit

Show = Callable[[Visit, Refusal | None], Awaitable[Answer]]
Submit = Callable[[Visit], Awaitable[Answer]]
Endpoint = Callable[[Call], Awaitable[Answer]]


def shown(show: Show) -> Endpoint:
    """Return the endpoint of a page that is looked at."""

    async def show_endpoint(call: Call) -> Answer:
        return await show(Visit.of(call), None)

    return show_endpoint


def submitted(submit: Submit, show: Show) -> Endpoint:
    """Return the endpoint of a form: what refuses it is said on the page that `show` makes."""

    async def submit_endpoint(call: Call) -> Answer:
        visit = Visit.of(call)
        try:
            await visit.read()
            return await submit(visit)
        except Refusal as refusal:
            return await show(visit, refusal)
        except StoreUnavailable as error:
            return await show(visit, ServiceUnavailable(detail=str(error), retry_after=1))

    return submit_endpoint
