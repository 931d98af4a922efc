"""Not me over HTTP."""

from __future__ import annotations

from sekisho.flows.not_me import NotMe, not_me
from sekisho.http.answer import Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.wire import MessageView, NotMeBody


async def not_me_endpoint(call: Call) -> Answer:
    body = await call.body(NotMeBody)
    ended = await not_me(NotMe(body.email, body.code, call.origin), call.edge.not_me)
    said = "message.not_me_former" if ended.by_former_address else "message.not_me"
    return json_answer(MessageView(call.say(said)))
