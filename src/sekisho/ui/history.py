"""The account's login history: what happened to it, and what was tried. It works without scripts."""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import Refusal, ValidationError
from sekisho.flows.history import HistoryPage, history
from sekisho.http.answer import Answer
from sekisho.http.session_wire import history_event_view
from sekisho.model import AuditRecord
from sekisho.ui.rendering import Look, page, redirect
from sekisho.ui.sign_in import PATH as SIGN_IN
from sekisho.ui.visit import Visit
from sekisho.ui.visitor import find_visitor

PATH = "/account/history"


class HistoryPages(Struct, frozen=True):
    look: Look

    async def show(self, visit: Visit, refusal: Refusal | None) -> Answer:
        """Show fifty events, newest first. A cursor that is none of this account's begins at the newest again."""
        principal = await find_visitor(visit)
        if principal is None:
            return redirect(visit.link(SIGN_IN))
        after = visit.query.get("after") or None
        try:
            found = await history(principal, after, visit.edge.history)
        except ValidationError:
            if after is None:
                raise
            return redirect(visit.link(PATH))
        return page(
            visit,
            self.look,
            "history.html",
            at=PATH,
            refusal=refusal,
            about={"after": after} if after else {},
            events=[(word_of(record), history_event_view(record)) for record in found.records],
            older=_link(visit, found),
            is_first=after is None,
        )


def word_of(record: AuditRecord) -> str:
    """Return the key of what is said to the owner about a record."""
    return f"history.{record.event}.{record.outcome}"


def _link(visit: Visit, found: HistoryPage) -> str:
    return visit.link(PATH, after=found.next) if found.next else ""
