"""The login history over HTTP."""

from __future__ import annotations

from sekisho.flows.history import history
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.session_wire import HistoryView, history_event_view


async def history_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    page = await history(principal, call.query_value("after"), call.edge.history)
    return json_answer(HistoryView(events=[history_event_view(each) for each in page.records], next=page.next))
