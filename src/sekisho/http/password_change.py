"""Password change over HTTP."""

from __future__ import annotations

from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.credentials import require_principal
from sekisho.http.wire import EndedView, PasswordBody


async def change_password_endpoint(call: Call) -> Answer:
    principal = await require_principal(call)
    body = await call.body(PasswordBody)
    change = PasswordChange(
        current_password=body.current_password, password=body.password, keep_other_sessions=body.keep_other_sessions
    )
    ended = await change_password(change, principal, call.origin, call.edge.password_change)
    return json_answer(EndedView(call.say("message.password_changed"), ended))
